//! What has changed, for those who want to be told.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

use crate::queue::Number;

/// Tasks whose last change is remembered. One that has not changed for so many others is told with its next.
const REMEMBERED_CHANGES: usize = 10_000;

/// Ends that are remembered for those who are slow to be told of them.
const REMEMBERED_ENDS: usize = 65_536;

/// What has changed. A reader has a position in it, and is never waited for.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    ends: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    changes: BTreeMap<u64, Number>,
    /// Where in `changes` a task is.
    places: HashMap<Number, u64>,
    ends: VecDeque<Ended>,
    last_end: u64,
}

/// An end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) task: Number,
    /// 0 if the task ended without one.
    pub(crate) attempt: u32,
}

/// How far a reader has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    change: u64,
    end: u64,
}

/// What is new behind a position.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Tasks that have changed, each once.
    pub(crate) changed: Vec<Number>,
    /// Ends, each of them, in their order.
    pub(crate) ended: Vec<Ended>,
}

impl Feed {
    /// Takes note that a task has changed.
    pub(crate) fn change(&self, task: Number) {
        let mut state = self.lock();
        state.last += 1;
        let now = state.last;
        if let Some(before) = state.places.insert(task, now) {
            state.changes.remove(&before);
        }
        state.changes.insert(now, task);
        if state.changes.len() > REMEMBERED_CHANGES
            && let Some((_, oldest)) = state.changes.pop_first()
        {
            state.places.remove(&oldest);
        }
        drop(state);
        self.changes.send_replace(now);
    }

    /// Takes note of an end.
    pub(crate) fn end(&self, ended: Ended) {
        self.change(ended.task);
        let mut state = self.lock();
        state.last_end += 1;
        let now = state.last_end;
        state.ends.push_back(ended);
        if state.ends.len() > REMEMBERED_ENDS {
            state.ends.pop_front();
        }
        drop(state);
        self.ends.send_replace(now);
    }

    /// Where a reader begins that wants what comes from now on.
    pub(crate) fn position(&self) -> Position {
        let state = self.lock();
        Position {
            change: state.last,
            end: state.last_end,
        }
    }

    /// What is new since `position`, which moves on.
    pub(crate) fn news(&self, position: &mut Position) -> News {
        let state = self.lock();
        let changed = state.changes.range(position.change + 1..);
        let new_ends = usize::try_from(state.last_end - position.end).unwrap_or(usize::MAX);
        if new_ends > state.ends.len() {
            tracing::debug!(
                missed = new_ends - state.ends.len(),
                "somebody is too slow to be told of ends"
            );
        }
        let first = state.ends.len().saturating_sub(new_ends);
        let news = News {
            changed: changed.map(|(_, task)| *task).collect(),
            ended: state.ends.range(first..).copied().collect(),
        };
        *position = Position {
            change: state.last,
            end: state.last_end,
        };
        news
    }

    /// Says when something changes, from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Says when something ends, or is removed, from now on.
    pub(crate) fn ends(&self) -> watch::Receiver<u64> {
        self.ends.subscribe()
    }

    /// Lets those look again who wait for ends: there is a task less.
    pub(crate) fn remove(&self, task: Number) {
        let mut state = self.lock();
        if let Some(place) = state.places.remove(&task) {
            state.changes.remove(&place);
        }
        drop(state);
        self.ends.send_modify(|_| {});
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_changed_often_is_told_once_and_each_end_is_told() {
        let feed = Feed::default();
        feed.change(1);
        let mut position = feed.position();
        for task in [1, 2, 1] {
            feed.change(task);
        }
        let ended = Ended { task: 1, attempt: 1 };
        feed.end(ended);
        feed.end(Ended { attempt: 2, ..ended });
        let news = feed.news(&mut position);
        assert_eq!(news.changed, [2, 1]);
        assert_eq!(news.ended, [ended, Ended { attempt: 2, ..ended }]);
        assert_eq!(feed.news(&mut position), News::default());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let feed = Feed::default();
        let mut position = feed.position();
        for task in 0..100_000 {
            feed.end(Ended { task, attempt: 1 });
        }
        let news = feed.news(&mut position);
        assert_eq!(
            (news.changed.len(), news.ended.len()),
            (REMEMBERED_CHANGES, REMEMBERED_ENDS)
        );
        assert_eq!(news.ended.last().map(|ended| ended.task), Some(99_999));
        assert_eq!(feed.lock().places.len(), REMEMBERED_CHANGES);
    }
}
