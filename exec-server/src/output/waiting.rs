//! Waiting for what a process does, beside reading what it says.

mod search;

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::Stream;
use tokio::time::Instant;

use super::pattern::{Found, Pattern};
use super::ring::Cursor;
use super::{OutputLog, ReadError, State, wait_until};
use crate::deadline::until;
use search::Search;

/// What is waited for.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// The leader has ended.
    Exited,
    /// No output will follow.
    Closed,
    /// Output to this stream, or to any.
    Output(Option<Stream>),
    /// Output to this stream, or to any, that matches.
    Pattern(Arc<Pattern>, Option<Stream>),
    /// No output for so long.
    Silent(Duration),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has become so there; with a match, if it is one.
    Fired { at: Cursor, found: Option<Box<Found>> },
    /// It cannot become so: no output will follow.
    Closed,
    /// Nobody can tell any more: output was dropped that was not looked at.
    Evicted,
}

/// Somebody who waits for one process.
#[derive(Debug)]
pub(crate) struct Watch {
    log: Arc<OutputLog>,
    goal: Goal,
}

/// What is waited for, and how far it was looked for.
#[derive(Debug)]
enum Goal {
    Exited,
    Closed,
    /// Behind this offset.
    Output(Option<Stream>, u64),
    Pattern(Box<Search>),
    Silent(Duration),
}

impl OutputLog {
    /// Waits for this, beginning at `from` where output is concerned: without it a pattern is looked for in everything, and
    /// output counts from now on. Of a match at most `text_bytes` are told.
    ///
    /// # Errors
    ///
    /// [`ReadError::OffsetAhead`] if `from` lies beyond the end.
    pub(crate) fn watch(
        self: &Arc<Self>,
        condition: &Condition,
        from: Option<u64>,
        text_bytes: usize,
    ) -> Result<Watch, ReadError> {
        let goal = Goal::new(&self.lock(), condition, from, text_bytes)?;
        let log = Arc::clone(self);
        Ok(Watch { log, goal })
    }
}

impl Watch {
    /// Looks at what there is. None if there is something left to wait for.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it goes on where it was.
    pub(crate) async fn look(&mut self) -> Option<Outcome> {
        match &mut self.goal {
            Goal::Pattern(search) => search.look(&self.log).await,
            goal => goal.check(&mut self.log.lock()),
        }
    }

    /// Waits until it is so, or cannot become so.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it goes on where it was. What was found is lost with the future that found it.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.look().await {
                return outcome;
            }
            self.news().await;
        }
    }

    /// Waits until there may be something to look at.
    async fn news(&mut self) {
        let log = &self.log;
        match &mut self.goal {
            Goal::Pattern(search) => {
                let is_news = |state: &mut State| search.is_news(state).then_some(());
                wait_until(&log.state, State::reader_list, is_news).await;
            }
            Goal::Silent(duration) => {
                let due = log.lock().silent_since().checked_add(*duration);
                let has_ended = |state: &mut State| state.will_say_nothing().map(drop);
                tokio::select! {
                    () = wait_until(&log.state, State::reader_list, has_ended) => {}
                    // Only now it is looked at whether there was output meanwhile.
                    () = until(due) => {}
                }
            }
            goal => {
                let is_decided = |state: &mut State| goal.check(state).map(drop);
                wait_until(&log.state, State::reader_list, is_decided).await;
            }
        }
    }
}

impl Goal {
    fn new(
        state: &State,
        condition: &Condition,
        from: Option<u64>,
        text_bytes: usize,
    ) -> Result<Self, ReadError> {
        let end = state.ring.end().offset;
        let within = |from: u64| match from {
            after if after > end => Err(ReadError::OffsetAhead { after, end }),
            _ => Ok(from),
        };
        Ok(match condition {
            Condition::Exited => Self::Exited,
            Condition::Closed => Self::Closed,
            Condition::Output(stream) => Self::Output(*stream, within(from.unwrap_or(end))?),
            Condition::Pattern(pattern, stream) => {
                let from = state.ring.after_offset(within(from.unwrap_or(0))?);
                let search = Search::new(Arc::clone(pattern), *stream, from, text_bytes);
                Self::Pattern(Box::new(search))
            }
            Condition::Silent(duration) => Self::Silent(*duration),
        })
    }

    /// Looks at the state once. A pattern is looked for elsewhere.
    fn check(&mut self, state: &mut State) -> Option<Outcome> {
        let end = state.ring.end();
        let at = match self {
            Self::Exited => state.ends.exit.as_ref().map(|exit| Cursor {
                seq: exit.seq,
                offset: exit.offset,
            }),
            Self::Closed => state.ends.closed.as_ref().map(|closed| Cursor {
                seq: closed.seq,
                ..end
            }),
            Self::Output(stream, from) => match first_output(state, *stream, from) {
                Some(Ok(at)) => Some(at),
                Some(Err(outcome)) => return Some(outcome),
                None => None,
            },
            Self::Silent(duration) => {
                let is_due = state.silent_since().elapsed() >= *duration;
                (is_due && state.will_say_nothing().is_none()).then_some(end)
            }
            Self::Pattern(_) => None,
        };
        match at {
            Some(at) => {
                // What is told no longer grows.
                state.ring.seal();
                Some(Outcome::Fired { at, found: None })
            }
            None => state.will_say_nothing(),
        }
    }
}

/// The first output behind `from`, which is moved over what is of no interest; an outcome if nobody can tell.
fn first_output(state: &State, stream: Option<Stream>, from: &mut u64) -> Option<Result<Cursor, Outcome>> {
    let is_lost = *from < state.ring.evicted().offset;
    match stream {
        // There was some, whatever it was.
        None if is_lost => {
            let before = state.ring.after_offset(*from);
            return Some(Ok(Cursor {
                seq: before.seq.next(),
                ..before
            }));
        }
        Some(_) if is_lost => return Some(Err(Outcome::Evicted)),
        None | Some(_) => {}
    }
    for entry in state.ring.peek_from(*from) {
        if stream.is_none_or(|stream| stream == entry.stream) {
            return Some(Ok(Cursor {
                seq: entry.seq,
                offset: entry.offset,
            }));
        }
        *from = entry.end().offset;
    }
    None
}

impl State {
    /// When there was output last, or when the process began.
    fn silent_since(&self) -> Instant {
        self.last_output.unwrap_or(self.begun)
    }

    /// Why nothing will happen any more, if so.
    fn will_say_nothing(&self) -> Option<Outcome> {
        if self.is_discarded {
            Some(Outcome::Evicted)
        } else {
            self.ends.closed.as_ref().map(|_| Outcome::Closed)
        }
    }
}

#[cfg(test)]
mod tests;
