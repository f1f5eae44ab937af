//! `task clean`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::Group;
use exec_protocol::task::{Clean, CleanParams};

use super::context::Context;
use super::{duration, size};
use crate::cli::Failure;

/// Delete ended tasks that are old, or too many, with their output
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// Those that ended so long ago [default: 7d]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    older_than: Option<u64>,
    /// All but the latest N ended ones of each group [default: 100]
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Only those of this group
    #[arg(long, value_parser = Group::new)]
    group: Option<Group>,
}

/// Deletes them.
pub(super) async fn clean(context: &Context, args: CleanArgs) -> Result<ExitCode, Failure> {
    let params = CleanParams {
        group: args.group,
        older_than_ms: args.older_than,
        keep_per_group: args.keep,
    };
    let result = context.call::<Clean>(&params).await?;
    context.tell(&result, |result, _| {
        let freed = size::readable(result.freed_bytes);
        format!("{} removed, {freed} freed\n", result.removed)
    })?;
    Ok(ExitCode::SUCCESS)
}
