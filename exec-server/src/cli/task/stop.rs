//! `task stop`, `task stop-group` and `task remove`

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use exec_protocol::Group;
use exec_protocol::task::{Remove, Stop, StopGroup, StopGroupParams, StopParams, StopResult, TaskRef};

use super::context::Context;
use super::duration;
use super::output::remark;
use crate::causes::described;
use crate::cli::{FAILURE, Failure};

/// Which tasks are to end, and how.
#[derive(Debug, Args)]
pub(super) struct StopArgs {
    /// Their ids, or the beginnings of them
    #[arg(value_name = "ID", value_parser = TaskRef::new, required = true)]
    ids: Vec<TaskRef>,
    /// How long they have from the polite signal to the kill; 0 kills at once [default: as submitted]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    grace: Option<u64>,
}

/// Which group is to end, and how.
#[derive(Debug, Args)]
pub(super) struct StopGroupArgs {
    /// The group
    #[arg(value_parser = Group::new)]
    group: Group,
    /// How long they have from the polite signal to the kill; 0 kills at once [default: as submitted]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_ms)]
    grace: Option<u64>,
}

/// Asks tasks to end.
pub(super) async fn stop(context: &Context, args: StopArgs) -> Result<ExitCode, Failure> {
    let mut failures = Failures::default();
    for params in args.params() {
        match context.call::<Stop>(&params).await {
            Ok(result) => context.tell(&result, |result, _| stopped(result))?,
            Err(error) => failures.tell(&params.task_id, error.as_ref()),
        }
    }
    Ok(failures.exit_code())
}

/// Deletes tasks.
pub(super) async fn remove(context: &Context, args: StopArgs) -> Result<ExitCode, Failure> {
    let mut failures = Failures::default();
    for params in args.params() {
        match context.call::<Remove>(&params).await {
            Ok(result) => context.tell(&result, |result, _| format!("{} removed\n", result.task_id))?,
            Err(error) => failures.tell(&params.task_id, error.as_ref()),
        }
    }
    Ok(failures.exit_code())
}

/// Ends all tasks of a group.
pub(super) async fn stop_group(context: &Context, args: StopGroupArgs) -> Result<ExitCode, Failure> {
    let params = StopGroupParams {
        group: args.group,
        grace_ms: args.grace,
    };
    let result = context.call::<StopGroup>(&params).await?;
    context.tell(&result, |result, _| {
        format!("{} stopped, {} cancelled\n", result.stopped, result.cancelled)
    })?;
    Ok(ExitCode::SUCCESS)
}

impl StopArgs {
    fn params(self) -> impl Iterator<Item = StopParams> {
        let grace_ms = self.grace;
        let ids = self.ids.into_iter();
        ids.map(move |task_id| StopParams { task_id, grace_ms })
    }
}

/// What failed for some of several tasks: the others have their turn all the same.
#[derive(Debug, Default)]
struct Failures {
    any: bool,
}

impl Failures {
    fn tell(&mut self, id: &TaskRef, error: &(dyn Error + 'static)) {
        self.any = true;
        remark(&format!("exec-server: {id}: {}", described(error)));
    }

    fn exit_code(&self) -> ExitCode {
        if self.any {
            ExitCode::from(FAILURE)
        } else {
            ExitCode::SUCCESS
        }
    }
}

fn stopped(result: &StopResult) -> String {
    let (id, state) = (&result.task.task_id, result.task.state);
    match (result.stopped, state.is_ended()) {
        (true, false) => format!("{id} is asked to end\n"),
        (true, true) => format!("{id} {}\n", state.as_str()),
        (false, _) => format!("{id} had ended already: {}\n", state.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::TaskState;

    use super::*;
    use crate::cli::task::sample;

    #[test]
    fn a_stop_says_what_there_was_to_stop() {
        for (was_stopped, state, line) in [
            (true, TaskState::Running, "a is asked to end\n"),
            (true, TaskState::Stopped, "a stopped\n"),
            (false, TaskState::Completed, "a had ended already: completed\n"),
        ] {
            let mut task = sample::task("a");
            task.state = state;
            let result = StopResult {
                stopped: was_stopped,
                task,
            };
            assert_eq!(stopped(&result), line);
        }
    }
}
