//! `task submit`

use std::env::current_dir;
use std::path::{PathBuf, absolute};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use exec_protocol::task::{LaneName, OnOutputLimit, RetryOn, RetryPolicy, Submit, SubmitParams, TaskId};
use exec_protocol::{Group, StartKey, WirePath};

use super::context::{Context, Form};
use super::wait::{Told, Waiting};
use super::{duration, size};
use crate::cli::Failure;
use crate::cli::args::variable;
use crate::clock::{WallClock, milliseconds};

/// Take work on, and print the id of its task
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub(super) struct SubmitArgs {
    /// Its id [default: one that the server makes]
    #[arg(long, value_parser = TaskId::new)]
    id: Option<TaskId>,
    /// What people call it [default: what is run]
    #[arg(long)]
    title: Option<String>,
    /// Run it in this directory of the server's machine [default: the one that this program is in]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Set a variable; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Run it on a terminal
    #[arg(long)]
    tty: bool,
    /// Give it a stdin, which `task write` writes to; a terminal has one anyway
    #[arg(long)]
    stdin: bool,
    /// What it belongs to, such as a workspace
    #[arg(long, value_parser = Group::new)]
    group: Option<Group>,
    /// Who wants to be told of its end, such as a conversation
    #[arg(long, value_parser = Group::new)]
    parent: Option<Group>,
    /// Something to find it by; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = variable)]
    labels: Vec<(String, String)>,
    /// How long an attempt may run [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    timeout: Option<u64>,
    /// How long an attempt may say nothing [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    idle_timeout: Option<u64>,
    /// How long it has from the polite signal to the kill
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    grace: Option<u64>,
    /// How much output of an attempt is kept
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_output: Option<u64>,
    /// What happens when an attempt writes more than that [default: drop-oldest]
    #[arg(long, value_name = "WHAT")]
    on_output_limit: Option<OutputLimit>,
    /// Make up to N further attempts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..1000))]
    retry: Option<u32>,
    /// After which ends another attempt is made, with commas between [default: all of them]
    #[arg(long, value_name = "ENDS", value_delimiter = ',', requires = "retry")]
    retry_on: Vec<End>,
    /// How long to wait before the second attempt; twice as long before each further one
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms, requires = "retry")]
    backoff: Option<u64>,
    /// Which tasks it takes turns with [default: default]
    #[arg(long, value_parser = LaneName::new)]
    lane: Option<LaneName>,
    /// In its lane those with more come first [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Run it this much later at the earliest
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    delay: Option<Duration>,
    /// Names the submission: one that is repeated gets the same task and runs nothing
    #[arg(long, value_parser = StartKey::new)]
    key: Option<StartKey>,
    /// Wait for its end, as `task wait` does
    #[arg(long)]
    wait: bool,
    /// A command line for the user's shell
    #[arg(long, short, conflicts_with = "argv")]
    command: Option<String>,
    /// The program and its arguments
    #[arg(
        required_unless_present = "command",
        trailing_var_arg = true,
        value_name = "ARGV"
    )]
    argv: Vec<String>,
}

const USAGE: &str = "exec-server task submit [OPTIONS] (-c <COMMAND> | [--] <ARGV>...)";

const EXAMPLES: &str = "\
Prints the id alone. With --wait, how it ended is told on stderr, and the exit code is that of
`task wait`; with --json it is the answer to the wait that is printed.
Durations are like 500ms, 30s, 5m, 2h or 7d, or seconds; sizes are like 64K, 20M or 1G, or bytes.

Examples:
  exec-server task submit -- cargo build --release
  id=$(exec-server task submit --title tests --timeout 20m -c 'make && make test | tee log')
  exec-server task submit --lane io --retry 3 --retry-on failure,timeout --backoff 5s -- ./fetch";

/// What happens when an attempt writes more than is kept.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum OutputLimit {
    /// It is ended; the first bytes are kept
    Kill,
    /// It runs on; the first bytes are kept
    Stop,
    /// It runs on; the last bytes are kept
    DropOldest,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    /// With another code than 0, by a signal, or not even started
    Failure,
    /// It took too long, or was silent for too long
    Timeout,
    /// With its server
    Interrupted,
}

/// Submits the task, and waits for it if that is asked for.
pub(super) async fn submit(context: &Context, args: SubmitArgs) -> Result<ExitCode, Failure> {
    let waits = args.wait;
    let directory = match &args.cwd {
        Some(directory) => absolute(directory)?,
        None => current_dir()?,
    };
    let params = args.params(WirePath::new(directory)?, WallClock::now().ms());
    let task = context.call::<Submit>(&params).await?;
    if !waits || context.form() == Form::Text {
        context.tell(&task, |task, _| format!("{}\n", task.task_id))?;
    }
    if !waits {
        return Ok(ExitCode::SUCCESS);
    }
    Waiting::for_task(task.task_id).run(context, Told::OnStderr).await
}

impl SubmitArgs {
    /// What is submitted, to be run in this directory.
    fn params(self, directory: WirePath, now_ms: u64) -> SubmitParams {
        SubmitParams {
            retry: self.retry_policy(),
            task_id: self.id,
            title: self.title,
            argv: self.command.is_none().then_some(self.argv),
            command: self.command,
            cwd: Some(directory),
            env: self.env.into_iter().collect(),
            env_policy: None,
            tty: self.tty,
            pipe_stdin: self.stdin,
            size: None,
            group: self.group,
            parent: self.parent,
            labels: self.labels.into_iter().collect(),
            timeout_ms: self.timeout,
            idle_timeout_ms: self.idle_timeout,
            grace_ms: self.grace,
            max_output_bytes: self.max_output,
            on_output_limit: match self.on_output_limit {
                Some(OutputLimit::Kill) => OnOutputLimit::Kill,
                Some(OutputLimit::Stop) => OnOutputLimit::Stop,
                Some(OutputLimit::DropOldest) => OnOutputLimit::DropOldest,
                None => OnOutputLimit::default(),
            },
            lane: self.lane.unwrap_or_default(),
            priority: self.priority.unwrap_or_default(),
            not_before: self.delay.map(|delay| now_ms.saturating_add(milliseconds(delay))),
            submit_key: self.key,
        }
    }

    fn retry_policy(&self) -> Option<RetryPolicy> {
        let ends = if self.retry_on.is_empty() {
            End::value_variants()
        } else {
            &self.retry_on
        };
        let on = |end: &End| match end {
            End::Failure => RetryOn::Failure,
            End::Timeout => RetryOn::Timeout,
            End::Interrupted => RetryOn::Interrupted,
        };
        self.retry.map(|retries| RetryPolicy {
            max_attempts: retries + 1,
            backoff_ms: self.backoff.unwrap_or_default(),
            on: ends.iter().map(on).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        args: SubmitArgs,
    }

    fn params(words: &[&str]) -> SubmitParams {
        let words = Words::try_parse_from(["submit"].iter().chain(words)).unwrap();
        words.args.params(here(), 1_000)
    }

    fn here() -> WirePath {
        WirePath::new("/here".into()).unwrap()
    }

    #[test]
    fn the_least_is_a_program() {
        let expected = SubmitParams {
            argv: Some(vec!["make".to_owned(), "--wait".to_owned()]),
            cwd: Some(here()),
            ..SubmitParams::default()
        };
        assert_eq!(params(&["--", "make", "--wait"]), expected);
        assert_eq!(params(&["make", "--wait"]), expected);
    }

    #[test]
    fn every_flag_has_its_member() {
        let line = "--id b --title T --cwd sub --env A=b=c --tty --stdin --group g --parent p --label k=v --timeout 5m \
                    --idle-timeout 30 --grace 0 --max-output 1M --on-output-limit kill --retry 2 --retry-on \
                    timeout,interrupted --backoff 500ms --lane io --priority -3 --delay 2s --key K --wait -c make";
        let pair = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        let expected = SubmitParams {
            task_id: Some(TaskId::new("b").unwrap()),
            title: Some("T".to_owned()),
            command: Some("make".to_owned()),
            argv: None,
            cwd: Some(here()),
            env: pair("A", "b=c"),
            env_policy: None,
            tty: true,
            pipe_stdin: true,
            size: None,
            group: Some(Group::new("g").unwrap()),
            parent: Some(Group::new("p").unwrap()),
            labels: pair("k", "v"),
            timeout_ms: Some(300_000),
            idle_timeout_ms: Some(30_000),
            grace_ms: Some(0),
            max_output_bytes: Some(1 << 20),
            on_output_limit: OnOutputLimit::Kill,
            retry: Some(RetryPolicy {
                max_attempts: 3,
                backoff_ms: 500,
                on: vec![RetryOn::Timeout, RetryOn::Interrupted],
            }),
            lane: LaneName::new("io").unwrap(),
            priority: -3,
            not_before: Some(3_000),
            submit_key: Some(StartKey::new("K").unwrap()),
        };
        assert_eq!(params(&line.split_whitespace().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn one_of_command_and_program_is_given() {
        for words in [
            &["submit"][..],
            &["submit", "-c", "x", "y"],
            &["submit", "--retry-on", "failure", "x"],
        ] {
            assert!(Words::try_parse_from(words).is_err(), "{words:?}");
        }
    }
}
