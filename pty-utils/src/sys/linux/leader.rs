//! A leader, one of the two holders of its family.
use super::tree::Family;
use crate::{exit::ExitStatus, signal::Signal};
use std::{io, sync::Arc};

/// Dropping it kills the family.
#[derive(Debug)]
pub(crate) struct Leader {
    family: Arc<Family>,
    ending: Ending,
}

/// Ends a family when it is dropped.
#[derive(Debug)]
struct Ending(Option<Arc<Family>>);

impl Leader {
    pub(super) fn new(family: Arc<Family>) -> Self {
        let ending = Ending(Some(Arc::clone(&family)));
        Self { family, ending }
    }

    /// Lets go of the leader without ending anybody.
    pub(super) fn into_family(self) -> Arc<Family> {
        let Self { family, mut ending } = self;
        ending.0 = None;
        family
    }

    pub(crate) fn pid(&self) -> u32 {
        self.family.pid().as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) async fn exited(&self) -> io::Result<ExitStatus> {
        self.family.exited().await
    }

    pub(crate) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
        self.family.signal_group(signal)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(family) = self.0.take() {
            family.end();
        }
    }
}
