//! Whether anybody still waits for an outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether anybody still waits for an outcome. Asked by work that only looks, and takes long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interest(Arc<AtomicBool>);

/// Somebody's interest. It is lost when this is dropped.
#[derive(Debug)]
pub(super) struct Interested(Interest);

impl Interest {
    /// Somebody's interest, and how to ask for it.
    pub(super) fn new() -> (Interested, Self) {
        let interest = Self::default();
        (Interested(interest.clone()), interest)
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl Drop for Interested {
    fn drop(&mut self) {
        self.0.0.store(true, Relaxed);
    }
}
