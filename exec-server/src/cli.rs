//! The command line: `exec-server` serves, `exec-server run` runs one command, `exec-server task` asks a server that runs.

mod access;
mod args;
mod completions;
mod date;
mod escape;
mod hardening;
mod listen;
mod log;
mod run;
mod serve;
mod signals;
mod task;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::filter::Targets;

use crate::Config;
use crate::causes::described;
use args::{RunArgs, ServeArgs};
use listen::{Listen, Passed};
use log::Log;

/// The exit code for a problem of our own, as opposed to one of the command that was run.
const FAILURE: u8 = 125;

/// The exit code of a program whose output nobody wants to read any more: 128 and the number of SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// Where the options that all commands have stand in their help: behind their own.
const LAST: usize = 900;

/// Runs commands for a program on the other side of a pipe, a socket or a channel.
#[derive(Debug, Parser)]
#[command(name = "exec-server", version, after_help = SERVE_EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
    /// What to log to stderr, such as `debug` or `exec_server=trace` (default: `RUST_LOG`, else `warn`)
    #[arg(long, global = true, value_name = "FILTER", display_order = LAST)]
    log: Option<Targets>,
    /// What a line of the log looks like
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = log::Format::Text, display_order = LAST)]
    log_format: log::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(RunArgs),
    Task(task::TaskArgs),
    Completions(completions::CompletionsArgs),
}

/// What every server of this program has.
fn config() -> Config {
    Config {
        // Also when the file was replaced meanwhile.
        #[cfg(target_os = "linux")]
        helper: Some("/proc/self/exe".into()),
        ..Config::default()
    }
}

const SERVE_EXAMPLES: &str = "\
Examples:
  exec-server                                   serve the program that started this one
  exec-server --listen ws://127.0.0.1:0         serve websockets; prints the URL
  exec-server run -- cargo build                run a command, output as it comes
  exec-server run --tty -- vim notes.txt        run it on a terminal
  exec-server task submit -- make               run it in the background, on a server that runs";

/// Does what the arguments of this program say.
pub fn main() -> ExitCode {
    if let Some(code) = crate::helper::run_if_asked() {
        return code;
    }
    let cli = Cli::parse();
    if cli.command.is_some() && cli.serve.is_given() {
        let message = "the options before `run`, `task` and `completions` are for serving";
        Cli::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    // Takes its variables away, which must not be done once there are threads.
    let passed = Passed::take();
    let log = match Log::start(cli.log, cli.log_format) {
        Ok(log) => log,
        // Nothing runs yet that could be held up.
        Err(error) => {
            let _ = writeln!(io::stderr(), "exec-server: {error}");
            return ExitCode::from(FAILURE);
        }
    };
    // One thread: what the server does is short, and a message that crosses threads is late.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&log, &error),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Some(Command::Run(args)) => run::run(args).await,
            Some(Command::Task(args)) => while_read(task::task(args).await),
            Some(Command::Completions(args)) => while_read(completions::print(&args)),
            None => serve(&cli.serve, passed).await,
        }
    });
    // A thread may still be blocked in a read of standard input; it is not waited for.
    runtime.shutdown_background();
    let_go_of_streams();
    outcome.unwrap_or_else(|error| fail(&log, error.as_ref()))
}

async fn serve(args: &ServeArgs, passed: Passed) -> Result<ExitCode, Failure> {
    // Before there are any.
    hardening::keep_secrets()?;
    let listen = args.listen(&passed);
    if !passed.is_empty() && !listen.contains(&Listen::Passed) {
        tracing::warn!("the sockets of the service manager are not served: that takes `--listen fd://`");
    }
    // With stdio among them the server leaves at the end of its input.
    let stays = !listen.contains(&Listen::Stdio);
    args.access.fits(&listen)?;
    if args.has_groups() {
        make_room();
    }
    let config = args.config(stays)?;
    serve::serve(&listen, passed, args.access.tls()?, config).await
}

/// Moves out of our control group, if it can hand down its controllers then.
fn make_room() {
    match pty_utils::make_room_for_limits() {
        Ok(true) => {
            tracing::info!("moved to a control group below, so that this one can hand its controllers down");
        }
        Ok(false) => {}
        Err(error) => tracing::info!(
            error = &described(&error),
            "the control group hands no controllers down"
        ),
    }
}

/// Closes standard input and output. A thread that hangs in a file system outlives this program's end, and with it every
/// descriptor; whoever is at the other end of these is to see it now.
fn let_go_of_streams() {
    use rustix::stdio::{dup2_stdin, dup2_stdout};

    if let Ok(nothing) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        // Where it fails, the end closes them.
        let _ = dup2_stdin(&nothing);
        let _ = dup2_stdout(&nothing);
    }
}

/// Whatever went wrong, for people.
type Failure = Box<dyn std::error::Error>;

fn fail(log: &Log, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    log.fail(&described(error));
    ExitCode::from(FAILURE)
}

/// The outcome, or a quiet end if nobody reads our output any more. What a connection suffers has a type of its own.
fn while_read(outcome: Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    let error = outcome
        .as_ref()
        .err()
        .and_then(|error| error.downcast_ref::<io::Error>());
    match error.map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) => Ok(ExitCode::from(BROKEN_PIPE)),
        _ => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_hosts_of_other_servers_pass_is_accepted() {
        let words = ["--listen", "ws://127.0.0.1:0", "--concurrent-requests"];
        let cli = Cli::parse_from(["exec-server"].into_iter().chain(words));
        assert!(cli.serve.concurrent_requests && cli.serve.is_given());
    }

    #[test]
    fn what_follows_the_command_belongs_to_the_command() {
        let cli = Cli::parse_from(["exec-server", "run", "--env", "A=b=c", "ls", "--tty", "--", "-l"]);
        let Some(Command::Run(args)) = cli.command else {
            panic!("not run")
        };
        assert_eq!(args.env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(args.argv, ["ls", "--tty", "--", "-l"]);
        assert!(!args.tty);
    }
}
