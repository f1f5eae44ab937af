//! One attempt, from its start until its end is kept.

use std::sync::Arc;
use std::time::Duration;

use exec_protocol::RpcError;
use exec_protocol::process::{EndReason, StartParams};
use exec_protocol::task::{LogStopped, LogUnit, LogView, LogsParams, StartFailure, TaskRef};
use tokio::time::{Instant, sleep_until};

use crate::clock::now_ms;
use crate::context::{Context, Progress};
use crate::error::TaskError;
use crate::log::{Appended, LogFiles, LogReader, LogTotals, LogWriter, Terms, ViewError};
use crate::outcome::Outcome;
use crate::queue::Number;
use crate::runner::{Batch, Running};

/// Between two times that output alone makes a task be told of.
const BETWEEN_CHANGES: Duration = Duration::from_secs(1);

/// How much memory is kept for what comes next of a process that says little, in bytes.
const IDLE_BATCH: usize = 4 << 10;

/// How much is written of one process before others have their turn, in batches: 16 MiB, some 5 ms.
const TURN_BATCHES: usize = 64;

/// How much of the end of its output is looked through for what to tell of an attempt, in bytes.
const TAIL_BYTES: u64 = 4 << 10;

/// What is to be run.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) task: Number,
    pub(crate) params: StartParams,
    pub(crate) files: LogFiles,
    pub(crate) terms: Terms,
    pub(crate) progress: Arc<Progress>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) totals: LogTotals,
    /// The last line of its output.
    pub(crate) tail: String,
}

/// Runs an attempt, and tells the engine of it.
///
/// # Cancel safety
///
/// Not cancel safe: the attempt would go on, and nobody would take its output.
pub(crate) async fn run(context: Arc<Context>, begun: Begun) {
    let Begun {
        task,
        params,
        files,
        terms,
        progress,
    } = begun;
    // Before anything runs: what has a pid has a log too, unless somebody takes it away.
    let log = begin_log(&context, files.clone(), terms).await;
    let running = match context.runner.start(params).await {
        Ok(running) => running,
        Err(error) => {
            let outcome = Outcome::NotStarted(failure(error));
            let finished = Finished {
                outcome,
                totals: LogTotals::default(),
                tail: String::new(),
            };
            tell(&context, task, finished).await;
            return;
        }
    };
    let handle = Arc::clone(&running);
    let started = move |engine: &mut crate::engine::Engine| engine.take_start(task, handle);
    // Without an engine nothing can be kept any more; the attempt ends with its server.
    let _ = context.calls.send(Box::new(started)).await;
    let mut totals = match log {
        Ok(writer) => {
            let written = write_log(&context, task, &running, writer, &progress).await;
            written.unwrap_or_else(|_| progress.borrow().clone())
        }
        Err(message) => count_only(running.as_ref(), message, &progress).await,
    };
    let end = running.end();
    if let Some(message) = &end.unread {
        let message = message.clone();
        totals.state.stopped.get_or_insert(LogStopped::Failed { message });
    }
    let outcome = Outcome::Ended(end);
    running.release().await;
    let of_log = totals.clone();
    let tail = context.readers.run(move || last_line(&files, of_log)).await;
    let finished = Finished {
        outcome,
        totals,
        tail: tail.unwrap_or_default(),
    };
    tell(&context, task, finished).await;
}

/// Begins the log of an attempt. What the system says if there can be none.
async fn begin_log(context: &Context, files: LogFiles, terms: Terms) -> Result<LogWriter, String> {
    let quota = Arc::clone(&context.quota);
    let open = move || LogWriter::create(&files, terms, quota);
    let opened = context
        .writer
        .run(open)
        .await
        .map_err(|error| error.to_string())?;
    opened.map_err(|error| error.to_string())
}

/// Takes what the process says, until no more will come.
async fn write_log(
    context: &Context,
    task: Number,
    running: &Arc<dyn Running>,
    mut writer: LogWriter,
    progress: &Arc<Progress>,
) -> Result<LogTotals, TaskError> {
    progress.send_replace(writer.tell());
    let mut batch = Batch::default();
    let mut told_at = Instant::now();
    let mut is_told = true;
    loop {
        let more = tokio::select! {
            biased;
            () = sleep_until(told_at + BETWEEN_CHANGES), if !is_told => {
                context.feed.change(task);
                (told_at, is_told) = (Instant::now(), true);
                continue;
            }
            more = running.has_output() => more,
        };
        if !more {
            return Ok(writer.tell());
        }
        let (from, to) = (Arc::clone(running), Arc::clone(progress));
        let appended;
        (writer, batch, appended) = context
            .writer
            .run(move || append(writer, batch, from.as_ref(), &to))
            .await?;
        is_told = false;
        if appended == Appended::LimitReached {
            running.stop(EndReason::OutputLimit, None, None);
        }
    }
}

/// Writes what the process has said so far, and what it says meanwhile, until others are to have their turn.
fn append(
    mut writer: LogWriter,
    mut batch: Batch,
    running: &dyn Running,
    progress: &Progress,
) -> (LogWriter, Batch, Appended) {
    let mut appended = Appended::Counted;
    let mut largest = 0;
    for _ in 0..TURN_BATCHES {
        batch.clear();
        running.take(&mut batch);
        if batch.chunks.is_empty() {
            break;
        }
        largest = largest.max(batch.bytes.len());
        if writer.append(&batch, now_ms()) == Appended::LimitReached {
            appended = Appended::LimitReached;
        }
        progress.send_replace(writer.tell());
    }
    batch.clear();
    if largest <= IDLE_BATCH {
        batch.bytes.shrink_to(IDLE_BATCH);
    }
    (writer, batch, appended)
}

/// Takes what the process says where none of it can be kept.
async fn count_only(running: &dyn Running, message: String, progress: &Progress) -> LogTotals {
    tracing::warn!(error = message, "the output of a task cannot be kept");
    let mut totals = LogTotals::default();
    totals.state.stopped = Some(LogStopped::Failed { message });
    let mut batch = Batch::default();
    while running.has_output().await {
        batch.clear();
        running.take(&mut batch);
        totals.total_bytes += batch.bytes.len() as u64;
        totals.last_output_at_ms = Some(now_ms());
        for chunk in &batch.chunks {
            *totals.bytes.of_mut(chunk.stream) += chunk.bytes as u64;
            totals.last_seq = chunk.seq;
        }
        progress.send_replace(totals.clone());
    }
    totals
}

/// The last line of a log that is not empty, as people read it.
pub(crate) fn last_line(files: &LogFiles, totals: LogTotals) -> String {
    let params = LogsParams {
        view: LogView::Text,
        tail: Some(TAIL_BYTES),
        unit: LogUnit::Bytes,
        ..LogsParams::new(TaskRef::new("x").expect("that is an id"))
    };
    let view = LogReader::open(files, totals).map_err(ViewError::from);
    let view = view.and_then(|log| log.read(&params));
    let text = match view {
        Ok(view) => view
            .parts
            .into_iter()
            .filter_map(|part| part.text)
            .collect::<String>(),
        Err(error) => {
            tracing::debug!(%error, "the end of a log cannot be told");
            String::new()
        }
    };
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().to_owned()
}

async fn tell(context: &Context, task: Number, finished: Finished) {
    let ended = move |engine: &mut crate::engine::Engine| engine.take_end(task, finished);
    if context.calls.send(Box::new(ended)).await.is_err() {
        tracing::error!("an attempt ended behind the end of its server");
    }
}

fn failure(error: RpcError) -> StartFailure {
    StartFailure {
        kind: error.data.kind,
        message: error.message,
    }
}
