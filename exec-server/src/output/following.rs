//! Somebody who takes all output, and holds the process up until it is taken.

use super::ring::{Cursor, Entry};
use super::{OutputLog, State, wait_until};

impl OutputLog {
    /// From its beginning on, output is kept until [`take`](Self::take) has taken it.
    pub(crate) fn be_followed(&self) {
        self.lock().followed = Some(Cursor::default());
    }

    /// Waits for output that was not taken yet. False if there is none, and none will come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn has_untaken(&self) -> bool {
        let is_news = |state: &mut State| {
            let taken = state.followed.unwrap_or_default();
            let is_over = state.ends.closed.is_some() || state.is_discarded;
            if state.ring.end().offset > taken.offset {
                return Some(true);
            }
            is_over.then_some(false)
        };
        wait_until(&self.state, State::reader_list, is_news).await
    }

    /// Waits until all output of a closed process was taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn all_taken(&self) {
        let is_so = |state: &mut State| state.is_all_taken().then_some(());
        wait_until(&self.state, State::owner_list, is_so).await;
    }

    /// Takes output that was not taken yet until `at_most` bytes were, and the chunk with the last of them.
    pub(crate) fn take(&self, at_most: usize, mut take: impl FnMut(Entry<'_>)) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let had_room = state.ring.is_within_bounds();
        let from = state.followed.unwrap_or_default();
        let (mut to, mut left) = (from, at_most);
        for entry in state.ring.entries_from(from.offset) {
            to = entry.end();
            left = left.saturating_sub(entry.bytes.len());
            take(entry);
            if left == 0 {
                break;
            }
        }
        state.followed = Some(to);
        self.evict(state);
        let regained_room = !had_room && state.ring.is_within_bounds();
        let owner = (regained_room || state.is_all_taken()).then(|| state.owner.take());
        drop(guard);
        if let Some(owner) = owner {
            owner.wake();
        }
    }
}

impl State {
    fn is_all_taken(&self) -> bool {
        let taken = self.followed.map_or(0, |taken| taken.offset);
        self.ends.closed.is_some() && taken == self.ring.end().offset
    }
}
