//! `task logs`

mod paging;
mod pieces;
mod reading;
mod writer;

use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{Grep, LogUnit, LogView, Logs, LogsParams, Range, RangeUnit, TaskRef};
use tokio::io::stdout;

use super::context::{Context, Form};
use super::interrupt::unless_interrupted;
use super::output::print_json;
use super::size;
use crate::cli::Failure;
use reading::{follow, read_all, select};
use writer::Writer;

/// Print what a task has written
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct LogsArgs {
    /// Its id, or the beginning of it
    #[arg(value_parser = TaskRef::new)]
    id: TaskRef,
    /// Which attempt, from 1 [default: the last]
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Only so many lines from the beginning; together with --tail, both
    #[arg(long, value_name = "N")]
    head: Option<u64>,
    /// Only so many lines from the end
    #[arg(long, short = 'n', value_name = "N")]
    tail: Option<u64>,
    /// Let --head and --tail count bytes
    #[arg(long)]
    bytes: bool,
    /// Only the lines that match this regular expression
    #[arg(long, short, value_name = "REGEX")]
    grep: Option<String>,
    /// Whatever the case of letters
    #[arg(long, short, requires = "grep")]
    ignore_case: bool,
    /// So many lines before each match, too
    #[arg(
        long,
        short = 'B',
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        requires = "grep"
    )]
    before: u32,
    /// So many lines behind each match, too
    #[arg(
        long,
        short = 'A',
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        requires = "grep"
    )]
    after: u32,
    /// Only from this byte on, counted from 0
    #[arg(long, value_name = "BYTE")]
    from_offset: Option<u64>,
    /// Only up to, and without, this byte
    #[arg(long, value_name = "BYTE")]
    to_offset: Option<u64>,
    /// Only from this line on, counted from 0
    #[arg(long, value_name = "LINE", conflicts_with_all = ["from_offset", "to_offset"])]
    from_line: Option<u64>,
    /// Only up to, and without, this line
    #[arg(long, value_name = "LINE", conflicts_with_all = ["from_offset", "to_offset"])]
    to_line: Option<u64>,
    /// The bytes as they were written, with escape sequences and all
    #[arg(long)]
    raw: bool,
    /// Print what comes until the attempt has ended
    #[arg(long, short, conflicts_with_all = ["head", "to_offset", "to_line", "max_bytes"])]
    follow: bool,
    /// How much to print at most; what is left out is told
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_bytes: Option<u64>,
}

const NOTES: &str = "\
Prints all that is kept, exactly as the server tells it: without --raw that is text without escape
sequences. What is left out is told on stderr. With --json it is the answer to one call of task/logs,
which has 64 KiB of output at most if --max-bytes does not say otherwise.
Ctrl-C ends this program with exit code 130 and leaves the task alone. Else the exit code is 0 however
the task ends: see `task wait`.

Examples:
  exec-server task logs build -f
  exec-server task logs build --tail 50
  exec-server task logs build --grep 'error(\\[|:)' -B 2 -A 10";

/// Prints the output.
pub(super) async fn logs(context: &Context, args: LogsArgs) -> Result<ExitCode, Failure> {
    let params = args.params();
    if context.form() == Form::Json {
        if args.follow {
            return Err(
                "--json and --follow exclude each other: programs subscribe, or poll task/logs".into(),
            );
        }
        print_json(&context.call::<Logs>(&params).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let reading = async {
        let mut writer = Writer::new(stdout());
        if args.follow {
            follow(context, params, &mut writer).await?;
        } else if args.is_selective() {
            select(context, params, &mut writer).await?;
        } else {
            read_all(context, params, &mut writer).await?;
        }
        Ok(ExitCode::SUCCESS)
    };
    unless_interrupted(reading).await
}

impl LogsArgs {
    fn params(&self) -> LogsParams {
        let lines = (self.from_line, self.to_line, RangeUnit::Line);
        let (from, to, unit) = match lines {
            (None, None, _) => (self.from_offset, self.to_offset, RangeUnit::Offset),
            lines => lines,
        };
        LogsParams {
            task_id: self.id.clone(),
            attempt: self.attempt,
            view: if self.raw { LogView::Raw } else { LogView::Text },
            head: self.head,
            tail: self.tail,
            unit: if self.bytes {
                LogUnit::Bytes
            } else {
                LogUnit::Lines
            },
            grep: self.grep.clone().map(|regex| Grep {
                regex,
                ignore_case: self.ignore_case,
                before: self.before,
                after: self.after,
            }),
            range: (from.is_some() || to.is_some()).then_some(Range {
                unit,
                from: from.unwrap_or_default(),
                to,
            }),
            follow: false,
            wait_ms: 0,
            max_bytes: self.max_bytes,
        }
    }

    /// Whether one answer has all that is asked for: the rest is not to be read on.
    fn is_selective(&self) -> bool {
        self.head.is_some() || self.tail.is_some() || self.max_bytes.is_some()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        args: LogsArgs,
    }

    fn params(line: &str) -> Result<serde_json::Value, clap::Error> {
        Ok(serde_json::to_value(parsed(line)?).unwrap())
    }

    pub(super) fn parsed(line: &str) -> Result<LogsParams, clap::Error> {
        let words = Words::try_parse_from(["logs"].into_iter().chain(line.split(' ')))?;
        Ok(words.args.params())
    }

    #[test]
    fn every_flag_has_its_member() {
        let mut expected = serde_json::json!({
            "taskId": "a", "view": "text", "unit": "lines", "follow": false, "waitMs": 0,
        });
        assert_eq!(params("a").unwrap(), expected);
        for (line, member, value) in [
            ("a --attempt 2", "attempt", serde_json::json!(2)),
            ("a --head 3", "head", serde_json::json!(3)),
            ("a -n 3", "tail", serde_json::json!(3)),
            ("a --bytes", "unit", serde_json::json!("bytes")),
            ("a --raw", "view", serde_json::json!("raw")),
            ("a --max-bytes 1K", "maxBytes", serde_json::json!(1024)),
            (
                "a --grep x -i -B 1 -A 2",
                "grep",
                serde_json::json!({"regex": "x", "ignoreCase": true, "before": 1, "after": 2}),
            ),
            (
                "a --from-offset 5",
                "range",
                serde_json::json!({"unit": "offset", "from": 5}),
            ),
            (
                "a --to-line 5",
                "range",
                serde_json::json!({"unit": "line", "from": 0, "to": 5}),
            ),
        ] {
            let before = expected.clone();
            expected[member] = value;
            assert_eq!(params(line).unwrap(), expected, "{line}");
            expected = before;
        }
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for line in [
            "a -f --head 3",
            "a -f --to-line 3",
            "a --from-line 3 --to-offset 9",
            "a -A 3",
            "a -i",
            "../a",
        ] {
            assert!(params(line).is_err(), "{line}");
        }
    }
}
