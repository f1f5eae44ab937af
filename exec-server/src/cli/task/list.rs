//! `task list`

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, value_parser};
use exec_protocol::task::{LaneName, List, ListParams, TaskState};

use super::context::{Context, Form};
use super::output::remark;
use super::rows;
use super::scope::ScopeArgs;
use crate::cli::Failure;
use crate::cli::args::variable;
use crate::clock::WallClock;

/// The largest page that a server gives.
const MAX_PAGE: u32 = 1000;

/// List tasks, the newest first
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Tasks of this lane
    #[arg(long, value_parser = LaneName::new)]
    lane: Option<LaneName>,
    /// Tasks in this state; several with commas between, or repeated
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', value_parser = PossibleValuesParser::new(
        TaskState::ALL.map(TaskState::as_str)).try_map(state))]
    states: Vec<TaskState>,
    /// Tasks that have this label; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = variable)]
    labels: Vec<(String, String)>,
    /// Tasks with this text in their title, whatever the case of its letters
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// How many at most [default: 100]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    limit: Option<u32>,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// Prints the tasks.
pub(super) async fn list(context: &Context, args: ListArgs) -> Result<ExitCode, Failure> {
    let is_all = args.all;
    let mut params = ListParams::from(args);
    let mut list = context.call::<List>(&params).await?;
    while is_all && list.next.is_some() {
        params.after = list.next;
        let page = context.call::<List>(&params).await?;
        list.records.extend(page.records);
        list.next = page.next;
    }
    context.tell(&list, |list, screen| {
        rows::tasks(&list.records, WallClock::now().ms()).render(screen)
    })?;
    if list.next.is_some() && context.form() == Form::Text {
        remark("… there are more: see --limit and --all");
    }
    Ok(ExitCode::SUCCESS)
}

impl From<ListArgs> for ListParams {
    fn from(args: ListArgs) -> Self {
        Self {
            group: args.scope.group,
            parent: args.scope.parent,
            lane: args.lane,
            states: args.states,
            labels: args.labels.into_iter().collect(),
            title: args.title,
            after: None,
            limit: if args.all { Some(MAX_PAGE) } else { args.limit },
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "clap gives it away")]
fn state(name: String) -> Result<TaskState, &'static str> {
    let named = TaskState::ALL.into_iter().find(|state| state.as_str() == name);
    named.ok_or("no state of a task")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        args: ListArgs,
    }

    #[test]
    fn every_flag_has_its_member() {
        let line = "x --group g --parent p --lane l --state queued,running --state failed --label a=b --title t --all";
        let words = Words::try_parse_from(line.split(' ')).unwrap();
        let params = serde_json::to_value(ListParams::from(words.args)).unwrap();
        let expected = serde_json::json!({
            "group": "g", "parent": "p", "lane": "l", "states": ["queued", "running", "failed"],
            "labels": {"a": "b"}, "title": "t", "limit": 1000,
        });
        assert_eq!(params, expected);
    }

    #[test]
    fn what_no_server_understands_is_refused() {
        for line in [
            "x --state done",
            "x --limit 0",
            "x --limit 1001",
            "x --all --limit 3",
            "x --label a",
        ] {
            assert!(Words::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
