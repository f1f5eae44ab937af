//! How attempts end, and their tasks with them.

use exec_protocol::process::EndReason;
use exec_protocol::task::{Notice, TaskState};

use super::{Engine, with_totals};
use crate::attempt::Finished;
use crate::clock::now_ms;
use crate::feed::Ended;
use crate::headline::Headline;
use crate::outcome::Outcome;
use crate::queue::Number;
use crate::store::{AttemptRow, StoreError, TaskRow};

impl Engine {
    /// An attempt has ended.
    pub(crate) fn take_end(&mut self, number: Number, finished: Finished) {
        let Some(live) = self.live.get(&number) else {
            return;
        };
        let was_stopped = live.stop.is_some();
        let row = with_totals(live.attempt.clone(), &finished.totals);
        match self.settle(number, row, &finished, was_stopped) {
            Ok(task) => {
                self.live.remove(&number);
                self.has_settled(number, task.as_ref());
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the end of an attempt cannot be kept yet"
                );
                self.unsaved.push((number, finished));
            }
        }
    }

    /// Keeps the end of an attempt and what becomes of its task: all of it or nothing. None if there is no such task.
    pub(super) fn settle(
        &mut self,
        number: Number,
        row: AttemptRow,
        finished: &Finished,
        was_stopped: bool,
    ) -> Result<Option<TaskRow>, StoreError> {
        let Some(mut task) = self.store.task(number)? else {
            return Ok(None);
        };
        let row = ended(row, &finished.outcome);
        let now = now_ms();
        let next = finished.outcome.kind().filter(|_| !was_stopped);
        let next = next.and_then(|kind| task.spec.next_attempt(task.attempts, kind, now));
        task.end_reason = row.attempt.end_reason;
        task.ended_by = match &finished.outcome {
            Outcome::Ended(end) => end.ended_by.clone(),
            Outcome::NotStarted(_) | Outcome::Lost { .. } => None,
        };
        if let Some(at) = next {
            task.state = TaskState::Queued;
            task.not_before_ms = Some(at);
        } else {
            task.state = row.attempt.state;
            task.ended_at_ms = row.attempt.ended_at_ms;
        }
        let notice = (next.is_none() && !task.is_silent).then(|| notice(&task, Some(&row), &finished.tail));
        self.store.change(|store| {
            store.put_attempt(number, &row)?;
            store.update_task(&task)?;
            notice
                .as_ref()
                .map_or(Ok(()), |notice| store.insert_notice(notice))
        })?;
        Ok(Some(task))
    }

    /// What follows from an end that is kept.
    fn has_settled(&mut self, number: Number, task: Option<&TaskRow>) {
        let Some(task) = task else { return };
        let params = &task.spec.params;
        self.queue.finish(number, &params.lane);
        if task.state == TaskState::Queued {
            self.queue
                .push(number, &params.lane, params.priority, task.not_before_ms);
        }
        let attempt = task.attempts;
        self.context.feed.end(Ended {
            task: number,
            attempt,
        });
    }

    /// Takes a task back that waits.
    pub(super) fn cancel(
        &mut self,
        mut task: TaskRow,
        asked_by: Option<&str>,
    ) -> Result<TaskRow, StoreError> {
        task.state = TaskState::Stopped;
        task.not_before_ms = None;
        task.end_reason = Some(EndReason::Cancelled);
        task.ended_by = asked_by.map(str::to_owned);
        task.ended_at_ms = Some(now_ms());
        let notice = (!task.is_silent).then(|| notice(&task, None, ""));
        self.store.change(|store| {
            store.update_task(&task)?;
            notice
                .as_ref()
                .map_or(Ok(()), |notice| store.insert_notice(notice))
        })?;
        self.queue.remove(task.number);
        let ended = Ended {
            task: task.number,
            attempt: 0,
        };
        self.context.feed.end(ended);
        Ok(task)
    }
}

/// An attempt that has ended so.
fn ended(mut row: AttemptRow, outcome: &Outcome) -> AttemptRow {
    let attempt = &mut row.attempt;
    attempt.state = outcome.state();
    attempt.end_reason = Some(outcome.reason());
    match outcome {
        Outcome::Ended(end) => {
            attempt.exit_code = Some(end.exit_code);
            attempt.signal.clone_from(&end.signal);
            attempt.ended_at_ms = Some(end.at_ms);
        }
        Outcome::NotStarted(failure) => {
            attempt.failure = Some(failure.clone());
            attempt.ended_at_ms = Some(now_ms());
        }
        Outcome::Lost { last_seen_ms } => {
            let last_seen = attempt.last_output_at_ms.unwrap_or(0).max(*last_seen_ms);
            attempt.ended_at_ms = Some(last_seen.max(attempt.started_at_ms));
        }
    }
    row
}

/// What is told of a task's end. Its number comes from the records.
fn notice(task: &TaskRow, row: Option<&AttemptRow>, tail: &str) -> Notice {
    let attempt = row.map(|row| &row.attempt);
    let ran = attempt.filter(|attempt| attempt.failure.is_none());
    let took_ms = ran.and_then(|attempt| attempt.ended_at_ms?.checked_sub(attempt.started_at_ms));
    let exit_code = attempt.and_then(|attempt| attempt.exit_code);
    let headline = Headline {
        title: &task.spec.title,
        state: task.state,
        reason: task.end_reason,
        exit_code,
        took_ms,
        tail: match attempt.and_then(|attempt| attempt.failure.as_ref()) {
            Some(failure) => &failure.message,
            None => tail,
        },
    };
    Notice {
        notice_id: 0,
        task_id: task.spec.id.clone(),
        attempt: attempt.map_or(0, |attempt| attempt.attempt),
        group: task.spec.params.group.clone(),
        parent: task.spec.params.parent.clone(),
        state: task.state,
        exit_code,
        at_ms: task.ended_at_ms.unwrap_or_else(now_ms),
        summary: headline.line(),
    }
}
