//! `exec-server task`: background work on a server that runs.

mod clean;
mod context;
mod duration;
mod ends;
mod exit;
mod interrupt;
mod lanes;
mod list;
mod logs;
mod moment;
mod notices;
mod output;
mod progress;
mod retry;
mod rows;
#[cfg(test)]
mod sample;
mod scope;
mod screen;
mod server;
mod show;
mod signal;
mod size;
mod stop;
mod submit;
mod summary;
mod table;
mod text;
mod wait;
mod write;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, LAST};
use context::{Context, Form};
use server::ServerArgs;

/// Submit background work to a server that runs, and look after it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TaskArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Print results for programs: as the wire has them, one JSON document in a line
    #[arg(long, global = true, display_order = LAST)]
    json: bool,
    #[command(subcommand)]
    command: TaskCommand,
}

#[derive(Debug, Subcommand)]
enum TaskCommand {
    Submit(Box<submit::SubmitArgs>),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Summary(summary::SummaryArgs),
    Logs(Box<logs::LogsArgs>),
    Wait(wait::WaitArgs),
    /// Ask tasks to end, or take them back if they wait
    Stop(stop::StopArgs),
    /// End all tasks of a group, and wait until they have
    StopGroup(stop::StopGroupArgs),
    /// Stop tasks, and delete their records and their output
    Remove(stop::StopArgs),
    Retry(retry::RetryArgs),
    Write(write::WriteArgs),
    Signal(signal::SignalArgs),
    Clean(clean::CleanArgs),
    Lanes(lanes::LanesArgs),
    Notices(notices::NoticesArgs),
}

const EXAMPLES: &str = "\
A task is named by its id, or by the beginning of it if no other task's id begins so.
Tables are in colour on a terminal, unless NO_COLOR is set or TERM is `dumb`.

Exit codes:
  0    all went well
  2    the arguments make no sense
  125  the server, or this program, could not do it
  141  nobody reads the output
`wait` and `submit --wait` exit as the task did: see `task wait --help`.

Examples:
  export EXEC_SERVER_URL=ws://127.0.0.1:4000      # where `exec-server --listen` serves
  id=$(exec-server task submit --title build -- make -j4)
  exec-server task logs -f \"$id\"
  exec-server task wait \"$id\" || echo failed";

/// Does what is asked of the server.
pub(super) async fn task(args: TaskArgs) -> Result<ExitCode, Failure> {
    let form = if args.json { Form::Json } else { Form::Text };
    let context = Context::connect(&args.server, form).await?;
    let outcome = run(&context, args.command).await;
    context.close().await;
    outcome
}

async fn run(context: &Context, command: TaskCommand) -> Result<ExitCode, Failure> {
    match command {
        TaskCommand::Submit(args) => submit::submit(context, *args).await,
        TaskCommand::List(args) => list::list(context, args).await,
        TaskCommand::Show(args) => show::show(context, args).await,
        TaskCommand::Summary(args) => summary::summary(context, args).await,
        TaskCommand::Logs(args) => logs::logs(context, *args).await,
        TaskCommand::Wait(args) => wait::wait(context, args).await,
        TaskCommand::Stop(args) => stop::stop(context, args).await,
        TaskCommand::StopGroup(args) => stop::stop_group(context, args).await,
        TaskCommand::Remove(args) => stop::remove(context, args).await,
        TaskCommand::Retry(args) => retry::retry(context, args).await,
        TaskCommand::Write(args) => write::write(context, args).await,
        TaskCommand::Signal(args) => signal::signal(context, args).await,
        TaskCommand::Clean(args) => clean::clean(context, args).await,
        TaskCommand::Lanes(args) => lanes::lanes(context, args).await,
        TaskCommand::Notices(args) => notices::notices(context, args).await,
    }
}
