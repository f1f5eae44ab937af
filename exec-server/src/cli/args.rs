//! The options of the server, and those of `exec-server run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use exec_protocol::process::Umask;

use super::access::AccessArgs;
use super::listen::{Listen, Passed};
use super::{Failure, config};
use crate::{Config, TaskStorage};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ServeArgs {
    /// Where to serve: `stdio`, `ws://IP:PORT`, `wss://IP:PORT`, `unix:///PATH`, or `fd://` for sockets of a service manager;
    /// may be repeated. Port 0 takes a free one; the URLs are printed [default: stdio, or `fd://` if there are such]
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<Listen>,
    #[command(flatten)]
    pub(super) access: AccessArgs,
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
    pub(super) concurrent_requests: bool,
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
    pub(super) fn config(&self, stays: bool) -> Result<Config, Failure> {
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

    /// Whether the control group of this program is ours to change: nobody asks for that by the way.
    pub(super) fn has_groups(&self) -> bool {
        self.containment == Some(Containment::Cgroup)
    }

    /// Where to serve.
    pub(super) fn listen(&self, passed: &Passed) -> Vec<Listen> {
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
    pub(super) fn is_given(&self) -> bool {
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

/// Run a command through an embedded server, as if it had been called directly
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct RunArgs {
    /// Run it on a terminal of its own
    #[arg(long, short)]
    pub(super) tty: bool,
    /// Run it in this directory
    #[arg(long, value_name = "DIR")]
    pub(super) cwd: Option<PathBuf>,
    /// Set a variable on top of this environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) env: Vec<(String, String)>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(super) argv: Vec<String>,
}

const RUN_EXAMPLES: &str = "\
Ctrl-C interrupts the command. The exit code is the command's, or 128+n for signal n; 125 if it
could not be run. Whoever it leaves behind ends with it.

Examples:
  exec-server run -- make -j4
  exec-server run --tty -- htop
  echo hello | exec-server run --env LANG=C -- tr a-z A-Z";

/// A name and its value, as words of the command line give them.
pub(in crate::cli) fn variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not of the form NAME=VALUE"),
    }
}
