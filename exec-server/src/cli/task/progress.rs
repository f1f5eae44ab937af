//! The line that tells how far the tasks are that are waited for.

use std::io::{self, Write as _};

use exec_protocol::task::{Get, TaskParams, TaskRecord};

use super::super::escape::escaped;
use super::context::Context;
use super::ends::Ends;
use super::screen::rewritable_stderr;
use super::text::cut;
use super::{duration, rows, size};
use crate::clock::WallClock;

/// Back to the beginning of the line, and what was there is gone.
const CLEAR: &str = "\r\x1b[K";

/// A line on standard error, if that is a terminal. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    columns: Option<usize>,
    is_drawn: bool,
}

impl Progress {
    /// No line so far.
    pub(super) fn new() -> Self {
        Self {
            columns: rewritable_stderr(),
            is_drawn: false,
        }
    }

    /// Whether there is anybody to see it.
    pub(super) fn is_shown(&self) -> bool {
        self.columns.is_some()
    }

    /// Writes the line anew.
    pub(super) async fn show(&mut self, context: &Context, ends: &Ends) {
        let (Some(columns), Some(first)) = (self.columns, ends.pending().first()) else {
            return;
        };
        let params = TaskParams {
            task_id: first.clone().into(),
        };
        // It may have been removed just now; the wait tells.
        let Ok(task) = context.try_call::<Get>(&params).await else {
            return;
        };
        let all = ends.pending().len() + ends.ended();
        let mut text = escaped(&line(&task, WallClock::now().ms()));
        if all > 1 {
            text = format!("{} of {all} ended; {text}", ends.ended());
        }
        // The last column stays free: some terminals go to the next line when it is written.
        self.draw(&cut(&text, columns.saturating_sub(1)));
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if self.is_drawn {
            self.draw("");
            self.is_drawn = false;
        }
    }

    fn draw(&mut self, text: &str) {
        let mut stderr = io::stderr().lock();
        // Nobody may be reading.
        let _ = write!(stderr, "{CLEAR}{text}").and_then(|()| stderr.flush());
        self.is_drawn = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// How far a task is.
fn line(task: &TaskRecord, now_ms: u64) -> String {
    let mut facts = vec![format!("{} {}", task.task_id, task.state.as_str())];
    if let Some(position) = task.position {
        facts.push(format!("number {position} in {}", task.lane.as_str()));
    }
    if let Some(at_ms) = task.not_before_ms.filter(|at_ms| *at_ms > now_ms) {
        facts.push(format!(
            "not before {} from now",
            duration::readable(at_ms - now_ms)
        ));
    }
    if let Some(attempt) = task.attempts.last() {
        if task.attempt_count > 1 {
            facts.push(format!("attempt {}", task.attempt_count));
        }
        // Whole seconds: it is not told more often.
        let seconds = rows::running_ms(task, now_ms).unwrap_or_default() / 1_000;
        facts.push(duration::readable(seconds.max(1) * 1_000));
        facts.push(format!("{} written", size::readable(rows::written(attempt))));
    }
    facts.join(", ")
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::TaskState;

    use super::*;
    use crate::cli::task::sample;

    #[test]
    fn a_line_says_how_far_a_task_is() {
        let mut task = sample::task("a");
        task.state = TaskState::Running;
        task.attempts[0].ended_at_ms = None;
        assert_eq!(line(&task, 1_073_500), "a running, 1m 3s, 1.5 KiB written");
        task.attempt_count = 3;
        assert_eq!(
            line(&task, 1_013_500),
            "a running, attempt 3, 3s, 1.5 KiB written"
        );
        task.attempts = Vec::new();
        task.state = TaskState::Queued;
        task.position = Some(2);
        task.not_before_ms = Some(1_010_000);
        assert_eq!(
            line(&task, 1_000_000),
            "a queued, number 2 in default, not before 10s from now"
        );
    }
}
