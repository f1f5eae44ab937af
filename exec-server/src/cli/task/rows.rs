//! Tasks and attempts as rows of tables.

use exec_protocol::process::EndReason;
use exec_protocol::task::{Attempt, TaskRecord, TaskState};
use serde::Serialize;

use super::table::{Cell, Colour, Column, Table};
use super::{duration, moment, size};

/// A table of tasks, as of this moment in Unix milliseconds.
pub(super) fn tasks(tasks: &[TaskRecord], now_ms: u64) -> Table {
    let mut table = Table::new([
        Column::Whole("ID"),
        Column::Whole("STATE"),
        Column::Cut("TITLE"),
        Column::Whole("AGE"),
        Column::Whole("DURATION"),
        Column::Whole("EXIT"),
        Column::Cut("GROUP"),
    ]);
    for task in tasks {
        table.push([
            Cell::new(task.task_id.as_str()),
            state(task.state),
            Cell::new(&task.title),
            Cell::new(moment::relative(task.submitted_at_ms, now_ms)),
            Cell::or_dash(running_ms(task, now_ms).map(duration::readable)),
            Cell::or_dash(exit(task.exit_code, task.signal.as_deref())),
            Cell::or_dash(task.group.as_ref().map(ToString::to_string)),
        ]);
    }
    table
}

/// A table of the attempts of a task.
pub(super) fn attempts(attempts: &[Attempt], now_ms: u64) -> Table {
    let mut table = Table::new([
        Column::Whole("ATTEMPT"),
        Column::Whole("STATE"),
        Column::Whole("STARTED"),
        Column::Whole("DURATION"),
        Column::Whole("EXIT"),
        Column::Whole("REASON"),
        Column::Whole("PID"),
        Column::Whole("OUTPUT"),
        Column::Cut("FAILURE"),
    ]);
    for attempt in attempts {
        let lasted = attempt
            .ended_at_ms
            .unwrap_or(now_ms)
            .saturating_sub(attempt.started_at_ms);
        table.push([
            Cell::new(attempt.attempt.to_string()),
            state(attempt.state),
            Cell::new(moment::relative(attempt.started_at_ms, now_ms)),
            Cell::new(duration::readable(lasted)),
            Cell::or_dash(exit(attempt.exit_code, attempt.signal.as_deref())),
            Cell::or_dash(attempt.end_reason.map(reason)),
            Cell::or_dash(attempt.pid.map(|pid| pid.to_string())),
            Cell::new(size::readable(written(attempt))),
            Cell::or_dash(attempt.failure.as_ref().map(|failure| &failure.message)),
        ]);
    }
    table
}

/// A state in its colour.
pub(super) fn state(state: TaskState) -> Cell {
    let colour = match state {
        TaskState::Queued => None,
        TaskState::Running => Some(Colour::Cyan),
        TaskState::Completed => Some(Colour::Green),
        TaskState::Failed => Some(Colour::Red),
        TaskState::Stopped | TaskState::Interrupted => Some(Colour::Yellow),
    };
    Cell::new(state.as_str()).coloured(colour)
}

/// How long the last attempt has run, in milliseconds; None if there is none.
pub(super) fn running_ms(task: &TaskRecord, now_ms: u64) -> Option<u64> {
    // While it waits for another attempt, the last one is over: its end stands there alone.
    let last = task.attempts.last()?;
    Some(
        last.ended_at_ms
            .unwrap_or(now_ms)
            .saturating_sub(last.started_at_ms),
    )
}

/// The signal that ended it, or its code.
pub(super) fn exit(code: Option<i32>, signal: Option<&str>) -> Option<String> {
    signal.map(str::to_owned).or(code.map(|code| code.to_string()))
}

/// A reason by its name on the wire.
pub(super) fn reason(reason: EndReason) -> String {
    name(&reason)
}

/// How much an attempt has written, in bytes.
pub(super) fn written(attempt: &Attempt) -> u64 {
    attempt.bytes.total()
}

/// The name on the wire of what has only a name there.
pub(super) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(value) => value.to_string(),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::sample;
    use crate::cli::task::screen::Screen;

    #[test]
    fn tasks_have_a_line_each() {
        let mut failed = sample::task("two");
        failed.title = "evil\x1b[2J\ntitle".to_owned();
        failed.state = TaskState::Failed;
        failed.signal = Some("SIGKILL".to_owned());
        let mut queued = sample::task("three");
        queued.state = TaskState::Queued;
        (queued.exit_code, queued.attempts) = (None, Vec::new());
        let text = tasks(&[sample::task("one"), failed, queued], 1_190_000).render(Screen::default());
        let expected = r"
ID     STATE      TITLE                 AGE     DURATION  EXIT     GROUP
one    completed  make one              3m ago  1m        0        -
two    failed     evil\u{1b}[2J\ntitle  3m ago  1m        SIGKILL  -
three  queued     make three            3m ago  -         -        -
";
        assert_eq!(text, expected.trim_start());
    }

    #[test]
    fn attempts_have_a_line_each() {
        let text = attempts(&sample::task("one").attempts, 1_190_000).render(Screen::default());
        let expected = "
ATTEMPT  STATE      STARTED  DURATION  EXIT  REASON  PID  OUTPUT   FAILURE
1        completed  3m ago   1m        0     exited  42   1.5 KiB  -
";
        assert_eq!(text, expected.trim_start());
    }
}
