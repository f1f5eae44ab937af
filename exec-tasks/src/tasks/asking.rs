//! What clients ask for, method by method.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::Uid;
use exec_protocol::process::WaitMode;
use exec_protocol::task::{
    AckParams, AckResult, CleanParams, CleanResult, LanesParams, LanesResult, ListParams, ListResult,
    LogsParams, LogsResult, NoticesResult, Omitted, Range, RangeUnit, RemoveResult, Scope, StopGroupParams,
    StopGroupResult, StopParams, StopResult, SubmitParams, SummaryResult, TaskId, TaskRecord, TaskRef,
    WaitParams, WaitResult,
};
use tokio::time::{Instant, timeout_at};

use super::{Tasks, ask};
use crate::context::Context;
use crate::engine::{Engine, LogSource, StopWish};
use crate::error::TaskError;
use crate::log::{LogReader, View, ViewError};

/// Tasks that one wait may be about.
const MAX_WAITED_FOR: usize = 1_000;

/// How long a search may take before it tells how far it came.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

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
    /// Once polled it is carried out, as each of these; what it answers is lost.
    pub async fn submit(&self, params: SubmitParams) -> Result<TaskRecord, TaskError> {
        self.call(move |engine| engine.submit(params)).await
    }

    /// The record of a task.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn get(&self, task: TaskRef) -> Result<TaskRecord, TaskError> {
        self.call(move |engine| engine.get(&task)).await
    }

    /// A page of tasks.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn list(&self, params: ListParams) -> Result<ListResult, TaskError> {
        self.call(move |engine| engine.list(&params)).await
    }

    /// How the tasks of a scope are doing.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn summary(&self, scope: Scope) -> Result<SummaryResult, TaskError> {
        self.call(move |engine| engine.summary(&scope)).await
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
        let task_id = self.get(params.task_id.clone()).await?.task_id;
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
            let active = self.call(move |engine| engine.active_in(&scope)).await?;
            if active.is_empty() {
                return result.ok_or(TaskError::ShuttingDown);
            }
            ends.changed().await.map_err(|_| TaskError::ShuttingDown)?;
        }
    }

    /// Waits until tasks have ended, or `longest` is over.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit).
    pub async fn wait(&self, params: WaitParams, longest: Duration) -> Result<WaitResult, TaskError> {
        let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(longest);
        let mut ends = self.context().await?.feed.ends();
        let ids = self.waited_for(&params).await?;
        loop {
            ends.mark_unchanged();
            let all = ids.clone();
            let records = self.call(move |engine| engine.records_of(&all)).await?;
            let mut result = sorted(records);
            let is_enough = match params.mode {
                WaitMode::Any => result.pending.len() < ids.len() || ids.is_empty(),
                WaitMode::All => result.pending.is_empty(),
            };
            if is_enough {
                return Ok(result);
            }
            match timeout_at(deadline, ends.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(TaskError::ShuttingDown),
                Err(_) => {
                    result.timed_out = true;
                    return Ok(result);
                }
            }
        }
    }

    /// The process of the running attempt.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotRunning`] if there is none; else see [`submit`](Self::submit).
    pub async fn running(&self, task: TaskRef) -> Result<Uid, TaskError> {
        self.call(move |engine| engine.running(&task)).await
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
        self.call(move |engine| engine.notices(&scope)).await
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

    /// What an attempt has written. Waits for more, if that was asked for, for `longest` at most.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit), and a [`TaskError::View`] for what cannot be told.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn logs(&self, params: LogsParams, longest: Duration) -> Result<LogsResult, TaskError> {
        let context = self.context().await?;
        let mut source = self.log_source(&params).await?;
        if params.follow {
            let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(longest);
            self.follow(&params, &mut source, deadline).await?;
        }
        loop {
            let view = look(&context, &params, &source).await?;
            let was_first = source.totals.state.first_offset;
            source = LogSource {
                totals: source
                    .progress
                    .as_ref()
                    .map_or(source.totals, |progress| progress.borrow().clone()),
                ..source
            };
            if source.totals.state.first_offset == was_first {
                return Ok(told(source, view));
            }
            // What was looked at may have been dropped meanwhile, and then reads as something else.
        }
    }

    async fn log_source(&self, params: &LogsParams) -> Result<LogSource, TaskError> {
        let (task, attempt) = (params.task_id.clone(), params.attempt);
        self.call(move |engine| engine.log_source(&task, attempt)).await
    }

    /// Waits until there is output behind what was asked for, or none will come.
    async fn follow(
        &self,
        params: &LogsParams,
        source: &mut LogSource,
        deadline: Instant,
    ) -> Result<(), TaskError> {
        let from = match params.range {
            Some(range) if range.unit == RangeUnit::Offset => range.from,
            Some(_) => {
                return Err(TaskError::invalid(
                    "range.unit",
                    "what follows is found by its offset",
                ));
            }
            None => source.totals.state.end_offset,
        };
        let context = self.context().await?;
        loop {
            if source.totals.state.end_offset > from || source.state.is_ended() {
                return Ok(());
            }
            let mut ends = context.feed.changes();
            let news = async {
                match &mut source.progress {
                    Some(progress) => {
                        let more = progress.wait_for(|totals| totals.state.end_offset > from).await;
                        more.is_ok()
                    }
                    // It waits for its turn.
                    None => ends.changed().await.is_ok(),
                }
            };
            let is_over = timeout_at(deadline, news).await.is_err();
            let params = LogsParams {
                attempt: (source.attempt > 0).then_some(source.attempt),
                ..params.clone()
            };
            *source = self.log_source(&params).await?;
            if is_over {
                return Ok(());
            }
        }
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
        let context = self.context().await?;
        ask(&context, move |engine| {
            let mut ids = Vec::new();
            for task in &refs {
                let id = engine.get(task)?.task_id;
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            if scope != Scope::default() {
                for id in engine.active_in(&scope)? {
                    if !ids.contains(&id) {
                        ids.push(id);
                    }
                }
            }
            Ok(ids)
        })
        .await
    }
}

/// Looks at output that is there.
async fn look(context: &Context, params: &LogsParams, source: &LogSource) -> Result<View, TaskError> {
    let (params, files, totals) = (params.clone(), source.files.clone(), source.totals.clone());
    let is_ended = source.state.is_ended();
    let look = move || {
        let (state, total_bytes) = (&totals.state, totals.total_bytes);
        let is_nothing_kept = state.first_offset == state.end_offset;
        let log = match LogReader::open(&files, totals) {
            // It was never begun: nothing was started so far, or could be, or it could not be written.
            Err(error) if is_nothing_kept && error.kind() == io::ErrorKind::NotFound => {
                return Ok(nothing_of(total_bytes, params.range));
            }
            log => log?.until(Instant::now() + LONGEST_LOOK),
        };
        let log = if is_ended { log } else { log.while_running() };
        log.read(&params)
    };
    let view: Result<View, ViewError> = context.readers.run(look).await?;
    Ok(view?)
}

/// A look at so much output of which nothing is kept.
fn nothing_of(total_bytes: u64, range: Option<Range>) -> View {
    let asked_for = match range {
        Some(Range {
            unit: RangeUnit::Offset,
            from,
            to,
        }) => from.min(total_bytes)..to.unwrap_or(total_bytes).min(total_bytes),
        Some(_) | None => 0..total_bytes,
    };
    let omitted = (!asked_for.is_empty()).then_some(Omitted {
        from_offset: asked_for.start,
        to_offset: asked_for.end,
        is_kept: false,
    });
    View {
        omitted: omitted.into_iter().collect(),
        next_offset: asked_for.end.max(asked_for.start),
        ..View::default()
    }
}

/// The answer that tells of a look.
fn told(source: LogSource, view: View) -> LogsResult {
    LogsResult {
        task_id: source.id,
        attempt: source.attempt,
        state: source.state,
        parts: view.parts,
        omitted: view.omitted,
        total_bytes: source.totals.total_bytes,
        total_lines: source.totals.total_lines,
        matches: view.matches,
        next_offset: view.next_offset,
        log: source.totals.state,
    }
}

/// Who has ended, and who has not.
fn sorted(records: Vec<(TaskId, Option<TaskRecord>)>) -> WaitResult {
    let mut result = WaitResult {
        settled: Vec::new(),
        pending: Vec::new(),
        removed: Vec::new(),
        timed_out: false,
    };
    for (id, record) in records {
        match record {
            Some(record) if record.state.is_ended() => result.settled.push(record),
            Some(_) => result.pending.push(id),
            None => result.removed.push(id),
        }
    }
    result
}

fn wish(client: Arc<str>, grace_ms: Option<u64>) -> StopWish {
    StopWish {
        asked_by: Some(client),
        grace: grace_ms.map(|ms| Duration::from_millis(ms.min(MAX_TIME_MS))),
    }
}
