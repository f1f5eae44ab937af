//! Connections of which it is not known yet whose they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::failures::Source;
use crate::limits::{MAX_NEWCOMERS, NEWCOMER_WAIT};

/// Connections of which it is not known yet whose they are: their HTTP request was not let in, and not refused.
///
/// There are only so many, whoever opens them. When another one comes, one of those goes that come from where most of them come
/// from, and chance says which: were it the oldest, a flood from the same address would have everybody go who is slower than it.
#[derive(Debug, Default)]
pub(crate) struct Newcomers {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    present: Vec<Present>,
    came: u64,
}

#[derive(Debug)]
struct Present {
    number: u64,
    source: Source,
    sent_away: CancellationToken,
}

/// One of them. Dropping it says that it is gone.
#[derive(Debug)]
pub(crate) struct Newcomer {
    among: Arc<Newcomers>,
    number: u64,
    until: Instant,
    sent_away: CancellationToken,
}

impl Newcomers {
    /// Lets another one in, at the cost of one that is there if there are too many.
    pub(crate) fn admit(self: &Arc<Self>, source: Source) -> Newcomer {
        let sent_away = CancellationToken::new();
        let mut state = self.lock();
        state.came += 1;
        let number = state.came;
        let goes = state.insert(Present {
            number,
            source,
            sent_away: sent_away.clone(),
        });
        drop(state);
        Present::send_away(goes);
        Newcomer {
            among: Arc::clone(self),
            number,
            until: Instant::now() + NEWCOMER_WAIT,
            sent_away,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

impl Present {
    /// Has it go, if there is one that has to. Not under the lock: others hear of it.
    fn send_away(goes: Option<Self>) {
        if let Some(goes) = goes {
            tracing::warn!(source = %goes.source, "a connection had to go that had not said yet whose it was: there are too many");
            goes.sent_away.cancel();
        }
    }
}

impl State {
    /// Inserts one, and takes another out if there are too many.
    fn insert(&mut self, present: Present) -> Option<Present> {
        let goes = (self.present.len() >= MAX_NEWCOMERS).then(|| self.take_out());
        self.present.push(present);
        goes.flatten()
    }

    /// One of those that come from where most come from.
    fn take_out(&mut self) -> Option<Present> {
        let mut from = HashMap::<Source, usize>::new();
        for present in &self.present {
            *from.entry(present.source).or_default() += 1;
        }
        let most = self
            .present
            .iter()
            .map(|present| present.source)
            .max_by_key(|source| from[source])?;
        let candidates: Vec<_> = (0..self.present.len())
            .filter(|at| self.present[*at].source == most)
            .collect();
        // Without randomness any will do.
        let chance = getrandom::u32().unwrap_or_default() as usize;
        Some(self.present.swap_remove(candidates[chance % candidates.len()]))
    }

    fn remove(&mut self, number: u64) -> bool {
        let at = self.present.iter().position(|present| present.number == number);
        at.map(|at| self.present.swap_remove(at)).is_some()
    }
}

impl Newcomer {
    /// Until when it has to be known, and its session open.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// What says that it has to go at once, without a goodbye.
    pub(crate) fn sent_away(&self) -> CancellationToken {
        self.sent_away.clone()
    }

    /// It is known whose it is, so it is none of them. False if it has been sent away.
    pub(crate) fn leave(&self) -> bool {
        self.among.lock().remove(self.number)
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(last: u8) -> Source {
        Source::from(std::net::IpAddr::from(Ipv4Addr::new(10, 0, 0, last)))
    }

    fn is_gone(newcomer: &Newcomer) -> bool {
        newcomer.sent_away().is_cancelled()
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_in_numbers_makes_room_for_all() {
        let newcomers = Arc::new(Newcomers::default());
        let alone = newcomers.admit(source(1));
        let many: Vec<_> = (0..3 * MAX_NEWCOMERS)
            .map(|_| newcomers.admit(source(2)))
            .collect();
        let another = newcomers.admit(source(3));
        assert!(!is_gone(&alone) && !is_gone(&another));
        let gone = many.iter().filter(|newcomer| is_gone(newcomer)).count();
        assert_eq!(gone, many.len() + 2 - MAX_NEWCOMERS);
        assert_eq!(newcomers.lock().present.len(), MAX_NEWCOMERS);
        drop((alone, many, another));
        assert_eq!(newcomers.lock().present.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_left_is_not_sent_away() {
        let newcomers = Arc::new(Newcomers::default());
        let known = newcomers.admit(source(1));
        assert!(known.leave());
        let many: Vec<_> = (0..2 * MAX_NEWCOMERS)
            .map(|_| newcomers.admit(source(1)))
            .collect();
        assert!(!is_gone(&known));
        assert_eq!(
            many.iter().filter(|newcomer| newcomer.leave()).count(),
            MAX_NEWCOMERS
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_leaves_some_of_those_who_take_their_time() {
        let newcomers = Arc::new(Newcomers::default());
        let slow: Vec<_> = (0..8).map(|_| newcomers.admit(source(1))).collect();
        // Each may go with each that comes once all places are taken: one in two is left of the first after 44 of them.
        let flood: Vec<_> = (0..MAX_NEWCOMERS).map(|_| newcomers.admit(source(1))).collect();
        assert!(slow.iter().any(|newcomer| !is_gone(newcomer)));
        assert!(flood.iter().any(is_gone) || slow.iter().any(is_gone));
    }
}
