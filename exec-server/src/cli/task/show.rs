//! `task show`

use std::fmt::Display;
use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{Get, LogStopped, TaskParams, TaskRecord, TaskRef};

use super::super::escape::escaped;
use super::context::Context;
use super::screen::Screen;
use super::{moment, rows, size};
use crate::cli::Failure;
use crate::clock::WallClock;

/// Show everything there is to say of a task but its output
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Its id, or the beginning of it
    #[arg(value_parser = TaskRef::new)]
    id: TaskRef,
}

/// How wide the names of the members are, in columns.
const NAME_COLUMNS: usize = 13;

/// Prints the record.
pub(super) async fn show(context: &Context, args: ShowArgs) -> Result<ExitCode, Failure> {
    let task = context.call::<Get>(&TaskParams { task_id: args.id }).await?;
    context.tell(&task, |task, screen| {
        readable(task, WallClock::now().ms(), screen)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn readable(task: &TaskRecord, now_ms: u64, screen: Screen) -> String {
    let mut members = Members::default();
    let at = |at_ms: Option<u64>| at_ms.map(|at_ms| moment::absolute(at_ms, now_ms));
    members.add("id", &task.task_id);
    members.add("title", &task.title);
    members.add("state", state(task));
    members.add_if("exit code", task.exit_code);
    members.add_if("signal", task.signal.as_ref());
    members.add_if("ended by", task.ended_by.as_ref());
    members.add_if("command", task.command.as_ref());
    members.add("argv", quoted(&task.argv));
    members.add("directory", task.cwd.as_path().display());
    if task.tty {
        let size = task
            .size
            .map(|size| format!(" of {} x {}", size.rows(), size.cols()));
        members.add("terminal", format!("yes{}", size.unwrap_or_default()));
    }
    members.add_if("group", task.group.as_ref());
    members.add_if("parent", task.parent.as_ref());
    for (name, value) in &task.labels {
        members.add("label", format!("{name}={value}"));
    }
    members.add("lane", task.lane.as_str());
    members.add_if("position", task.position);
    members.add("priority", task.priority);
    members.add_if("submit key", task.submit_key.as_ref());
    let limit = size::readable(task.max_output_bytes);
    members.add(
        "output limit",
        format!("{limit}, then {}", rows::name(&task.on_output_limit)),
    );
    members.add_if("retry", retry(task));
    members.add_if("not before", at(task.not_before_ms));
    members.add("submitted", moment::absolute(task.submitted_at_ms, now_ms));
    members.add_if("started", at(task.started_at_ms));
    members.add_if("ended", at(task.ended_at_ms));
    let seen = moment::absolute(task.server.last_seen_ms, now_ms);
    members.add("server", format!("{}, last seen {seen}", task.server.incarnation));
    members.add("attempts", task.attempt_count);
    let mut text = members.0.concat();
    if !task.attempts.is_empty() {
        text.push('\n');
        text += &rows::attempts(&task.attempts, now_ms).render(screen);
    }
    for attempt in &task.attempts {
        if let Some(stopped) = &attempt.log.stopped {
            let end = attempt.log.end_offset;
            text += &escaped(&format!(
                "attempt {}: {}",
                attempt.attempt,
                not_kept(stopped, end)
            ));
            text.push('\n');
        }
    }
    text
}

/// Why output is not kept from this offset on.
pub(super) fn not_kept(stopped: &LogStopped, end_offset: u64) -> String {
    let why = match stopped {
        LogStopped::OutputLimit => "it is more than the task's limit".to_owned(),
        LogStopped::Quota => "the server keeps no more output of tasks".to_owned(),
        LogStopped::Failed { message } => format!("it could not be written: {message}"),
    };
    format!("output from offset {end_offset} on is not kept: {why}")
}

fn state(task: &TaskRecord) -> String {
    let reason = task
        .end_reason
        .map(|reason| format!(" ({})", rows::reason(reason)));
    format!("{}{}", task.state.as_str(), reason.unwrap_or_default())
}

fn retry(task: &TaskRecord) -> Option<String> {
    let policy = task.retry.as_ref()?;
    let ends: Vec<_> = policy.on.iter().map(rows::name).collect();
    Some(format!(
        "{} attempts, after {}, {} before the second",
        policy.max_attempts,
        ends.join(", "),
        super::duration::readable(policy.backoff_ms)
    ))
}

/// The words, so that it is seen where one ends.
fn quoted(words: &[String]) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_=+/.,:@%^".contains(letter);
    let quote = |word: &String| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Lines of a name and a value each.
#[derive(Default)]
struct Members(Vec<String>);

impl Members {
    fn add(&mut self, name: &str, value: impl Display) {
        let value = escaped(&value.to_string());
        self.0.push(format!("{name:NAME_COLUMNS$} {value}\n"));
    }

    fn add_if(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::sample;

    #[test]
    fn everything_is_shown_in_lines() {
        let mut task = sample::task("one");
        task.title = "evil\x1b[2J".to_owned();
        task.argv = ["echo", "it's", ""].map(str::to_owned).into();
        task.labels.insert("k".to_owned(), "v\nw".to_owned());
        task.attempts[0].log.stopped = Some(LogStopped::OutputLimit);
        let text = readable(&task, 1_070_000, Screen::default());
        for line in [
            "id            one",
            r"title         evil\u{1b}[2J",
            "state         completed (exited)",
            r"argv          echo 'it'\\''s' ''",
            r"label         k=v\nw",
            "output limit  1.0 MiB, then dropOldest",
            "submitted     1970-01-01 00:16:40 UTC (1m ago)",
            "1        completed  1m ago   1m        0     exited  42   1.5 KiB  -",
            "attempt 1: output from offset 1536 on is not kept: it is more than the task's limit",
        ] {
            let line = line.replace(r"\\", r"\");
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }
}
