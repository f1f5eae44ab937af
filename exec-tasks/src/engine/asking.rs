//! What is told of tasks.

use std::collections::BTreeMap;

use exec_protocol::process::WaitMode;
use exec_protocol::task::{
    ListParams, ListResult, Notice, NoticesResult, Scope, SettledParams, SummaryResult, TaskId, TaskRecord,
    TaskRef, TaskServer, TaskState, UpdatedParams, WaitResult,
};
use tokio::sync::watch;

use super::{Engine, totals_of};
use crate::clock::now_ms;
use crate::error::TaskError;
use crate::feed::Ended;
use crate::log::{LogFiles, LogTotals};
use crate::queue::Number;
use crate::store::{AttemptRow, Choice, Order, TaskRow};

/// Attempts that are told in a record.
const TOLD_ATTEMPTS: u32 = 20;

/// Tasks that may have been meant, in an error.
const CANDIDATES: usize = 20;

/// Tasks of a page, where nobody said how many, and at most.
const PAGE: u32 = 100;
const MAX_PAGE: u32 = 1_000;

/// Tasks of each kind in a summary.
const SUMMARY: u32 = 20;

/// Notices that are told at a time.
const NOTICES: u32 = 1_000;

/// How much of a command is told in a record, in bytes.
const COMMAND_BYTES: usize = 4 << 10;

/// Where the output of an attempt is, and how far it has come.
#[derive(Debug)]
pub(crate) struct LogSource {
    pub(crate) id: TaskId,
    /// 0 if there was none so far.
    pub(crate) attempt: u32,
    pub(crate) state: TaskState,
    pub(crate) files: LogFiles,
    pub(crate) totals: LogTotals,
    /// Where more is told of while it runs.
    pub(crate) progress: Option<watch::Receiver<LogTotals>>,
}

impl Engine {
    /// The task that is meant.
    pub(crate) fn find(&self, task: &TaskRef) -> Result<TaskRow, TaskError> {
        if let Some(row) = self.store.task_called(task.as_str())? {
            return Ok(row);
        }
        let mut ids = self.store.ids_from(task.as_str(), CANDIDATES)?;
        let unknown = || TaskError::Unknown(task.to_string());
        match ids.len() {
            0 => Err(unknown()),
            1 => {
                let id = ids.remove(0);
                self.store.task_called(id.as_str())?.ok_or_else(unknown)
            }
            _ => Err(TaskError::Ambiguous(task.to_string(), ids)),
        }
    }

    /// The whole id of the task that is meant.
    pub(crate) fn id(&self, task: &TaskRef) -> Result<TaskId, TaskError> {
        Ok(self.find(task)?.spec.id)
    }

    /// The record of the task that is meant.
    pub(crate) fn get(&self, task: &TaskRef) -> Result<TaskRecord, TaskError> {
        self.record(&self.find(task)?)
    }

    /// A page of tasks.
    pub(crate) fn list(&self, params: &ListParams) -> Result<ListResult, TaskError> {
        let limit = params.limit.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(TaskError::invalid(
                "limit",
                format!("not between 1 and {MAX_PAGE}"),
            ));
        }
        let mut choice = Choice::of_list(params);
        if let Some(after) = &params.after {
            let last = self.store.task_called(after.as_str())?;
            let last = last.ok_or_else(|| TaskError::Unknown(after.to_string()))?;
            choice = choice.before(last.number);
        }
        let mut rows = self.store.choose(&choice, Order::Newest, limit + 1)?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| has_more).map(|row| row.spec.id.clone());
        Ok(ListResult {
            records: self.records(&rows)?,
            next,
        })
    }

    /// How the tasks of a scope are doing.
    pub(crate) fn summary(&self, scope: &Scope) -> Result<SummaryResult, TaskError> {
        let mut counts: BTreeMap<_, _> = TaskState::ALL.map(|state| (state, 0)).into();
        counts.extend(self.store.count_by_state(&Choice::of_scope(scope))?);
        let ended = TaskState::ALL.map(|state| state.is_ended().then_some(state));
        let ended: Vec<_> = ended.into_iter().flatten().collect();
        let active = Choice::active(scope);
        let ended = Choice::of_scope(scope).in_states(&ended);
        Ok(SummaryResult {
            counts,
            active: self.records(&self.store.choose(&active, Order::Newest, SUMMARY)?)?,
            latest_ended: self.records(&self.store.choose(&ended, Order::LatestEnd, SUMMARY)?)?,
        })
    }

    /// The ids of the tasks of a scope that have not ended.
    pub(crate) fn active_in(&self, scope: &Scope) -> Result<Vec<TaskId>, TaskError> {
        let rows = self
            .store
            .choose(&Choice::active(scope), Order::Newest, u32::MAX)?;
        Ok(rows.into_iter().map(|row| row.spec.id).collect())
    }

    /// Whether enough of these tasks have ended, or are removed.
    pub(crate) fn are_enough(&self, ids: &[TaskId], mode: WaitMode) -> Result<bool, TaskError> {
        for id in ids {
            let row = self.store.task_called(id.as_str())?;
            let is_over = row.is_none_or(|row| row.state.is_ended());
            match mode {
                WaitMode::Any if is_over => return Ok(true),
                WaitMode::All if !is_over => return Ok(false),
                WaitMode::Any | WaitMode::All => {}
            }
        }
        Ok(ids.is_empty() || mode == WaitMode::All)
    }

    /// Which of these tasks have ended, with their records, and which have not.
    pub(crate) fn ends_of(&self, ids: &[TaskId]) -> Result<WaitResult, TaskError> {
        let mut result = WaitResult {
            settled: Vec::new(),
            pending: Vec::new(),
            removed: Vec::new(),
            timed_out: false,
        };
        for id in ids {
            match self.store.task_called(id.as_str())? {
                Some(row) if row.state.is_ended() => result.settled.push(self.record(&row)?),
                Some(_) => result.pending.push(id.clone()),
                None => result.removed.push(id.clone()),
            }
        }
        Ok(result)
    }

    /// Ends that nobody has acknowledged.
    pub(crate) fn notices(&self, scope: &Scope) -> Result<NoticesResult, TaskError> {
        let (notices, more): (Vec<Notice>, u64) = self.store.notices(scope, NOTICES)?;
        Ok(NoticesResult { notices, more })
    }

    /// Takes note that notices need not be told again. Says how many of them there were.
    pub(crate) fn ack(&mut self, numbers: &[u64]) -> Result<u64, TaskError> {
        if numbers.len() > NOTICES as usize {
            return Err(TaskError::invalid("noticeIds", format!("more than {NOTICES}")));
        }
        let acked = self.store.change(|store| {
            let mut acked = 0;
            for number in numbers {
                acked += u64::from(store.ack_notice(*number)?);
            }
            Ok(acked)
        })?;
        Ok(acked)
    }

    /// Where the output of an attempt is.
    pub(crate) fn log_source(&self, task: &TaskRef, attempt: Option<u32>) -> Result<LogSource, TaskError> {
        let task = self.find(task)?;
        let number = attempt.unwrap_or(task.attempts);
        let row = self.attempt(&task, number)?;
        if row.is_none() && attempt.is_some() {
            return Err(TaskError::NoSuchAttempt);
        }
        let live = self.live.get(&task.number);
        let live = live.filter(|live| live.attempt.attempt == number);
        Ok(LogSource {
            files: self.context.log_files(&task.spec.id, number),
            attempt: row.as_ref().map_or(0, |_| number),
            state: row.as_ref().map_or(task.state, |row| row.attempt.state),
            totals: row.as_ref().map(totals_of).unwrap_or_default(),
            progress: live.map(|live| live.progress.subscribe()),
            id: task.spec.id,
        })
    }

    /// What there is to say of a task to who is told of changes. None if it is gone, or in none of the scope.
    pub(crate) fn update(&self, number: Number, scope: &Scope) -> Result<Option<UpdatedParams>, TaskError> {
        let Some(task) = self.in_scope(number, scope)? else {
            return Ok(None);
        };
        let row = self.attempt(&task, task.attempts)?;
        let attempt = row.map(|row| row.attempt);
        let bytes = attempt.as_ref().map_or(0, |attempt| attempt.bytes.total());
        Ok(Some(UpdatedParams {
            task_id: task.spec.id,
            group: task.spec.params.group,
            parent: task.spec.params.parent,
            state: task.state,
            attempt: task.attempts,
            bytes,
            last_output_at_ms: attempt.and_then(|attempt| attempt.last_output_at_ms),
        }))
    }

    /// What there is to say of an end. None if its task is gone, or in none of the scope.
    pub(crate) fn settled(&self, ended: Ended, scope: &Scope) -> Result<Option<SettledParams>, TaskError> {
        let Some(task) = self.in_scope(ended.task, scope)? else {
            return Ok(None);
        };
        let row = self.store.attempt(ended.task, ended.attempt)?;
        Ok(Some(SettledParams {
            attempt: row.map(|row| row.attempt),
            task: self.record(&task)?,
        }))
    }

    /// A task, if it is there and of the scope.
    fn in_scope(&self, number: Number, scope: &Scope) -> Result<Option<TaskRow>, TaskError> {
        let task = self.store.task(number)?;
        Ok(task.filter(|task| {
            let params = &task.spec.params;
            let is_in_group = scope.group.is_none() || scope.group == params.group;
            is_in_group && (scope.parent.is_none() || scope.parent == params.parent)
        }))
    }

    fn records(&self, rows: &[TaskRow]) -> Result<Vec<TaskRecord>, TaskError> {
        rows.iter().map(|row| self.record(row)).collect()
    }

    /// An attempt as it is now.
    fn attempt(&self, task: &TaskRow, number: u32) -> Result<Option<AttemptRow>, TaskError> {
        match self.live.get(&task.number) {
            Some(live) if live.attempt.attempt == number => Ok(Some(live.attempt())),
            Some(_) | None => Ok(self.store.attempt(task.number, number)?),
        }
    }

    /// Everything there is to say of a task.
    pub(super) fn record(&self, task: &TaskRow) -> Result<TaskRecord, TaskError> {
        let mut rows = self.store.last_attempts(task.number, TOLD_ATTEMPTS)?;
        if let Some(live) = self.live.get(&task.number)
            && let Some(last) = rows.last_mut()
        {
            *last = live.attempt();
        }
        let last = rows.last().map(|row| &row.attempt);
        let (spec, params) = (&task.spec, &task.spec.params);
        let is_queued = task.state == TaskState::Queued;
        Ok(TaskRecord {
            task_id: spec.id.clone(),
            title: spec.title.clone(),
            command: params.command.as_deref().map(beginning),
            argv: beginnings(&spec.argv),
            cwd: spec.cwd.clone(),
            tty: params.tty,
            size: params.size,
            group: params.group.clone(),
            parent: params.parent.clone(),
            labels: params.labels.clone(),
            lane: params.lane.clone(),
            priority: params.priority,
            submit_key: params.submit_key.clone(),
            max_output_bytes: spec.max_output_bytes,
            on_output_limit: params.on_output_limit,
            retry: params.retry.clone(),
            state: task.state,
            position: self.queue.position(task.number).filter(|_| is_queued),
            not_before_ms: task.not_before_ms.filter(|_| is_queued),
            submitted_at_ms: task.submitted_at_ms,
            started_at_ms: last.map(|attempt| attempt.started_at_ms),
            ended_at_ms: task.ended_at_ms,
            end_reason: task.end_reason,
            exit_code: last.and_then(|attempt| attempt.exit_code),
            signal: last.and_then(|attempt| attempt.signal.clone()),
            ended_by: task.ended_by.clone(),
            attempt_count: task.attempts,
            server: TaskServer {
                last_seen_ms: if task.incarnation == self.context.incarnation {
                    now_ms()
                } else {
                    self.store.last_seen_ms(&task.incarnation)?
                },
                incarnation: task.incarnation.clone(),
            },
            attempts: rows.into_iter().map(|row| row.attempt).collect(),
        })
    }
}

/// As much of a text as a record has.
fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(COMMAND_BYTES)].to_owned()
}

/// As many words as a record has, the last of them cut.
fn beginnings(words: &[String]) -> Vec<String> {
    let mut left = COMMAND_BYTES;
    let mut told = Vec::new();
    for word in words {
        if left == 0 {
            break;
        }
        told.push(word[..word.floor_char_boundary(left)].to_owned());
        left = left.saturating_sub(word.len().max(1));
    }
    told
}
