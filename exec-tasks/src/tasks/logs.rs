//! What attempts have written, for who asks for it.

use std::io;
use std::time::Duration;

use exec_protocol::task::{LogsParams, LogsResult, Omitted, Range, RangeUnit};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::Tasks;
use crate::context::Context;
use crate::engine::LogSource;
use crate::error::TaskError;
use crate::log::{LogReader, View, ViewError};

/// How often output is looked at that is dropped meanwhile.
const MOST_LOOKS: usize = 10;

/// How long a search may take before it tells how far it came.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

impl Tasks {
    /// What an attempt has written. Waits for more, if that was asked for, for `longest` at most. Output is looked at, and may be
    /// much, only when it is this one's turn, which comes with it.
    ///
    /// # Errors
    ///
    /// See [`submit`](Self::submit), and a [`TaskError::View`] for what cannot be told.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn logs<'t>(
        &self,
        params: LogsParams,
        longest: Duration,
        turns: &'t Mutex<()>,
    ) -> Result<(LogsResult, MutexGuard<'t, ()>), TaskError> {
        let context = self.context().await?;
        let mut source = self.log_source(&params).await?;
        let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(longest);
        let mut from = from_offset(&params, &source)?;
        if params.follow {
            self.follow(&params, &mut source, from, deadline).await?;
        }
        let mut looks = 0;
        loop {
            let turn = turns.lock().await;
            let view = look(&context, &params, &source).await?;
            let end = source.totals.state.end_offset;
            if params.follow
                && view.parts.is_empty()
                && from < end
                && !source.state.is_ended()
                && Instant::now() < deadline
            {
                // What there is makes no whole character yet.
                drop(turn);
                from = end;
                self.follow(&params, &mut source, from, deadline).await?;
                continue;
            }
            let was_first = source.totals.state.first_offset;
            source = LogSource {
                totals: source
                    .progress
                    .as_ref()
                    .map_or(source.totals, |progress| progress.borrow().clone()),
                ..source
            };
            if source.totals.state.first_offset == was_first {
                return Ok((told(source, view), turn));
            }
            // What was looked at may have been dropped meanwhile, and then reads as something else.
            looks += 1;
            if looks == MOST_LOOKS {
                let message = "output is dropped faster than it can be looked at";
                return Err(ViewError::Io(io::Error::other(message)).into());
            }
        }
    }

    async fn log_source(&self, params: &LogsParams) -> Result<LogSource, TaskError> {
        let (task, attempt) = (params.task_id.clone(), params.attempt);
        self.look(move |engine| engine.log_source(&task, attempt)).await
    }

    /// Waits until there is output behind an offset, or none will come.
    async fn follow(
        &self,
        params: &LogsParams,
        source: &mut LogSource,
        from: u64,
        deadline: Instant,
    ) -> Result<(), TaskError> {
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
}

/// Where it is to be followed from: behind what there is, if nobody says otherwise.
fn from_offset(params: &LogsParams, source: &LogSource) -> Result<u64, TaskError> {
    match params.range {
        Some(range) if range.unit == RangeUnit::Offset => Ok(range.from),
        Some(_) if params.follow => Err(TaskError::invalid(
            "range.unit",
            "what follows is found by its offset",
        )),
        Some(_) | None => Ok(source.totals.state.end_offset),
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
