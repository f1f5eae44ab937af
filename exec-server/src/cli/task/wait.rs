//! `task wait`

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use exec_protocol::process::WaitMode;
use exec_protocol::task::{TaskId, TaskRecord, TaskRef, Wait, WaitParams};
use tokio::time::Instant;

use super::super::escape::escaped;
use super::context::{Context, Form};
use super::ends::Ends;
use super::exit::TIMED_OUT;
use super::interrupt::unless_interrupted;
use super::output::{print, print_json, remark};
use super::progress::Progress;
use super::scope::ScopeArgs;
use super::{duration, rows};
use crate::cli::Failure;
use crate::clock::{WallClock, milliseconds};

/// How long one call waits. Servers shorten what is longer.
pub(super) const CALL_WAIT: Duration = Duration::from_mins(1);

/// How often the line that tells of progress is written anew, and tasks take turns that are too many for one call.
const TURN: Duration = Duration::from_secs(1);

/// Wait for the ends of tasks
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct WaitArgs {
    /// Their ids, or the beginnings of them
    #[arg(value_name = "ID", value_parser = TaskRef::new, required_unless_present_any = ["group", "parent"])]
    ids: Vec<TaskRef>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Wait for one end, not for all
    #[arg(long)]
    any: bool,
    /// How long to wait at most [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// What `wait` exits with.
const EXIT_CODES: &str = "\
A group, or a parent, stands for the tasks that it has now and that have not ended.
Ctrl-C ends this program and leaves the tasks alone.

Exit codes:
  0    completed; also when there is nothing to wait for
  N    failed with code N; 128+N by signal N
  124  a time limit of the task ended it, or the --timeout of this command passed
  125  it could not be started, was interrupted with its server, or was removed meanwhile; or the
       server, or this program, could not do it
  130  it was stopped or cancelled; or Ctrl-C
Of several tasks it is the first code that is not 0, in the order in which they are named; with --any, of
those that have ended.";

/// Where people are told of ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// On standard output: it is what was asked for.
    OnStdout,
    /// On standard error, beside what was asked for.
    OnStderr,
}

/// A wait for tasks.
#[derive(Debug)]
pub(super) struct Waiting {
    params: WaitParams,
    timeout: Option<Duration>,
}

/// Waits, and gives the exit code that stands for the ends.
pub(super) async fn wait(context: &Context, args: WaitArgs) -> Result<ExitCode, Failure> {
    let mode = if args.any { WaitMode::Any } else { WaitMode::All };
    let waiting = Waiting {
        params: WaitParams {
            task_ids: args.ids,
            group: args.scope.group,
            parent: args.scope.parent,
            mode,
            wait_ms: 0,
        },
        timeout: args.timeout,
    };
    waiting.run(context, Told::OnStdout).await
}

impl Waiting {
    /// A wait for the end of this task.
    pub(super) fn for_task(task: TaskId) -> Self {
        let params = WaitParams {
            task_ids: vec![task.into()],
            mode: WaitMode::All,
            ..WaitParams::default()
        };
        Self {
            params,
            timeout: None,
        }
    }

    /// Waits until enough has ended, the time is over, or Ctrl-C.
    pub(super) async fn run(self, context: &Context, told: Told) -> Result<ExitCode, Failure> {
        unless_interrupted(self.run_on(context, told)).await
    }

    async fn run_on(self, context: &Context, told: Told) -> Result<ExitCode, Failure> {
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let mode = self.params.mode;
        let mut ends = Ends::default();
        let mut progress = Progress::new();
        // At first without waiting: from then on the tasks are known by their whole ids, whoever joins the group.
        let mut params = self.params.clone();
        let timed_out = loop {
            let answer = context.call::<Wait>(&params).await?;
            let news = ends.take_in(answer);
            if context.form() == Form::Text && !news.is_empty() {
                progress.clear();
                tell(news, told)?;
            }
            if ends.are_enough(mode) {
                break false;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break true;
            }
            progress.show(context, &ends).await;
            let task_ids = ends.next_call();
            let in_turns = progress.is_shown() || !ends.pending().is_empty();
            let wait = if in_turns { TURN } else { CALL_WAIT };
            params = WaitParams {
                task_ids,
                mode,
                // A rest below a millisecond is no wait, and would be one more call.
                wait_ms: milliseconds(left.map_or(wait, |left| left.min(wait))).max(1),
                ..WaitParams::default()
            };
        };
        drop(progress);
        self.conclude(context, ends, timed_out)
    }

    fn conclude(&self, context: &Context, ends: Ends, timed_out: bool) -> Result<ExitCode, Failure> {
        let code = if timed_out {
            TIMED_OUT
        } else {
            ends.exit_code(&self.params.task_ids)
        };
        for id in ends.removed() {
            remark(&format!("exec-server: {id} was removed"));
        }
        if timed_out {
            let count = ends.pending().len();
            let tasks = if count == 1 { "task has" } else { "tasks have" };
            remark(&format!(
                "exec-server: the time is over, and {count} {tasks} not ended"
            ));
        }
        if context.form() == Form::Json {
            print_json(&ends.into_answer(timed_out))?;
        }
        Ok(ExitCode::from(code))
    }
}

fn tell(ended: &[TaskRecord], told: Told) -> io::Result<()> {
    for task in ended {
        let line = outcome(task, WallClock::now().ms());
        match told {
            Told::OnStdout => print(&format!("{line}\n"))?,
            Told::OnStderr => remark(&line),
        }
    }
    Ok(())
}

/// How a task ended, in a line.
fn outcome(task: &TaskRecord, now_ms: u64) -> String {
    let exit = rows::exit(task.exit_code, task.signal.as_deref());
    let reason = task.end_reason.map(|reason| match exit {
        Some(exit) => format!(" ({} {exit})", rows::reason(reason)),
        None => format!(" ({})", rows::reason(reason)),
    });
    let ran = rows::running_ms(task, now_ms).map(|ms| format!(" after {}", duration::readable(ms)));
    let (reason, ran) = (reason.unwrap_or_default(), ran.unwrap_or_default());
    let line = format!(
        "{} {}{reason}{ran}: {}",
        task.task_id,
        task.state.as_str(),
        task.title
    );
    escaped(&line)
}

#[cfg(test)]
mod tests {
    use exec_protocol::Group;
    use exec_protocol::task::TaskState;
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::task::sample::{self, Script};

    #[test]
    fn an_outcome_is_a_line() {
        let mut task = sample::task("a");
        assert_eq!(outcome(&task, 0), "a completed (exited 0) after 1m: make a");
        task.title = "x\ny".to_owned();
        task.attempts = Vec::new();
        task.exit_code = None;
        assert_eq!(outcome(&task, 0), r"a completed (exited): x\ny");
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_is_waited_for_by_the_ids_that_it_had() {
        let mut failed = sample::task("b");
        (failed.state, failed.exit_code) = (TaskState::Failed, Some(7));
        let mut script = Script::new([
            json!({"settled": [], "pending": ["a", "b"], "removed": [], "timedOut": true}),
            json!({"settled": [failed], "pending": ["a"], "removed": [], "timedOut": true}),
            json!({"settled": [sample::task("a")], "pending": [], "removed": [], "timedOut": false}),
        ]);
        let context = script.context().await;
        let waiting = Waiting {
            params: WaitParams {
                group: Some(Group::new("g").unwrap()),
                mode: WaitMode::All,
                ..WaitParams::default()
            },
            timeout: None,
        };
        let code = waiting.run(&context, Told::OnStderr).await.unwrap();
        assert_eq!(code, ExitCode::from(7));
        assert_eq!(script.asked("group"), [json!("g"), Value::Null, Value::Null]);
        assert_eq!(
            script.asked("taskIds"),
            [Value::Null, json!(["a", "b"]), json!(["a"])]
        );
        assert_eq!(script.asked("mode"), ["all"; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_its_own_time_is_over() {
        let pending = json!({"settled": [], "pending": ["a"], "removed": [], "timedOut": true});
        let mut script = Script::new([pending]);
        let context = script.context().await;
        let mut waiting = Waiting::for_task(TaskId::new("a").unwrap());
        waiting.timeout = Some(Duration::ZERO);
        let code = waiting.run(&context, Told::OnStderr).await.unwrap();
        assert_eq!(code, ExitCode::from(TIMED_OUT));
        assert_eq!(script.asked("waitMs"), [0]);
    }
}
