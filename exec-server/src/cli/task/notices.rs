//! `task notices`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{Ack, AckParams, Notice, Notices};

use super::context::{Context, Form};
use super::output::remark;
use super::scope::ScopeArgs;
use super::table::{Cell, Column, Table};
use super::{moment, rows};
use crate::cli::Failure;
use crate::clock::WallClock;

/// List the ends of tasks that nobody has acknowledged, oldest first
#[derive(Debug, Args)]
pub(super) struct NoticesArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Acknowledge those that are listed, so that they do not come again
    #[arg(long)]
    ack: bool,
}

/// Prints the notices, and acknowledges them if that is asked for.
pub(super) async fn notices(context: &Context, args: NoticesArgs) -> Result<ExitCode, Failure> {
    let result = context.call::<Notices>(&args.scope.into()).await?;
    context.tell(&result, |result, screen| {
        table(&result.notices, WallClock::now().ms()).render(screen)
    })?;
    if result.more > 0 && context.form() == Form::Text {
        remark(&format!("… there are {} more", result.more));
    }
    if args.ack && !result.notices.is_empty() {
        // Not before they were written: what nobody has seen is to come again.
        let notice_ids = result.notices.iter().map(|notice| notice.notice_id).collect();
        context.call::<Ack>(&AckParams { notice_ids }).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(notices: &[Notice], now_ms: u64) -> Table {
    let mut table = Table::new([
        Column::Whole("NOTICE"),
        Column::Whole("ID"),
        Column::Whole("STATE"),
        Column::Whole("EXIT"),
        Column::Whole("ENDED"),
        Column::Cut("SUMMARY"),
    ]);
    for notice in notices {
        table.push([
            Cell::new(notice.notice_id.to_string()),
            Cell::new(notice.task_id.as_str()),
            rows::state(notice.state),
            Cell::or_dash(notice.exit_code.map(|code| code.to_string())),
            Cell::new(moment::relative(notice.at_ms, now_ms)),
            Cell::new(&notice.summary),
        ]);
    }
    table
}
