//! How much the logs of all tasks may come to.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are shared by all logs. Who writes takes before it writes, and who removes gives back.
#[derive(Debug)]
pub(crate) struct Quota {
    cap: u64,
    used: AtomicU64,
}

impl Quota {
    /// A quota of `cap` bytes, of which `used` are taken. More than the cap may be: then none are left.
    pub(crate) fn new(cap: u64, used: u64) -> Self {
        let used = AtomicU64::new(used);
        Self { cap, used }
    }

    /// Takes so many bytes, or none if there are not so many.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.update(|used| used.checked_add(bytes).filter(|&used| used <= self.cap))
            .is_some()
    }

    /// Takes so many bytes, or as many as there are. Returns how many.
    pub(crate) fn take_up_to(&self, bytes: u64) -> u64 {
        let grown = |used: u64| used.saturating_add(bytes).min(self.cap.max(used));
        self.update(|used| Some(grown(used)))
            .map_or(0, |used| grown(used) - used)
    }

    /// Takes so many bytes, whether there are so many or not.
    pub(crate) fn take_regardless(&self, bytes: u64) {
        self.update(|used| Some(used.saturating_add(bytes)));
    }

    /// Gives bytes back. More than are taken is all of them.
    pub(crate) fn give(&self, bytes: u64) {
        self.update(|used| Some(used.saturating_sub(bytes)));
    }

    /// How many bytes are taken.
    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Changes what is taken, and returns what it was. None if it is left.
    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        // It is a count, and nothing else is read by what it says.
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_never_more_than_there_is() {
        let quota = Quota::new(10, 3);
        assert!(quota.take(5));
        assert!(!quota.take(3));
        assert!(!quota.take(u64::MAX));
        assert_eq!(quota.take_up_to(5), 2);
        assert_eq!((quota.take_up_to(1), quota.used()), (0, 10));
        quota.give(4);
        assert_eq!(quota.used(), 6);
        quota.give(u64::MAX);
        assert_eq!(quota.used(), 0);
    }

    #[test]
    fn a_smaller_cap_than_before_leaves_nothing_and_takes_nothing_away() {
        let quota = Quota::new(10, 30);
        assert!(!quota.take(1));
        assert_eq!((quota.take_up_to(1), quota.used()), (0, 30));
        quota.give(25);
        assert!(quota.take(5));
    }
}
