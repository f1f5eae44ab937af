//! What a server can be told, whichever wire it is reached by.

use std::path::PathBuf;
use std::time::Duration;

use exec_protocol::process::{Containment, Umask};
use exec_server::{Config, TaskStorage};

use crate::fixture;

/// What a server can be told, whichever wire it is reached by. The default is the server's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How the descendants of a process are held together.
    pub containment: Option<Containment>,
    /// How long a session lives without a connection; whole seconds.
    pub detached_session: Option<Duration>,
    /// A session is not taken from its connection.
    pub refuse_takeover: bool,
    /// The permissions that new files of processes do not get.
    pub umask: Option<Umask>,
    /// No program gives a process privileges.
    pub no_new_privs: bool,
    /// Where background work is kept. None: there is none.
    pub state_dir: Option<PathBuf>,
}

impl Options {
    /// For a server in this process.
    pub(super) fn config(self) -> Config {
        let defaults = Config::default();
        Config {
            containment: self.containment,
            detached_session: self.detached_session.unwrap_or(defaults.detached_session),
            takeover: !self.refuse_takeover,
            umask: self.umask,
            no_new_privs: self.no_new_privs,
            tasks: self.state_dir.map(TaskStorage::in_directory),
            helper: Some(fixture::program("exec-server-under-test")),
            ..defaults
        }
    }

    /// For the program.
    pub(super) fn arguments(self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(containment) = self.containment {
            let name = match containment {
                Containment::Cgroup => "cgroup",
                Containment::Supervisor => "supervisor",
                Containment::Group => "group",
            };
            arguments.extend(["--containment".into(), name.into()]);
        }
        if let Some(time) = self.detached_session {
            arguments.extend(["--detached-session".into(), time.as_secs().to_string()]);
        }
        if self.refuse_takeover {
            arguments.push("--refuse-takeover".into());
        }
        if let Some(umask) = self.umask {
            arguments.extend(["--umask".into(), umask.to_string()]);
        }
        if self.no_new_privs {
            arguments.push("--no-new-privs".into());
        }
        match self.state_dir {
            Some(state_dir) => arguments.extend(["--state-dir".into(), state_dir.display().to_string()]),
            // Else a server that stays would have that of whoever runs the tests.
            None => arguments.push("--no-tasks".into()),
        }
        arguments
    }
}
