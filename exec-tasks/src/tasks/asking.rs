//! What clients ask for, method by method.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::Uid;
use exec_protocol::process::WaitMode;
use exec_protocol::task::{
    AckParams, AckResult, CleanParams, CleanResult, LanesParams, LanesResult, ListParams, ListResult,
    NoticesResult, RemoveResult, Scope, StopGroupParams, StopGroupResult, StopParams, StopResult,
    SubmitParams, SummaryResult, TaskId, TaskRecord, TaskRef, WaitParams, WaitResult,
};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::Tasks;
use crate::engine::{Engine, StopWish};
use crate::error::TaskError;

/// Tasks that one wait may be about.
const MAX_WAITED_FOR: usize = 1_000;

/// A time that a client gave, in milliseconds, is a year at most.
const MAX_TIME_MS: u64 = 365 * 24 * 60 * 60 * 1000;

impl Tasks {
    /// Takes a task on. It is kept once this has answered.
    ///
    /// # Errors
    ///
    /// A [`TaskError`], as in each of these; nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// As each of these: it has its place in the order once it was polled, and is carried out once the engine has it; what it
    /// answers is lost.
    pub async fn submit(&self, params: SubmitParams) -> Result<TaskRecord, TaskError> {
        self.call(move |engine| engine.submit(params)).await
    }

    /// The record of a task.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn get(&self, task: TaskRef) -> Result<TaskRecord, TaskError> {
        self.look(move |engine| engine.get(&task)).await
    }

    /// A page of tasks.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn list(&self, params: ListParams) -> Result<ListResult, TaskError> {
        self.look(move |engine| engine.list(&params)).await
    }

    /// How the tasks of a scope are doing.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn summary(&self, scope: Scope) -> Result<SummaryResult, TaskError> {
        self.look(move |engine| engine.summary(&scope)).await
    }

    /// Another attempt of an ended task.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn retry(&self, task: TaskRef) -> Result<TaskRecord, TaskError> {
        self.call(move |engine| engine.retry(&task)).await
    }

    /// Asks a task to end.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn stop(&self, client: Arc<str>, params: StopParams) -> Result<StopResult, TaskError> {
        let wish = wish(client, params.grace_ms);
        self.call(move |engine| engine.stop(&params.task_id, &wish)).await
    }

    /// Ends a task and deletes it.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit); the task may have been stopped.
    pub async fn remove(&self, client: Arc<str>, params: StopParams) -> Result<RemoveResult, TaskError> {
        let mut ends = self.context().await?.feed.ends();
        let task = params.task_id;
        let task_id = self.call(move |engine| engine.id(&task)).await?;
        let task = TaskRef::from(task_id.clone());
        loop {
            ends.mark_unchanged();
            let (task, wish) = (task.clone(), wish(Arc::clone(&client), params.grace_ms));
            let remove = move |engine: &mut Engine| {
                if engine.remove(&task)? {
                    return Ok(true);
                }
                // Again and again: it may be one that a policy tries again.
                engine.stop(&task, &wish).map(|_| false)
            };
            if self.call(remove).await? {
                return Ok(RemoveResult { task_id });
            }
            ends.changed().await.map_err(|_| TaskError::ShuttingDown)?;
        }
    }

    /// Ends all tasks of a group, and waits for that.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit); some tasks may have been stopped.
    pub async fn stop_group(
        &self,
        client: Arc<str>,
        params: StopGroupParams,
    ) -> Result<StopGroupResult, TaskError> {
        let mut ends = self.context().await?.feed.ends();
        let scope = Scope {
            group: Some(params.group.clone()),
            parent: None,
        };
        let mut result = None;
        loop {
            ends.mark_unchanged();
            let (params, wish) = (params.clone(), wish(Arc::clone(&client), params.grace_ms));
            // What comes into the group meanwhile ends as well.
            let stopped = self.call(move |engine| engine.stop_group(&params, &wish)).await?;
            result.get_or_insert(stopped);
            let scope = scope.clone();
            let active = self.look(move |engine| engine.active_in(&scope)).await?;
            if active.is_empty() {
                return result.ok_or(TaskError::ShuttingDown);
            }
            ends.changed().await.map_err(|_| TaskError::ShuttingDown)?;
        }
    }

    /// Waits until tasks have ended, or `longest` is over. The answer is made, and may be long, only when it is this one's turn,
    /// which comes with it.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait<'t>(
        &self,
        params: WaitParams,
        longest: Duration,
        turns: &'t Mutex<()>,
    ) -> Result<(WaitResult, MutexGuard<'t, ()>), TaskError> {
        let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(longest);
        let mode = params.mode;
        let mut ends = self.context().await?.feed.ends();
        let ids: Arc<[_]> = self.waited_for(&params).await?.into();
        let mut timed_out = false;
        loop {
            ends.mark_unchanged();
            let all = Arc::clone(&ids);
            if timed_out || self.look(move |engine| engine.are_enough(&all, mode)).await? {
                let turn = turns.lock().await;
                let all = Arc::clone(&ids);
                let result = self.look(move |engine| engine.ends_of(&all)).await?;
                let is_enough = match mode {
                    WaitMode::Any => result.pending.len() < ids.len() || ids.is_empty(),
                    WaitMode::All => result.pending.is_empty(),
                };
                if timed_out || is_enough {
                    let timed_out = !is_enough;
                    return Ok((WaitResult { timed_out, ..result }, turn));
                }
                // One of them was tried again before it was this one's turn.
            }
            match timeout_at(deadline, ends.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(TaskError::ShuttingDown),
                Err(_) => timed_out = true,
            }
        }
    }

    /// The process of the running attempt.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotRunning`] if there is none; else see [`submit`](Self::submit).
    pub async fn running(&self, task: TaskRef) -> Result<Uid, TaskError> {
        self.look(move |engine| engine.running(&task)).await
    }

    /// Deletes ended tasks that are old, or too many.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn clean(&self, params: CleanParams) -> Result<CleanResult, TaskError> {
        self.call(move |engine| engine.clean(&params)).await
    }

    /// The lanes there are, after one was changed.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn lanes(&self, params: LanesParams) -> Result<LanesResult, TaskError> {
        let change = match (params.lane, params.max_parallel) {
            (Some(lane), Some(max_parallel)) => Some((lane, max_parallel)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(TaskError::invalid(
                    "maxParallel",
                    "a lane is changed by how many may run",
                ));
            }
            (None, Some(_)) => return Err(TaskError::invalid("lane", "which lane is to be changed?")),
        };
        let lanes = self.call(move |engine| {
            if let Some((lane, max_parallel)) = change {
                engine.set_lane(&lane, max_parallel)?;
            }
            Ok(engine.lanes())
        });
        Ok(LanesResult { lanes: lanes.await? })
    }

    /// Ends that nobody has acknowledged.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn notices(&self, scope: Scope) -> Result<NoticesResult, TaskError> {
        self.look(move |engine| engine.notices(&scope)).await
    }

    /// Takes note that notices need not be told again.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn ack(&self, params: AckParams) -> Result<AckResult, TaskError> {
        let acked = self.call(move |engine| engine.ack(&params.notice_ids)).await?;
        Ok(AckResult { acked })
    }

    /// The tasks that a wait is about.
    async fn waited_for(&self, params: &WaitParams) -> Result<Vec<TaskId>, TaskError> {
        if params.task_ids.len() > MAX_WAITED_FOR {
            return Err(TaskError::invalid(
                "taskIds",
                format!("more than {MAX_WAITED_FOR}"),
            ));
        }
        let (refs, scope) = (
            params.task_ids.clone(),
            Scope {
                group: params.group.clone(),
                parent: params.parent.clone(),
            },
        );
        self.look(move |engine| {
            let mut ids = Vec::new();
            for task in &refs {
                ids.push(engine.id(task)?);
            }
            if scope != Scope::default() {
                ids.extend(engine.active_in(&scope)?);
            }
            // Of a scope there may be very many.
            let mut seen = HashSet::new();
            ids.retain(|id| seen.insert(id.clone()));
            Ok(ids)
        })
        .await
    }
}

fn wish(client: Arc<str>, grace_ms: Option<u64>) -> StopWish {
    StopWish {
        asked_by: Some(client),
        grace: grace_ms.map(|ms| Duration::from_millis(ms.min(MAX_TIME_MS))),
    }
}
