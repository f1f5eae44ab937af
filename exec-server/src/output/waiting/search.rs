//! A pattern that is looked for in what a process says.

use std::sync::Arc;

use exec_protocol::process::Stream;
use tokio::task::coop::consume_budget;
use tokio::task::yield_now;

use super::super::pattern::{Fed, Found, Pattern, Scanner, Surroundings};
use super::super::ring::{Cursor, Ring};
use super::super::{OutputLog, State};
use super::Outcome;

/// How far the beginning of a line is looked for among the output of other streams, in bytes: a ring of the default size.
const REACH_BYTES: u64 = 1 << 20;

/// How far a pattern was looked for.
#[derive(Debug)]
pub(super) struct Search {
    scanner: Scanner,
    stream: Option<Stream>,
    /// Where it began.
    from: u64,
    /// Where it goes on.
    at: u64,
    /// The end of the last byte that the pattern was shown.
    shown: Cursor,
    /// The longest text of a match.
    text_bytes: usize,
}

/// What came of one go.
#[derive(Debug)]
pub(super) enum Step {
    Over(Outcome),
    More,
    /// It was not there so far.
    Nothing,
}

impl Search {
    /// Begins at a position.
    pub(super) fn new(
        pattern: Arc<Pattern>,
        stream: Option<Stream>,
        from: Cursor,
        text_bytes: usize,
    ) -> Self {
        Self {
            scanner: Scanner::new(pattern),
            stream,
            from: from.offset,
            at: from.offset,
            shown: from,
            text_bytes,
        }
    }

    /// Looks at everything that is there now. None if it does not match, and more may come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it goes on where it was.
    pub(super) async fn look(&mut self, log: &OutputLog) -> Option<Outcome> {
        let to = log.lock().ring.end().offset;
        loop {
            // Many processes may have something to look at.
            consume_budget().await;
            let step = self.go(&mut log.lock(), to);
            match step {
                Step::Over(outcome) => return Some(outcome),
                Step::Nothing => return None,
                Step::More => yield_now().await,
            }
        }
    }

    /// Whether there is something to look at.
    pub(super) fn is_news(&self, state: &State) -> bool {
        state.ring.end().offset > self.at || state.will_say_nothing().is_some()
    }

    /// Looks at so much that others need not wait long for the lock, and not beyond `to`.
    pub(super) fn go(&mut self, state: &mut State, to: u64) -> Step {
        if state.is_discarded || self.at < state.ring.evicted().offset {
            return Step::Over(Outcome::Evicted);
        }
        if self.show(&state.ring, to) || (self.at >= to && self.scanner.matches_at_end()) {
            let around = self.surroundings(&state.ring);
            // What is told no longer grows.
            state.ring.seal();
            let found = Found::new(Arc::clone(self.scanner.pattern()), around);
            return Step::Over(Outcome::Fired {
                at: self.shown,
                found: Some(Box::new(found)),
            });
        }
        if self.at < to {
            return Step::More;
        }
        match state.will_say_nothing() {
            Some(_) if self.at < state.ring.end().offset => Step::Nothing,
            Some(outcome) => Step::Over(outcome),
            None => Step::Nothing,
        }
    }

    /// Shows the pattern what is next. True if a match ends at what was shown last.
    fn show(&mut self, ring: &Ring, to: u64) -> bool {
        let mut go = self.scanner.pattern().go();
        for entry in ring.peek_from(self.at) {
            let bytes = &entry.bytes[..length(to - self.at).min(entry.bytes.len())];
            let behind = |length: usize| Cursor {
                seq: entry.seq,
                offset: entry.offset + length as u64,
            };
            let taken = if self.stream.is_none_or(|stream| stream == entry.stream) {
                match self.scanner.feed(bytes, &mut go) {
                    Fed::Match(0) => return true,
                    Fed::Match(before) => {
                        self.shown = behind(before);
                        return true;
                    }
                    Fed::Taken(0) => break,
                    Fed::Taken(taken) => {
                        self.shown = behind(taken);
                        taken
                    }
                }
            } else {
                go.pass_over(bytes.len())
            };
            self.at = behind(taken).offset;
            if taken < bytes.len() || self.at == to {
                break;
            }
        }
        false
    }

    /// What lies around the end of the match that was found last: as much as its text may have, on either side.
    fn surroundings(&self, ring: &Ring) -> Surroundings {
        let end = self.shown.offset;
        let reach = match self.stream {
            Some(_) => REACH_BYTES,
            None => self.text_bytes as u64,
        };
        let mut begin = end.saturating_sub(reach).max(ring.first().1);
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        // How many of those before were not shown.
        let mut unseen = 0;
        for entry in ring.peek_from(begin) {
            if self.stream.is_some_and(|stream| stream != entry.stream) {
                continue;
            }
            let until = |offset: u64| length(offset.saturating_sub(entry.offset)).min(entry.bytes.len());
            let (here, rest) = entry.bytes.split_at(until(end));
            before.extend_from_slice(here);
            unseen += until(self.from.min(end));
            if before.len() >= 2 * self.text_bytes.max(1) {
                let too_many = before.len() - self.text_bytes;
                before.drain(..too_many);
                unseen = unseen.saturating_sub(too_many);
                begin = u64::MAX;
            }
            let room = self.text_bytes - behind.len();
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            behind.extend_from_slice(&rest[..line.min(room)]);
            if behind.len() == self.text_bytes || behind.last() == Some(&b'\n') {
                break;
            }
        }
        let is_cut = unseen == 0 && begin > self.from;
        let end = before.len();
        before.append(&mut behind);
        Surroundings {
            bytes: before,
            end,
            seen_from: unseen,
            is_cut,
        }
    }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
