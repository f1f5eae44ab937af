//! Connections of which it is not known yet whose they are.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::failures::Source;
use crate::deadline::until;
use crate::limits::{MAX_NEWCOMERS, NEWCOMER_WAIT};

/// Connections of which it is not known yet whose they are: they have not got as far as the answer to `initialize`.
///
/// There are only so many, whoever opens them. When another one comes, the oldest of those goes that come from where most of
/// them come from: who opens thousands from one address and says nothing is in the way of nobody elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Newcomers {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
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
    source: Source,
    until: Instant,
    sent_away: CancellationToken,
}

impl Newcomers {
    /// Lets another one in, at the cost of an older one if there are too many.
    pub(crate) fn admit(self: &Arc<Self>, source: Source) -> Newcomer {
        let sent_away = CancellationToken::new();
        let mut state = self.lock();
        state.came += 1;
        let number = state.came;
        let goes = state.insert(number, source, sent_away.clone());
        drop(state);
        Present::send_away(goes);
        Newcomer {
            among: Arc::clone(self),
            number,
            source,
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
    /// Inserts one at its place by age, and takes one out if there are too many.
    fn insert(&mut self, number: u64, source: Source, sent_away: CancellationToken) -> Option<Present> {
        let goes = (self.present.len() >= MAX_NEWCOMERS).then(|| self.take_out());
        let at = self.present.partition_point(|present| present.number < number);
        let present = Present {
            number,
            source,
            sent_away,
        };
        self.present.insert(at, present);
        goes.flatten()
    }

    /// The oldest of those that come from where most come from.
    fn take_out(&mut self) -> Option<Present> {
        let from = |source: Source| self.present.iter().filter(|other| other.source == source).count();
        // The first of equals is the oldest.
        let chosen = (0..self.present.len())
            .rev()
            .max_by_key(|at| from(self.present[*at].source));
        chosen.map(|chosen| self.present.remove(chosen))
    }

    fn remove(&mut self, number: u64) -> bool {
        let at = self.present.iter().position(|present| present.number == number);
        at.map(|at| self.present.remove(at)).is_some()
    }
}

impl Newcomer {
    /// Until when it may be one.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Waits until it has been one for too long.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn overstays(&self) {
        until(Some(self.until)).await;
    }

    /// What says that it has to go at once, without a goodbye.
    pub(crate) fn sent_away(&self) -> CancellationToken {
        self.sent_away.clone()
    }

    /// It is about to be known whose it is, so it is none of them. False if it has been sent away.
    pub(crate) fn leave(&self) -> bool {
        self.among.lock().remove(self.number)
    }

    /// Nothing came of it: it is one of them again, for the rest of its time.
    pub(crate) fn come_back(&self) {
        let goes = self
            .among
            .lock()
            .insert(self.number, self.source, self.sent_away.clone());
        Present::send_away(goes);
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
        assert!(many[..gone].iter().all(is_gone), "the oldest go first");
        assert_eq!(newcomers.lock().present.len(), MAX_NEWCOMERS);
        drop((alone, many, another));
        assert_eq!(newcomers.lock().present.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_left_is_not_sent_away() {
        let newcomers = Arc::new(Newcomers::default());
        let known = newcomers.admit(source(1));
        assert!(known.leave());
        let many: Vec<_> = (0..=MAX_NEWCOMERS).map(|_| newcomers.admit(source(1))).collect();
        assert!(!is_gone(&known));
        assert!(is_gone(&many[0]) && !many[0].leave());
        known.come_back();
        assert!(is_gone(&many[1]) && known.leave());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_stays_one_for_ever() {
        let newcomer = Arc::new(Newcomers::default()).admit(source(1));
        let came = Instant::now();
        newcomer.overstays().await;
        assert_eq!(came.elapsed(), NEWCOMER_WAIT);
    }
}
