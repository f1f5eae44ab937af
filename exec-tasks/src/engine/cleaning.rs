//! Tasks that go for good.

use exec_protocol::Group;
use exec_protocol::task::{CleanParams, CleanResult, TaskId, TaskRef};

use super::Engine;
use crate::clock::now_ms;
use crate::error::TaskError;
use crate::log;
use crate::queue::Number;
use crate::state_dir::logs_of;

/// How old ended tasks become, in milliseconds: 7 days.
const OLD_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// How many ended tasks each group keeps.
const KEPT_PER_GROUP: u32 = 100;

impl Engine {
    /// Deletes ended tasks that are old, or too many.
    pub(crate) fn clean(&mut self, params: &CleanParams) -> Result<CleanResult, TaskError> {
        let before = now_ms().saturating_sub(params.older_than_ms.unwrap_or(OLD_MS));
        let keep = params.keep_per_group.unwrap_or(KEPT_PER_GROUP);
        let group = params.group.as_ref().map(Group::as_str);
        // One that ended just now is as old as nothing.
        let superfluous = self.store.superfluous(group, before.saturating_add(1), keep)?;
        let mut result = CleanResult {
            removed: 0,
            freed_bytes: 0,
        };
        for (number, id) in superfluous {
            if self.is_live(number) {
                continue;
            }
            result.freed_bytes += self.delete(number, &id)?;
            result.removed += 1;
        }
        self.store.forget_servers(&self.context.incarnation)?;
        Ok(result)
    }

    /// Deletes a task that has ended, with its notices. False if it has not.
    pub(crate) fn remove(&mut self, task: &TaskRef) -> Result<bool, TaskError> {
        let task = self.find(task)?;
        if !task.state.is_ended() || self.is_live(task.number) {
            return Ok(false);
        }
        self.delete(task.number, &task.spec.id)?;
        self.store.delete_notices(&task.spec.id)?;
        Ok(true)
    }

    /// Deletes record and output, and says how much that was, in bytes.
    fn delete(&mut self, number: Number, id: &TaskId) -> Result<u64, TaskError> {
        // The record first: without one, what is left of the output goes at the next start.
        self.store.delete_task(number)?;
        self.context.feed.remove(number);
        let freed = log::remove(&logs_of(&self.context.logs, id)).unwrap_or_else(|error| {
            tracing::warn!(%error, "the output of a task cannot be deleted");
            0
        });
        self.context.quota.give(freed);
        Ok(freed)
    }
}
