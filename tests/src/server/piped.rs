//! The real binary as a child, spoken to by its stdin and stdout.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use exec_client::Transport;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::listening::VARIABLES;
use super::{ABANDONED, Options};
use crate::fixture;
use crate::os::OsProcess;
use crate::peer::Peer;
use crate::wait;

/// Writes its own pid into a file and becomes the server.
const TELL_PID: &str = r#"echo $$ >"$0" && exec "$@""#;

#[derive(Debug)]
pub(super) struct Piped {
    transport: Mutex<Option<Transport>>,
    directory: TempDir,
}

impl Piped {
    pub(super) fn start(options: Options) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", TELL_PID]).arg(pid_file(&directory));
        command.arg(fixture::program("exec-server-under-test"));
        command.args(options.arguments());
        command.envs(VARIABLES);
        let transport = Transport::stdio(command).expect("the server can be started");
        Self {
            transport: Mutex::new(Some(transport)),
            directory,
        }
    }

    pub(super) async fn connect(&self) -> Peer {
        let transport = self
            .transport
            .lock()
            .expect("no holder of this lock panics")
            .take();
        let transport = transport.expect("on stdio there is one connection");
        wait::until("the server is started", || self.pid().is_some()).await;
        Peer::with_own_server(transport, self.process())
    }

    pub(super) fn process(&self) -> OsProcess {
        let pid = self
            .pid()
            .expect("there is a pid as soon as there is a connection");
        OsProcess::with_pid(pid).expect("the server runs")
    }

    fn pid(&self) -> Option<u32> {
        fs::read_to_string(pid_file(&self.directory))
            .ok()?
            .strip_suffix('\n')?
            .parse()
            .ok()
    }

    pub(super) async fn finish(self) {
        let pid = self.pid().expect("there was a connection");
        wait::until("the server has left", || OsProcess::with_pid(pid).is_none()).await;
    }

    /// Its stdin ended when the test did, and it should leave by itself.
    pub(super) async fn abandon(self) {
        if let Some(process) = self.pid().and_then(OsProcess::with_pid)
            && timeout(ABANDONED, process.ended()).await.is_err()
        {
            process.signal(Signal::KILL);
        }
    }
}

fn pid_file(directory: &TempDir) -> PathBuf {
    directory.path().join("pid")
}
