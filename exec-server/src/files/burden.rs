//! How much file work a session has asked for that is not done.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{MAX_FILE_WORK, MAX_FILE_WORK_BYTES};

/// How long nothing may get done before a client is read on that has asked for as much as it may.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file work of one session that is not done.
#[derive(Debug)]
pub(super) struct Burden {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pieces: usize,
    /// What is to be written.
    bytes: usize,
    /// When something got done, or began while there was room.
    moved_at: Instant,
}

/// A piece of the work. Dropping it says that it is done.
#[derive(Debug)]
pub(super) struct Piece {
    among: Arc<Burden>,
    bytes: usize,
}

impl Burden {
    pub(super) fn new() -> Self {
        let state = State {
            pieces: 0,
            bytes: 0,
            moved_at: Instant::now(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Takes a piece on in which so much is to be written. None if it is too much.
    pub(super) fn take_on(self: &Arc<Self>, bytes: usize) -> Option<Piece> {
        let mut state = self.lock();
        if state.is_full() {
            return None;
        }
        state.pieces += 1;
        state.bytes += bytes;
        state.moved_at = Instant::now();
        let among = Arc::clone(self);
        Some(Piece { among, bytes })
    }

    /// Whether all of it is done.
    pub(super) fn is_none(&self) -> bool {
        self.lock().pieces == 0
    }

    /// Until when no more should be asked for: what is asked for then is refused. None if more may be.
    ///
    /// A disk that does not answer is no reason to be deaf for everything else.
    pub(super) fn pause(&self) -> Option<Instant> {
        let state = self.lock();
        let until = state.moved_at + PATIENCE;
        (state.is_full() && Instant::now() < until).then_some(until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.pieces >= MAX_FILE_WORK || self.bytes >= MAX_FILE_WORK_BYTES
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut state = self.among.lock();
        state.pieces -= 1;
        state.bytes -= self.bytes;
        state.moved_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn more_is_asked_for_when_something_is_done_or_nothing_moves() {
        let burden = Arc::new(Burden::new());
        let half = MAX_FILE_WORK_BYTES / 2;
        let first = burden.take_on(half).unwrap();
        assert_eq!(burden.pause(), None);
        let second = burden.take_on(half).unwrap();
        assert_eq!(burden.pause(), Some(Instant::now() + PATIENCE));
        assert!(burden.take_on(0).is_none());
        advance(PATIENCE).await;
        assert_eq!(burden.pause(), None);
        assert!(burden.take_on(0).is_none());
        drop(first);
        let third = burden.take_on(2 * half).unwrap();
        drop(second);
        assert!(burden.pause().is_some());
        drop(third);
        assert_eq!(burden.pause(), None);
    }
}
