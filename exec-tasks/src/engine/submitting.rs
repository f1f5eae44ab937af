//! Tasks that are taken on, and ended ones that are tried again.

use exec_protocol::task::{
    CleanParams, Lane, LaneName, SubmitParams, TaskId, TaskRecord, TaskRef, TaskState,
};

use super::Engine;
use crate::clock::now_ms;
use crate::error::TaskError;
use crate::queue::Number;
use crate::random;
use crate::spec::Spec;
use crate::store::NewTask;

/// Tasks that are kept at a time. Beyond that ended ones go first, by the rules of cleaning.
const MAX_TASKS: u64 = 10_000;

/// Lanes that can be made.
const MAX_LANES: usize = 1_000;

/// Most tasks of a lane that can run at a time.
const MAX_PARALLEL: u32 = 1_000;

/// Bytes of randomness in an id that we make: 48 bits, which are 12 letters and digits to look at.
const ID_BYTES: usize = 6;

impl Engine {
    /// Takes a task on.
    pub(crate) fn submit(&mut self, params: SubmitParams) -> Result<TaskRecord, TaskError> {
        if let Some(key) = &params.submit_key
            && let Some(first) = self.store.task_of_key(key.as_str())?
        {
            return self.record(&first);
        }
        if self.is_stopping {
            return Err(TaskError::ShuttingDown);
        }
        if let Some(id) = &params.task_id
            && self.store.task_called(id.as_str())?.is_some()
        {
            return Err(TaskError::Duplicate(id.clone()));
        }
        let id = match &params.task_id {
            Some(id) => id.clone(),
            None => self.new_id()?,
        };
        let spec = Spec::new(params, id, &self.context.defaults)?;
        self.make_room()?;
        let new = NewTask {
            spec: &spec,
            submitted_at_ms: now_ms(),
            incarnation: &self.context.incarnation,
        };
        let task = self.store.insert_task(&new)?;
        let params = &task.spec.params;
        self.queue
            .push(task.number, &params.lane, params.priority, task.not_before_ms);
        self.go_on();
        self.context.feed.change(task.number);
        self.record_of(task.number)
    }

    /// Makes another attempt of a task that has ended.
    pub(crate) fn retry(&mut self, task: &TaskRef) -> Result<TaskRecord, TaskError> {
        let mut task = self.find(task)?;
        if !task.state.is_ended() || self.live.contains_key(&task.number) {
            return Err(TaskError::NotEnded);
        }
        if self.is_stopping {
            return Err(TaskError::ShuttingDown);
        }
        task.state = TaskState::Queued;
        task.not_before_ms = None;
        task.ended_at_ms = None;
        task.end_reason = None;
        task.ended_by = None;
        task.is_silent = false;
        self.store.update_task(&task)?;
        let params = &task.spec.params;
        self.queue.push(task.number, &params.lane, params.priority, None);
        self.go_on();
        self.context.feed.change(task.number);
        self.record_of(task.number)
    }

    /// The lanes there are.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        self.queue.lanes()
    }

    /// Says how many of a lane may run.
    pub(crate) fn set_lane(&mut self, lane: &LaneName, max_parallel: u32) -> Result<(), TaskError> {
        if max_parallel > MAX_PARALLEL {
            return Err(TaskError::invalid(
                "maxParallel",
                format!("more than {MAX_PARALLEL}"),
            ));
        }
        let made = self.store.lanes()?;
        if made.len() >= MAX_LANES && !made.iter().any(|(name, _)| name == lane) {
            return Err(TaskError::invalid(
                "lane",
                format!("there are {MAX_LANES} lanes already"),
            ));
        }
        self.store.put_lane(lane, max_parallel)?;
        self.queue.set_lane(lane, max_parallel);
        Ok(())
    }

    /// Sees to it that there is room for another task.
    fn make_room(&mut self) -> Result<(), TaskError> {
        if self.store.count_tasks()? < MAX_TASKS {
            return Ok(());
        }
        self.clean(&CleanParams::default())?;
        if self.store.count_tasks()? < MAX_TASKS {
            return Ok(());
        }
        Err(TaskError::TooMany)
    }

    /// An id that no task has.
    fn new_id(&self) -> Result<TaskId, TaskError> {
        loop {
            let name = random::name(ID_BYTES).map_err(TaskError::Os)?;
            let id = TaskId::new(&name).expect("12 digits are an id");
            if self.store.task_called(id.as_str())?.is_none() {
                return Ok(id);
            }
        }
    }

    fn record_of(&self, number: Number) -> Result<TaskRecord, TaskError> {
        let task = self.store.task(number)?;
        let task = task.ok_or_else(|| TaskError::Unknown(number.to_string()))?;
        self.record(&task)
    }
}
