//! A place in the code that logs.

use std::hash::{Hash, Hasher};

use tracing::Metadata;

/// A place in the code that logs, by what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callsite(pub(super) &'static Metadata<'static>);

impl PartialEq for Callsite {
    fn eq(&self, other: &Self) -> bool {
        self.0.callsite() == other.0.callsite()
    }
}

impl Eq for Callsite {}

impl Hash for Callsite {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.callsite().hash(state);
    }
}
