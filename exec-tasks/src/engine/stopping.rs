//! Somebody's wish that tasks end.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::Uid;
use exec_protocol::process::EndReason;
use exec_protocol::task::{Scope, StopGroupParams, StopGroupResult, StopResult, TaskRef, TaskState};

use super::Engine;
use crate::error::TaskError;
use crate::queue::Number;
use crate::store::{Choice, Order, TaskRow};

/// Somebody's wish that a task end.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopWish {
    /// The client that asked.
    pub(crate) asked_by: Option<Arc<str>>,
    /// From the polite signal to the kill. None: as submitted.
    pub(crate) grace: Option<Duration>,
}

impl Engine {
    /// Asks a task to end, or takes it back if it waits.
    pub(crate) fn stop(&mut self, task: &TaskRef, wish: &StopWish) -> Result<StopResult, TaskError> {
        let task = self.find(task)?;
        let stopped = !task.state.is_ended();
        let task = self.stop_row(task, wish)?;
        Ok(StopResult {
            stopped,
            task: self.record(&task)?,
        })
    }

    /// Asks all tasks of a group to end. No notices are made of that.
    pub(crate) fn stop_group(
        &mut self,
        params: &StopGroupParams,
        wish: &StopWish,
    ) -> Result<StopGroupResult, TaskError> {
        let scope = Scope {
            group: Some(params.group.clone()),
            parent: None,
        };
        let mut result = StopGroupResult {
            stopped: 0,
            cancelled: 0,
        };
        let mut rows = self
            .store
            .choose(&Choice::active(&scope), Order::Newest, u32::MAX)?;
        // Those that wait first, lest they take the places of those that end.
        rows.sort_by_key(|row| row.state != TaskState::Queued);
        for mut task in rows {
            match task.state {
                TaskState::Queued => result.cancelled += 1,
                _ => result.stopped += 1,
            }
            task.is_silent = true;
            self.store.update_task(&task)?;
            self.stop_row(task, wish)?;
        }
        Ok(result)
    }

    /// The process of the running attempt.
    pub(crate) fn running(&self, task: &TaskRef) -> Result<Uid, TaskError> {
        let task = self.find(task)?;
        let live = self.live.get(&task.number).and_then(|live| live.running.as_ref());
        live.map(|running| running.uid()).ok_or(TaskError::NotRunning)
    }

    /// Whether an attempt of it runs.
    pub(super) fn is_live(&self, number: Number) -> bool {
        self.live.contains_key(&number)
    }

    fn stop_row(&mut self, task: TaskRow, wish: &StopWish) -> Result<TaskRow, TaskError> {
        match task.state {
            TaskState::Queued => Ok(self.cancel(task, wish.asked_by.as_deref())?),
            TaskState::Running => {
                if let Some(live) = self.live.get_mut(&task.number) {
                    if let Some(running) = &live.running {
                        running.stop(EndReason::Terminated, wish.asked_by.as_deref(), wish.grace);
                    }
                    live.stop.get_or_insert_with(|| wish.clone());
                }
                Ok(task)
            }
            TaskState::Completed | TaskState::Failed | TaskState::Stopped | TaskState::Interrupted => {
                Ok(task)
            }
        }
    }
}
