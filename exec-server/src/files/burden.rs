//! How much file work a session has asked for that is not done.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::FileError;
use crate::limits::{MAX_FILE_WORK, MAX_FILE_WORK_BYTES};

/// How long nothing may get done before a client is read on that has asked for as much as it may.
///
/// A disk that others write to at the same time has been seen to stand still for more than two seconds.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// Whether that was too long ago when it was last asked whether to read on. What comes in one message is judged by that: its
    /// elements may take longer to take in than any patience, and then it is we who hold the work up.
    is_stuck: bool,
    /// Whether no more is taken on.
    is_closed: bool,
}

/// A piece of the work. Dropping it says that it is off the list.
#[derive(Debug)]
pub(crate) struct Piece {
    among: Arc<Burden>,
    bytes: usize,
}

impl Burden {
    pub(super) fn new() -> Self {
        let state = State {
            pieces: 0,
            bytes: 0,
            moved_at: Instant::now(),
            is_stuck: false,
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Takes a piece on.
    ///
    /// # Errors
    ///
    /// If the session is over; or if there is as much as may be, nothing of it gets done, and this piece does not make it less.
    pub(super) fn take_on(self: &Arc<Self>, makes_less: bool) -> Result<Piece, FileError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(FileError::SessionEnded);
        }
        if !state.is_full() {
            state.moves();
        } else if !makes_less && state.is_stuck {
            return Err(FileError::TooMuchWork);
        }
        state.pieces += 1;
        let among = Arc::clone(self);
        Ok(Piece { among, bytes: 0 })
    }

    /// Takes nothing on any more.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Whether nothing is taken on any more, and all is done that was.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        state.is_closed && state.pieces == 0
    }

    /// Whether nothing is to be done.
    pub(super) fn is_none(&self) -> bool {
        self.lock().pieces == 0
    }

    /// Until when no more should be asked for. None if more may be: also when nothing gets done, and what is asked for then
    /// is refused. A disk that does not answer is no reason to be deaf for everything else.
    pub(super) fn pause(&self) -> Option<Instant> {
        let mut state = self.lock();
        let until = state.moved_at + PATIENCE;
        state.is_stuck = until <= Instant::now();
        (state.is_full() && !state.is_stuck).then_some(until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.pieces >= MAX_FILE_WORK || self.bytes >= MAX_FILE_WORK_BYTES
    }

    fn moves(&mut self) {
        self.moved_at = Instant::now();
        self.is_stuck = false;
    }
}

impl Piece {
    /// Says that so many bytes are to be written in it.
    pub(super) fn set_bytes(&mut self, bytes: usize) {
        let mut state = self.among.lock();
        state.bytes = state.bytes - self.bytes + bytes;
        self.bytes = bytes;
    }

    /// It is done: things get on.
    pub(super) fn done(self) {
        self.among.lock().moves();
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut state = self.among.lock();
        state.pieces -= 1;
        state.bytes -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn of_bytes(burden: &Arc<Burden>, bytes: usize) -> Piece {
        let mut piece = burden.take_on(false).unwrap();
        piece.set_bytes(bytes);
        piece
    }

    #[tokio::test(start_paused = true)]
    async fn more_is_asked_for_when_something_is_done_or_nothing_moves() {
        let burden = Arc::new(Burden::new());
        let half = MAX_FILE_WORK_BYTES / 2;
        let first = of_bytes(&burden, half);
        assert_eq!(burden.pause(), None);
        let second = of_bytes(&burden, half);
        assert_eq!(burden.pause(), Some(Instant::now() + PATIENCE));
        // Of one message, say, that was read before.
        let third = of_bytes(&burden, 0);
        advance(PATIENCE).await;
        assert_eq!(burden.pause(), None);
        assert!(matches!(burden.take_on(false), Err(FileError::TooMuchWork)));
        drop(burden.take_on(true).unwrap());
        // What is given up does not say that things get on.
        drop(third);
        assert!(burden.take_on(false).is_err());
        first.done();
        assert_eq!(burden.pause(), None);
        let fourth = of_bytes(&burden, half);
        assert!(burden.pause().is_some());
        drop((second, fourth));
        assert_eq!(burden.pause(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_one_message_is_taken_on_however_long_that_takes() {
        let burden = Arc::new(Burden::new());
        let full = of_bytes(&burden, MAX_FILE_WORK_BYTES);
        assert!(burden.pause().is_some(), "it is waited for");
        advance(PATIENCE).await;
        drop(of_bytes(&burden, 0));
        assert_eq!(burden.pause(), None);
        assert!(burden.take_on(false).is_err());
        full.done();
    }

    #[tokio::test]
    async fn it_is_over_when_the_last_piece_is_done() {
        let burden = Arc::new(Burden::new());
        let piece = of_bytes(&burden, 1);
        burden.close();
        assert!(!burden.is_over());
        assert!(matches!(burden.take_on(true), Err(FileError::SessionEnded)));
        piece.done();
        assert!(burden.is_over());
    }
}
