//! The command line: `exec-server` serves, `exec-server run` runs one command, `exec-server task` asks a server that runs.

mod access;
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
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use exec_protocol::process::Umask;
use tracing_subscriber::filter::Targets;

use crate::causes::described;
use crate::{Config, TaskStorage};
use access::AccessArgs;
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

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct ServeArgs {
    /// Where to serve: `stdio`, `ws://IP:PORT`, `wss://IP:PORT`, `unix:///PATH`, or `fd://` for sockets of a service manager;
    /// may be repeated. Port 0 takes a free one; the URLs are printed [default: stdio, or `fd://` if there are such]
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<Listen>,
    #[command(flatten)]
    access: AccessArgs,
    /// Memory for the output of all processes together [default: half of what this program may use]
    #[arg(long, value_name = "BYTES")]
    output_memory: Option<usize>,
    /// How the descendants of a process are held together, so that they end with it [default: auto]
    #[arg(long, value_name = "WAY")]
    containment: Option<Containment>,
    /// Permissions that new files of processes do not get, where a start does not say [default: the server's]
    #[arg(long, value_name = "OCTAL")]
    umask: Option<Umask>,
    /// No program gives any process privileges that the server does not have (set-user-ID, capabilities)
    #[arg(long)]
    no_new_privs: bool,
    /// How long a session lives without a connection [default: 90]
    #[arg(long, value_name = "SECONDS")]
    detached_session: Option<u32>,
    /// Refuse a connection that resumes a session which has one, instead of hanging up on that one
    #[arg(long)]
    refuse_takeover: bool,
    /// Where background work is kept, which one server has at a time [default: exec-server in the user's state home; on
    /// stdio none]
    #[arg(long, value_name = "DIR", conflicts_with = "no_tasks")]
    state_dir: Option<PathBuf>,
    /// Output of all background work together that is kept [default: 10 GiB]
    #[arg(long, value_name = "BYTES", conflicts_with = "no_tasks")]
    task_storage: Option<u64>,
    /// No background work: `task/*` is refused, and nothing is kept
    #[arg(long)]
    no_tasks: bool,
    /// Changes nothing: requests are always served as they come. Hosts of other exec servers pass it
    #[arg(long)]
    concurrent_requests: bool,
}

/// A way to hold the descendants of a process together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Containment {
    /// The strongest that this machine has
    Auto,
    /// A control group; nobody but root escapes it
    Cgroup,
    /// A supervising process; nobody escapes it but who kills it
    Supervisor,
    /// The process group and session; who begins another session escapes
    Group,
}

impl ServeArgs {
    /// What the server lives by. `stays`: when a connection goes.
    fn config(&self, stays: bool) -> Result<Config, Failure> {
        use exec_protocol::process::Containment as Way;

        let defaults = config();
        let detached_session = self
            .detached_session
            .map(|seconds| Duration::from_secs(seconds.into()));
        Ok(Config {
            output_memory: self.output_memory.unwrap_or(defaults.output_memory),
            containment: match self.containment.unwrap_or(Containment::Auto) {
                Containment::Auto => None,
                Containment::Cgroup => Some(Way::Cgroup),
                Containment::Supervisor => Some(Way::Supervisor),
                Containment::Group => Some(Way::Group),
            },
            detached_session: detached_session.unwrap_or(defaults.detached_session),
            takeover: !self.refuse_takeover,
            // On stdio the server ends with its only connection.
            keep: stays,
            tasks: self.tasks(stays),
            access: self.access.access()?,
            umask: self.umask,
            no_new_privs: self.no_new_privs,
            ..defaults
        })
    }

    /// Where to serve.
    fn listen(&self, passed: &Passed) -> Vec<Listen> {
        if !self.listen.is_empty() {
            self.listen.clone()
        } else if !passed.is_empty() {
            vec![Listen::Passed]
        } else {
            vec![Listen::Stdio]
        }
    }

    /// Where background work is kept. On stdio the server ends with its only connection, and must not take the usual place
    /// from one that stays.
    fn tasks(&self, stays: bool) -> Option<TaskStorage> {
        if self.no_tasks {
            return None;
        }
        let storage = match &self.state_dir {
            Some(state_dir) => TaskStorage::in_directory(state_dir),
            None if stays => TaskStorage {
                is_required: false,
                ..TaskStorage::in_directory(state_home()?.join("exec-server"))
            },
            None => return None,
        };
        Some(TaskStorage {
            bytes: self.task_storage.unwrap_or(storage.bytes),
            ..storage
        })
    }

    /// Whether anything was asked for that only a server can do.
    fn is_given(&self) -> bool {
        !self.listen.is_empty()
            || self.access.is_given()
            || self.output_memory.is_some()
            || self.containment.is_some()
            || self.umask.is_some()
            || self.no_new_privs
            || self.detached_session.is_some()
            || self.refuse_takeover
            || self.state_dir.is_some()
            || self.task_storage.is_some()
            || self.no_tasks
            || self.concurrent_requests
    }
}

/// Where programs keep the user's state (XDG Base Directory Specification 0.8).
fn state_home() -> Option<PathBuf> {
    let directory = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    directory("XDG_STATE_HOME").or_else(|| Some(directory("HOME")?.join(".local/state")))
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

/// Run a command through an embedded server, as if it had been called directly
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
struct RunArgs {
    /// Run it on a terminal of its own
    #[arg(long, short)]
    tty: bool,
    /// Run it in this directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<std::path::PathBuf>,
    /// Set a variable on top of this environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    argv: Vec<String>,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  exec-server                                   serve the program that started this one
  exec-server --listen ws://127.0.0.1:0         serve websockets; prints the URL
  exec-server run -- cargo build                run a command, output as it comes
  exec-server run --tty -- vim notes.txt        run it on a terminal
  exec-server task submit -- make               run it in the background, on a server that runs";

const RUN_EXAMPLES: &str = "\
Ctrl-C interrupts the command. The exit code is the command's, or 128+n for signal n; 125 if it
could not be run. Whoever it leaves behind ends with it.

Examples:
  exec-server run -- make -j4
  exec-server run --tty -- htop
  echo hello | exec-server run --env LANG=C -- tr a-z A-Z";

fn variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not of the form NAME=VALUE"),
    }
}

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
    let config = args.config(stays)?;
    serve::serve(&listen, passed, args.access.tls()?, config).await
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
