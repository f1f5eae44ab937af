//! `task lanes`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{LaneName, Lanes, LanesParams, LanesResult};

use super::context::Context;
use super::table::{Cell, Column, Table};
use crate::cli::Failure;

/// List the lanes, whose tasks take turns; or say how many of a lane may run at a time
#[derive(Debug, Args)]
pub(super) struct LanesArgs {
    /// The lane to change; one that is not there yet is made
    #[arg(value_parser = LaneName::new, requires = "max")]
    lane: Option<LaneName>,
    /// How many of its tasks may run at a time; with 0 none begins
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    max: Option<u32>,
}

/// Changes a lane if that is asked for, and prints them all.
pub(super) async fn lanes(context: &Context, args: LanesArgs) -> Result<ExitCode, Failure> {
    let params = LanesParams {
        lane: args.lane,
        max_parallel: args.max,
    };
    let lanes = context.call::<Lanes>(&params).await?;
    context.tell(&lanes, |lanes, screen| table(lanes).render(screen))?;
    Ok(ExitCode::SUCCESS)
}

fn table(lanes: &LanesResult) -> Table {
    let mut table = Table::new([
        Column::Cut("LANE"),
        Column::Whole("MAX"),
        Column::Whole("RUNNING"),
        Column::Whole("QUEUED"),
    ]);
    for lane in &lanes.lanes {
        table.push([
            Cell::new(lane.lane.as_str()),
            Cell::new(lane.max_parallel.to_string()),
            Cell::new(lane.running.to_string()),
            Cell::new(lane.queued.to_string()),
        ]);
    }
    table
}
