//! What is to be written, and what is to be told of what is not (pure).

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::site::{Admission, Site};
use crate::limits::LOG_QUEUE_BYTES;

/// How long after a failure it is tried again to tell that lines were lost, if there is nothing else to say.
///
/// A full disk stays full for minutes. The next line tries as well, whenever it comes.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// The lines that wait to be written, and counts of those that were left out or lost. `S` names a place in the code.
///
/// # Invariants
///
/// * The lines that wait have at most [`LOG_QUEUE_BYTES`] together.
/// * Whatever was said is in one of four places: written, waiting, left out and to be told, or lost and to be told.
#[derive(Debug)]
pub(super) struct Backlog<S> {
    /// One for each place that has said something: there are no more of them than the program has.
    sites: HashMap<S, Told>,
    queue: VecDeque<Entry>,
    queued_bytes: usize,
    lost: u64,
    /// Not before then is it told what was lost. None: at once.
    tell_lost_at: Option<Instant>,
    /// What was left out is told without waiting for quiet.
    is_ending: bool,
}

/// A place, and what it said last.
#[derive(Debug, Default)]
struct Told {
    site: Site,
    message: String,
}

/// A line, and for how many things that were said it stands: itself and those of which it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: String,
    pub(super) stands_for: u64,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<S> {
    /// This is to be written.
    Line(Entry),
    /// It is to be told that so many lines of a place were left out.
    LeftOut {
        /// The place.
        site: S,
        /// The last message that was logged from there.
        message: String,
        /// How many like it were not.
        lines: u64,
    },
    /// It is to be told that so many lines were lost.
    Lost(u64),
    /// Nothing, until somebody has something to say, or until then.
    Wait(Option<Instant>),
}

impl<S> Default for Backlog<S> {
    fn default() -> Self {
        Self {
            sites: HashMap::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            lost: 0,
            tell_lost_at: None,
            is_ending: false,
        }
    }
}

impl<S: Copy + Eq + Hash> Backlog<S> {
    /// A place has something to say. If it is to be said, it follows by [`push`](Self::push).
    pub(super) fn admit(&mut self, site: S, now: Instant) -> Admission {
        self.sites.entry(site).or_default().site.admit(now)
    }

    /// Takes what an admitted place says. Without room it is lost, and counted.
    pub(super) fn push(&mut self, site: S, message: &str, entry: Entry) {
        message.clone_into(&mut self.sites.entry(site).or_default().message);
        self.push_anyhow(entry);
    }

    /// Takes a line from no place in particular.
    pub(super) fn push_anyhow(&mut self, entry: Entry) {
        // Somebody may have made room where the lines go.
        self.tell_lost_at = None;
        if self.queued_bytes + entry.line.len() > LOG_QUEUE_BYTES {
            self.lost += entry.stands_for;
            return;
        }
        self.queued_bytes += entry.line.len();
        self.queue.push_back(entry);
    }

    /// From now on nothing is waited for: it is told what was left out.
    pub(super) fn end(&mut self) {
        self.is_ending = true;
        self.tell_lost_at = None;
    }

    /// What is to be done. Whoever does it and fails has to [say so](Self::failed).
    pub(super) fn next(&mut self, now: Instant) -> Next<S> {
        if let Some(entry) = self.queue.pop_front() {
            self.queued_bytes -= entry.line.len();
            return Next::Line(entry);
        }
        if self.lost > 0 && self.tell_lost_at.is_none_or(|at| at <= now) {
            return Next::Lost(std::mem::take(&mut self.lost));
        }
        let tell_lost_at = self.tell_lost_at.filter(|_| self.lost > 0);
        let due = self
            .sites
            .iter_mut()
            .filter_map(|(site, told)| Some((told.site.tell_at()?, site, told)))
            .min_by_key(|(tell_at, ..)| *tell_at);
        match due {
            Some((tell_at, site, told)) if tell_at <= now || self.is_ending => Next::LeftOut {
                site: *site,
                message: told.message.clone(),
                lines: told.site.tell(now),
            },
            due => Next::Wait(
                due.map(|(tell_at, ..)| tell_at)
                    .into_iter()
                    .chain(tell_lost_at)
                    .min(),
            ),
        }
    }

    /// What was to be done could be: what was lost before can be told.
    pub(super) fn worked(&mut self) {
        self.tell_lost_at = None;
    }

    /// What was to be done could not be, and with it so much is lost.
    pub(super) fn failed(&mut self, stood_for: u64, now: Instant) {
        self.lost += stood_for;
        self.tell_lost_at = Some(now + TELL_AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(bytes: usize, stands_for: u64) -> Entry {
        Entry {
            line: "x".repeat(bytes),
            stands_for,
        }
    }

    fn stands_for(next: &Next<u8>) -> u64 {
        match next {
            Next::Line(entry) => entry.stands_for,
            Next::LeftOut { lines, .. } | Next::Lost(lines) => *lines,
            Next::Wait(_) => 0,
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Say { site: u8, times: u64, bytes: usize },
        Write { works: bool },
        Pass { ms: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3_u8, 1..20_u64, 1..LOG_QUEUE_BYTES / 2).prop_map(|(site, times, bytes)| Step::Say {
                site,
                times,
                bytes
            }),
            any::<bool>().prop_map(|works| Step::Write { works }),
            (0..3_000_u64).prop_map(|ms| Step::Pass { ms }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_lost_without_being_told(steps in prop::collection::vec(step(), 0..100)) {
            let mut now = Instant::now();
            let mut backlog = Backlog::default();
            let (mut said, mut told) = (0, 0);
            for step in steps {
                match step {
                    Step::Say { site, times, bytes } => {
                        said += times;
                        for _ in 0..times {
                            if let Admission::Said { left_out } = backlog.admit(site, now) {
                                backlog.push(site, "", entry(bytes, 1 + left_out));
                            }
                        }
                        prop_assert!(backlog.queue.iter().map(|entry| entry.line.len()).sum::<usize>() <= LOG_QUEUE_BYTES);
                    }
                    Step::Write { works } => {
                        let count = stands_for(&backlog.next(now));
                        if works { told += count } else if count > 0 { backlog.failed(count, now) }
                    }
                    Step::Pass { ms } => now += Duration::from_millis(ms),
                }
            }
            backlog.end();
            loop {
                match backlog.next(now) {
                    Next::Wait(until) => {
                        prop_assert_eq!(until, None);
                        break;
                    }
                    next => told += stands_for(&next),
                }
            }
            prop_assert_eq!(said, told);
        }
    }

    #[test]
    fn what_was_left_out_is_told_after_a_quiet_second() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        let mut admitted = 0;
        while let Admission::Said { .. } = backlog.admit(1, start) {
            backlog.push(1, "it is so", entry(1, 1));
            admitted += 1;
        }
        for _ in 0..admitted {
            assert_eq!(backlog.next(start), Next::Line(entry(1, 1)));
        }
        let Next::Wait(Some(until)) = backlog.next(start) else {
            panic!("something is to be told")
        };
        assert!(until > start);
        let told = Next::LeftOut {
            site: 1,
            message: "it is so".to_owned(),
            lines: 1,
        };
        assert_eq!(backlog.next(until), told);
        assert_eq!(backlog.next(until), Next::Wait(None));
    }

    #[test]
    fn what_was_lost_is_told_when_there_is_something_else_to_say_or_after_a_while() {
        let start = Instant::now();
        let mut backlog = Backlog::<u8>::default();
        backlog.failed(3, start);
        assert_eq!(backlog.next(start), Next::Wait(Some(start + TELL_AGAIN)));
        assert_eq!(backlog.next(start + TELL_AGAIN), Next::Lost(3));
        backlog.failed(3, start);
        backlog.push_anyhow(entry(1, 1));
        assert_eq!(backlog.next(start), Next::Line(entry(1, 1)));
        assert_eq!(backlog.next(start), Next::Lost(3));
        assert_eq!(backlog.next(start), Next::Wait(None));
    }
}
