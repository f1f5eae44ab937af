//! How far the pipes of our children may grow.
use rustix::pipe::fcntl_setpipe_size;
use std::{
    os::fd::AsFd,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A pipe is born with this capacity, so a read of so many bytes found it full.
const FULL_BYTES: usize = 64 * 1024;
/// What a busy pipe grows to. More gained nothing.
const GROWN_BYTES: usize = 256 * 1024;
/// How many pipes of this process may be grown at a time: an ordinary user has 64 MiB of pipe in all, and
/// this takes a quarter of it.
const MAX_GROWN: usize = 64;

static GROWN: AtomicUsize = AtomicUsize::new(0);

/// Whether a pipe has grown, may grow, or will not.
#[derive(Debug)]
pub(super) struct Growth(OnceLock<Option<Share>>);

impl Growth {
    /// For a pipe that grows once it was found full.
    pub(super) fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Grows the pipe if the read of `count` bytes found it full, once.
    pub(super) fn after_read(&self, pipe: impl AsFd, count: usize) {
        if count < FULL_BYTES || self.0.get().is_some() {
            return;
        }
        // Without a share it is tried again at the next full read: another pipe may be closed by then.
        if let Some(share) = Share::take() {
            // When the system refuses, it has its own bound, and asking again would cost a call per read.
            let grown = fcntl_setpipe_size(pipe, GROWN_BYTES).is_ok();
            // Losing a race with another reader only gives the share back.
            drop(self.0.set(grown.then_some(share)));
        }
    }
}

/// The right of one pipe to be grown, given back when it is dropped.
#[derive(Debug)]
struct Share(());

impl Share {
    fn take() -> Option<Self> {
        GROWN
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |grown| {
                (grown < MAX_GROWN).then_some(grown + 1)
            })
            .ok()
            .map(|_| Self(()))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        GROWN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{fcntl_getpipe_size, pipe};

    // One test, because the count is of the whole process.
    #[test]
    fn a_full_pipe_grows_once_and_only_64_at_a_time() {
        let (reader, _writer) = pipe().unwrap();
        let before = fcntl_getpipe_size(&reader).unwrap();
        let growth = Growth::new();
        growth.after_read(&reader, FULL_BYTES - 1);
        assert_eq!(fcntl_getpipe_size(&reader).unwrap(), before);
        growth.after_read(&reader, FULL_BYTES);
        assert_eq!(fcntl_getpipe_size(&reader).unwrap(), GROWN_BYTES);

        let others: Vec<_> = std::iter::from_fn(Share::take).collect();
        assert_eq!(others.len(), MAX_GROWN - 1);
        let (late, _late_writer) = pipe().unwrap();
        let late_growth = Growth::new();
        late_growth.after_read(&late, FULL_BYTES);
        assert_eq!(fcntl_getpipe_size(&late).unwrap(), before);

        drop(growth);
        late_growth.after_read(&late, FULL_BYTES);
        assert_eq!(fcntl_getpipe_size(&late).unwrap(), GROWN_BYTES);
    }
}
