//! Whose turn it is. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use exec_protocol::task::{Lane, LaneName};

/// How many tasks of a lane run at a time, where nobody said otherwise.
pub(crate) const DEFAULT_PARALLEL: u32 = 4;

/// A task's number: later submissions have higher ones.
pub(crate) type Number = i64;

/// Lanes with the tasks that wait in them. In a lane those of a higher priority come first, and among them those that were
/// submitted first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lanes: BTreeMap<LaneName, LaneState>,
    /// Where those are that wait, and their places there.
    waiting: BTreeMap<Number, Waiting>,
    /// Those that wait for a time, in Unix milliseconds.
    delayed: BTreeSet<(u64, Number)>,
}

#[derive(Debug)]
struct LaneState {
    max_parallel: u32,
    /// Whether it is there although nothing is in it.
    is_lasting: bool,
    running: BTreeSet<Number>,
    /// Those whose time has come.
    ready: BTreeSet<(Reverse<i32>, Number)>,
    /// How many of it wait for their time.
    delayed: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    lane: LaneName,
    priority: i32,
    not_before: Option<u64>,
}

impl Default for LaneState {
    fn default() -> Self {
        Self {
            max_parallel: DEFAULT_PARALLEL,
            is_lasting: false,
            running: BTreeSet::new(),
            ready: BTreeSet::new(),
            delayed: 0,
        }
    }
}

impl Queue {
    /// Says how many of a lane run at a time.
    pub(crate) fn set_lane(&mut self, lane: &LaneName, max_parallel: u32) {
        let state = self.lanes.entry(lane.clone()).or_default();
        state.max_parallel = max_parallel;
        state.is_lasting = true;
    }

    /// Lets a task wait for its turn, and for its time, if that is not over.
    pub(crate) fn push(&mut self, task: Number, lane: &LaneName, priority: i32, not_before: Option<u64>) {
        let state = self.lanes.entry(lane.clone()).or_default();
        match not_before {
            Some(at) => {
                state.delayed += 1;
                self.delayed.insert((at, task));
            }
            None => {
                state.ready.insert((Reverse(priority), task));
            }
        }
        let waiting = Waiting {
            lane: lane.clone(),
            priority,
            not_before,
        };
        self.waiting.insert(task, waiting);
    }

    /// The next task that may run now, which counts as running from here on.
    pub(crate) fn pop(&mut self, now_ms: u64) -> Option<Number> {
        self.wake(now_ms);
        for state in self.lanes.values_mut() {
            if state.running.len() < state.max_parallel as usize
                && let Some((_, task)) = state.ready.pop_first()
            {
                state.running.insert(task);
                self.waiting.remove(&task);
                return Some(task);
            }
        }
        None
    }

    /// When the next one's time comes, in Unix milliseconds.
    pub(crate) fn next_time(&self) -> Option<u64> {
        self.delayed.first().map(|(at, _)| *at)
    }

    /// Takes back one that waits. False if it does not.
    pub(crate) fn remove(&mut self, task: Number) -> bool {
        let Some(waiting) = self.waiting.remove(&task) else {
            return false;
        };
        let state = self.lanes.entry(waiting.lane.clone()).or_default();
        match waiting.not_before {
            Some(at) => {
                state.delayed -= 1;
                self.delayed.remove(&(at, task));
            }
            None => {
                state.ready.remove(&(Reverse(waiting.priority), task));
            }
        }
        self.tidy(&waiting.lane);
        true
    }

    /// Takes note that one no longer runs.
    pub(crate) fn finish(&mut self, task: Number, lane: &LaneName) {
        if let Some(state) = self.lanes.get_mut(lane) {
            state.running.remove(&task);
        }
        self.tidy(lane);
    }

    /// How many of its lane come before a task that waits, and itself. Those that wait for their time come behind the others.
    pub(crate) fn position(&self, task: Number) -> Option<u64> {
        let waiting = self.waiting.get(&task)?;
        let lane = self.lanes.get(&waiting.lane)?;
        let before = match waiting.not_before {
            None => lane.ready.range(..(Reverse(waiting.priority), task)).count(),
            Some(at) => {
                let earlier = self.delayed.range(..(at, task));
                let of_lane = |(_, other): &&(u64, Number)| {
                    self.waiting
                        .get(other)
                        .is_some_and(|other| other.lane == waiting.lane)
                };
                lane.ready.len() + earlier.filter(of_lane).count()
            }
        };
        Some(before as u64 + 1)
    }

    /// The lanes there are.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        let lane = |(name, state): (&LaneName, &LaneState)| Lane {
            lane: name.clone(),
            max_parallel: state.max_parallel,
            running: state.running.len() as u64,
            queued: state.ready.len() as u64 + state.delayed,
        };
        self.lanes.iter().map(lane).collect()
    }

    /// How many run, and how many wait.
    pub(crate) fn load(&self) -> (usize, usize) {
        let running = self.lanes.values().map(|lane| lane.running.len()).sum();
        (running, self.waiting.len())
    }

    /// Moves those whose time has come.
    fn wake(&mut self, now_ms: u64) {
        while let Some((_, task)) = self.delayed.first().copied().filter(|(at, _)| *at <= now_ms) {
            self.delayed.pop_first();
            if let Some(waiting) = self.waiting.get_mut(&task) {
                waiting.not_before = None;
                let state = self.lanes.entry(waiting.lane.clone()).or_default();
                state.delayed -= 1;
                state.ready.insert((Reverse(waiting.priority), task));
            }
        }
    }

    /// Forgets a lane that nobody made and that nothing is in: their names are the clients'.
    fn tidy(&mut self, lane: &LaneName) {
        let is_empty = |state: &LaneState| {
            !state.is_lasting && state.running.is_empty() && state.ready.is_empty() && state.delayed == 0
        };
        if self.lanes.get(lane).is_some_and(is_empty) {
            self.lanes.remove(lane);
        }
    }
}

#[cfg(test)]
mod tests;
