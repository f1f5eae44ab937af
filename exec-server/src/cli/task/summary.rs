//! `task summary`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{Summary, SummaryResult};

use super::context::Context;
use super::rows;
use super::scope::ScopeArgs;
use super::screen::Screen;
use super::table::{Cell, Column, Table};
use crate::cli::Failure;
use crate::clock::WallClock;

/// Show how the tasks are doing: how many are in each state, who runs or waits, and who ended last
#[derive(Debug, Args)]
pub(super) struct SummaryArgs {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// Prints the summary.
pub(super) async fn summary(context: &Context, args: SummaryArgs) -> Result<ExitCode, Failure> {
    let summary = context.call::<Summary>(&args.scope.into()).await?;
    context.tell(&summary, |summary, screen| {
        readable(summary, WallClock::now().ms(), screen)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn readable(summary: &SummaryResult, now_ms: u64, screen: Screen) -> String {
    let mut counts = Table::new([Column::Whole("STATE"), Column::Whole("TASKS")]);
    for (state, count) in &summary.counts {
        counts.push([rows::state(*state), Cell::new(count.to_string())]);
    }
    let mut text = counts.render(screen);
    for (name, tasks) in [("Active", &summary.active), ("Ended", &summary.latest_ended)] {
        if !tasks.is_empty() {
            let heading = format!("\n{name}, the newest {}:\n", tasks.len());
            text += &heading;
            text += &rows::tasks(tasks, now_ms).render(screen);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::TaskState;

    use super::*;
    use crate::cli::task::sample;

    #[test]
    fn states_are_counted_in_the_order_of_a_life() {
        let summary = SummaryResult {
            counts: [(TaskState::Completed, 12), (TaskState::Queued, 0)].into(),
            active: Vec::new(),
            latest_ended: vec![sample::task("one")],
        };
        let expected = "
STATE      TASKS
queued     0
completed  12

Ended, the newest 1:
ID   STATE      TITLE     AGE     DURATION  EXIT  GROUP
one  completed  make one  3m ago  1m        0     -
";
        let text = readable(&summary, 1_190_000, Screen::default());
        assert_eq!(text, expected.trim_start());
    }
}
