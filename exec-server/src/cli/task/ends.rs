//! The ends of the tasks that are waited for, as far as they have come.

use exec_protocol::process::WaitMode;
use exec_protocol::task::{TaskId, TaskRecord, TaskRef, WaitResult};

use super::exit::{code_of, first_failure};
use crate::cli::FAILURE;

/// Most tasks that one call waits for.
const MAX_TASKS: usize = 1000;

/// What has ended and what has not.
#[derive(Debug, Default)]
pub(super) struct Ends {
    settled: Vec<TaskRecord>,
    pending: Vec<TaskId>,
    removed: Vec<TaskId>,
}

impl Ends {
    /// Takes the ids for the next call out of those that are pending; its answer brings back what has not ended.
    pub(super) fn next_call(&mut self) -> Vec<TaskRef> {
        let count = self.pending.len().min(MAX_TASKS);
        self.pending.drain(..count).map(TaskRef::from).collect()
    }

    /// Takes an answer in. Those that it settles are given back, once each.
    pub(super) fn take_in(&mut self, answer: WaitResult) -> &[TaskRecord] {
        let known = self.settled.len();
        for task in answer.settled {
            if !self.settled.iter().any(|other| other.task_id == task.task_id) {
                self.settled.push(task);
            }
        }
        // Behind those that this call was not about: they come next.
        self.pending.extend(answer.pending);
        self.removed.extend(answer.removed);
        &self.settled[known..]
    }

    /// Whether nothing more is waited for.
    pub(super) fn are_enough(&self, mode: WaitMode) -> bool {
        self.pending.is_empty() || (mode == WaitMode::Any && !self.settled.is_empty())
    }

    /// Those that have not ended.
    pub(super) fn pending(&self) -> &[TaskId] {
        &self.pending
    }

    /// Those that are gone, so that nobody knows how they ended.
    pub(super) fn removed(&self) -> &[TaskId] {
        &self.removed
    }

    /// How many have ended.
    pub(super) fn ended(&self) -> usize {
        self.settled.len() + self.removed.len()
    }

    /// The first exit code that is not 0, in the order in which the tasks were named; those that were not come last.
    pub(super) fn exit_code(&self, named: &[TaskRef]) -> u8 {
        let settled = self.settled.iter().map(|task| (&task.task_id, code_of(task)));
        let removed = self.removed.iter().map(|id| (id, FAILURE));
        let mut codes: Vec<_> = settled.chain(removed).collect();
        // Stable: those with the same place stay in the order in which they ended.
        codes.sort_by_key(|(id, _)| place(id, named));
        first_failure(codes.into_iter().map(|(_, code)| code))
    }

    /// Everything as one answer.
    pub(super) fn into_answer(self, timed_out: bool) -> WaitResult {
        WaitResult {
            settled: self.settled,
            pending: self.pending,
            removed: self.removed,
            timed_out,
        }
    }
}

/// Where a task was named. An id that begins with the name of another task may be named, too.
fn place(id: &TaskId, named: &[TaskRef]) -> usize {
    let by_whole_id = named.iter().position(|name| name.as_str() == id.as_str());
    let by_beginning = || {
        named
            .iter()
            .position(|name| id.as_str().starts_with(name.as_str()))
    };
    by_whole_id.or_else(by_beginning).unwrap_or(named.len())
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::TaskState;

    use super::*;
    use crate::cli::task::sample;

    fn names(names: &[&str]) -> Vec<TaskRef> {
        names.iter().map(|name| TaskRef::new(name).unwrap()).collect()
    }

    fn failed(id: &str, code: i32) -> TaskRecord {
        let mut task = sample::task(id);
        (task.state, task.exit_code) = (TaskState::Failed, Some(code));
        task
    }

    fn answer(settled: Vec<TaskRecord>, pending: &[&str], removed: &[&str]) -> WaitResult {
        let ids = |ids: &[&str]| ids.iter().map(|id| TaskId::new(id).unwrap()).collect();
        WaitResult {
            settled,
            pending: ids(pending),
            removed: ids(removed),
            timed_out: !pending.is_empty(),
        }
    }

    #[test]
    fn the_first_failure_is_the_first_that_was_named() {
        let mut ends = Ends::default();
        assert_eq!(
            ends.take_in(answer(vec![failed("b1", 3)], &["a1", "c"], &[]))
                .len(),
            1
        );
        assert!(!ends.are_enough(WaitMode::All) && ends.are_enough(WaitMode::Any));
        assert_eq!(ends.next_call(), names(&["a1", "c"]));
        let all = ends.take_in(answer(vec![failed("a1", 2), sample::task("c")], &[], &[]));
        assert_eq!(all.len(), 2);
        assert!(ends.are_enough(WaitMode::All));
        assert_eq!(ends.ended(), 3);
        for (order, code) in [(["c", "a", "b"], 2), (["b", "c", "a"], 3)] {
            assert_eq!(ends.exit_code(&names(&order)), code, "{order:?}");
        }
        // A group names nobody.
        assert_eq!(ends.exit_code(&[]), 3);
    }

    #[test]
    fn a_whole_id_goes_before_a_beginning() {
        let mut ends = Ends::default();
        ends.take_in(answer(vec![failed("ab", 2), failed("a", 3)], &[], &[]));
        assert_eq!(ends.exit_code(&names(&["a", "ab"])), 3);
        assert_eq!(ends.exit_code(&names(&["ab", "a"])), 2);
    }

    #[test]
    fn a_task_that_is_gone_is_no_success() {
        let mut ends = Ends::default();
        ends.take_in(answer(vec![sample::task("a")], &[], &["b"]));
        assert!(ends.are_enough(WaitMode::All));
        assert_eq!(ends.exit_code(&names(&["a", "b"])), FAILURE);
    }

    #[test]
    fn more_than_a_call_takes_are_asked_in_turns() {
        let ids: Vec<_> = (0..1500).map(|number| format!("t{number}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let mut ends = Ends::default();
        ends.take_in(answer(Vec::new(), &ids, &[]));
        let first = ends.next_call();
        assert_eq!((first.len(), ends.pending().len()), (1000, 500));
        ends.take_in(answer(Vec::new(), &ids[..1000], &[]));
        assert_eq!(ends.next_call()[0].as_str(), "t1000");
    }
}
