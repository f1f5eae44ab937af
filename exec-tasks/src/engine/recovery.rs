//! What a server finds that begins where another one ended.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use exec_protocol::task::{CleanParams, LaneName, LogStopped, TaskId, TaskState};

use super::{Engine, totals_of, with_totals};
use crate::attempt::{Finished, last_line};
use crate::clock::now_ms;
use crate::feed::Ended;
#[cfg(target_os = "linux")]
use crate::leftovers;
use crate::log::{self, LogTotals};
use crate::outcome::Outcome;
use crate::queue::DEFAULT_PARALLEL;
use crate::store::{AttemptRow, StoreError, TaskRow};

/// Puts an engine where the last one ended: what ran then was interrupted, what waited waits again.
///
/// # Errors
///
/// Those of the records.
pub(crate) fn recover(engine: &mut Engine) -> Result<(), StoreError> {
    engine.queue.set_lane(&LaneName::default(), DEFAULT_PARALLEL);
    for (lane, max_parallel) in engine.store.lanes()? {
        engine.queue.set_lane(&lane, max_parallel);
    }
    let active = engine.store.active_tasks()?;
    let is_running = |task: &&TaskRow| task.state == TaskState::Running;
    let dead: BTreeSet<_> = active
        .iter()
        .filter(is_running)
        .map(|task| task.incarnation.as_str())
        .collect();
    if !dead.is_empty() {
        // Before anything is told to have ended, and before anything runs again. Elsewhere they are found by nobody.
        #[cfg(target_os = "linux")]
        leftovers::kill(&dead);
    }
    for task in active.iter().filter(is_running) {
        interrupt(engine, task)?;
    }
    engine.store.take_over(&engine.context.incarnation)?;
    for task in engine.store.active_tasks()? {
        let params = &task.spec.params;
        engine
            .queue
            .push(task.number, &params.lane, params.priority, task.not_before_ms);
    }
    engine.store.touch_server(&engine.context.incarnation, now_ms())?;
    remove_strangers(engine)?;
    if let Err(error) = engine.clean(&CleanParams::default()) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "old tasks cannot be deleted"
        );
    }
    engine
        .context
        .quota
        .take_regardless(held_under(&engine.context.logs));
    Ok(())
}

/// Keeps that the last attempt of a task ended with its server.
fn interrupt(engine: &mut Engine, task: &TaskRow) -> Result<(), StoreError> {
    let Some(row) = engine.store.attempt(task.number, task.attempts)? else {
        // It cannot be: both are kept at once. What is not known is not told.
        return Ok(());
    };
    let files = engine.context.log_files(&task.spec.id, task.attempts);
    let totals = match log::repair(&files) {
        Ok(totals) => totals,
        // The server died before it began the log, and so before anything ran.
        Err(error) if error.kind() == io::ErrorKind::NotFound && row.attempt.pid.is_none() => {
            LogTotals::default()
        }
        Err(error) => {
            tracing::warn!(%error, "the output of an interrupted task cannot be looked at");
            unreadable(&row, &error)
        }
    };
    let finished = Finished {
        outcome: Outcome::Lost {
            last_seen_ms: engine.store.last_seen_ms(&task.incarnation)?,
        },
        tail: last_line(&files, totals.clone()),
        totals,
    };
    let row = with_totals(row.attempt, &finished.totals);
    engine.settle(task.number, row, &finished, false)?;
    engine.context.feed.end(Ended {
        task: task.number,
        attempt: task.attempts,
    });
    Ok(())
}

/// What is known of output that cannot be looked at.
fn unreadable(row: &AttemptRow, error: &io::Error) -> LogTotals {
    let mut totals = totals_of(row);
    totals.state.stopped = Some(LogStopped::Failed {
        message: error.to_string(),
    });
    totals
}

/// Deletes output that no task is known to: the server died between the two halves of a removal.
fn remove_strangers(engine: &Engine) -> Result<(), StoreError> {
    let Ok(entries) = fs::read_dir(&engine.context.logs) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let id = entry.file_name().to_str().and_then(|name| TaskId::new(name).ok());
        if let Some(id) = id
            && engine.store.task_called(id.as_str())?.is_none()
        {
            // What cannot be deleted now is tried again at the next start.
            let _ = log::remove(&entry.path());
        }
    }
    Ok(())
}

/// What all logs hold, in bytes.
fn held_under(logs: &Path) -> u64 {
    let tasks = fs::read_dir(logs).into_iter().flatten().flatten();
    // What cannot be looked at cannot be given back either.
    tasks.map(|task| log::held(&task.path()).unwrap_or(0)).sum()
}
