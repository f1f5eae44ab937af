//! The end of a task in one line.

use std::fmt::Write as _;

use exec_protocol::process::EndReason;
use exec_protocol::task::TaskState;

/// Most of the last line of output that is told, in bytes.
const TAIL_BYTES: usize = 200;

/// What is told of an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headline<'a> {
    pub(crate) title: &'a str,
    pub(crate) state: TaskState,
    pub(crate) reason: Option<EndReason>,
    pub(crate) exit_code: Option<i32>,
    /// How long the last attempt took, in milliseconds, if there was one.
    pub(crate) took_ms: Option<u64>,
    /// The last line of its output, if there was any.
    pub(crate) tail: &'a str,
}

impl Headline<'_> {
    /// One line, such as `tests failed after 12.3 s (exit code 1): 2 tests failed`.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{} {}", in_one_line(self.title), self.outcome());
        if let Some(took) = self.took_ms {
            line.push_str(" after ");
            line.push_str(&duration(took));
        }
        if let Some(code) = self.exit_code {
            let _ = write!(line, " (exit code {code})");
        }
        let tail = in_one_line(self.tail);
        if !tail.is_empty() {
            line.push_str(": ");
            line.push_str(&tail);
        }
        line
    }

    fn outcome(&self) -> &'static str {
        match (self.state, self.reason) {
            (TaskState::Failed, Some(EndReason::Timeout)) => "timed out",
            (TaskState::Failed, Some(EndReason::IdleTimeout)) => "was silent for too long",
            (TaskState::Failed, Some(EndReason::OutputLimit)) => "wrote too much",
            (TaskState::Failed, Some(EndReason::Oom)) => "ran out of memory",
            (TaskState::Failed, Some(EndReason::StartFailed)) => "could not be started",
            (TaskState::Stopped, Some(EndReason::Cancelled)) => "was cancelled",
            (TaskState::Completed, _) => "completed",
            (TaskState::Failed, _) => "failed",
            (TaskState::Stopped, _) => "was stopped",
            (TaskState::Interrupted, _) => "was interrupted",
            (TaskState::Queued | TaskState::Running, _) => "goes on",
        }
    }
}

/// A text without line feeds and other control characters, cut.
fn in_one_line(text: &str) -> String {
    let end = text.floor_char_boundary(TAIL_BYTES);
    let line: String = text[..end]
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    let ellipsis = if end < text.trim_end().len() { "…" } else { "" };
    format!("{}{ellipsis}", line.trim())
}

/// A duration as people say it.
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=59 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_one_line() {
        let headline = Headline {
            title: "tests\n",
            state: TaskState::Failed,
            reason: Some(EndReason::Exited),
            exit_code: Some(1),
            took_ms: Some(12_345),
            tail: "\u{1b}2 of 3\tfailed\n",
        };
        assert_eq!(
            headline.line(),
            "tests failed after 12.3 s (exit code 1): 2 of 3 failed"
        );
        let cancelled = Headline {
            state: TaskState::Stopped,
            reason: Some(EndReason::Cancelled),
            exit_code: None,
            took_ms: None,
            tail: "",
            ..headline
        };
        assert_eq!(cancelled.line(), "tests was cancelled");
    }

    #[test]
    fn durations_are_told_as_people_say_them() {
        for (ms, text) in [
            (0, "0.0 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min 0 s"),
            (3_661_000, "1 h 1 min"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
