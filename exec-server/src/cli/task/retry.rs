//! `task retry`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::task::{Retry, TaskParams, TaskRef};

use super::context::Context;
use crate::cli::Failure;

/// Make another attempt of a task that has ended
#[derive(Debug, Args)]
pub(super) struct RetryArgs {
    /// Its id, or the beginning of it
    #[arg(value_parser = TaskRef::new)]
    id: TaskRef,
}

/// Asks for another attempt.
pub(super) async fn retry(context: &Context, args: RetryArgs) -> Result<ExitCode, Failure> {
    let task = context.call::<Retry>(&TaskParams { task_id: args.id }).await?;
    context.tell(&task, |task, _| {
        format!("{} {}\n", task.task_id, task.state.as_str())
    })?;
    Ok(ExitCode::SUCCESS)
}
