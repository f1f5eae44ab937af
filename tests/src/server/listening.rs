//! The real binary, spoken to by websocket.

use std::process::Stdio;

use exec_client::Transport;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::{ABANDONED, Options};
use crate::fixture;
use crate::os::OsProcess;
use crate::wait::within_patience;

/// What a server that is a program of its own finds in its environment, beside what the tests have.
pub(super) const VARIABLES: [(&str, &str); 2] =
    [("EXEC_TESTS_PLAIN", "plain"), ("EXEC_TESTS_API_KEY", "secret")];

#[derive(Debug)]
pub(super) struct Listening {
    child: Child,
    process: OsProcess,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Listening {
    pub(super) async fn start(options: Options) -> Self {
        let mut command = Command::new(fixture::program("exec-server-under-test"));
        command.args(options.arguments()).envs(VARIABLES);
        Self::start_as(command).await
    }

    /// Starts a server whose arguments, except where it listens, and surroundings are there already.
    pub(super) async fn start_as(mut command: Command) -> Self {
        let mut child = command
            .args(["--listen", "ws://127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server can be started");
        let pid = child.id().expect("nobody has waited for it");
        let process = OsProcess::with_pid(pid).expect("nobody has waited for it");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut url = String::new();
        let line = within_patience("the server's URL", stdout.read_line(&mut url)).await;
        line.expect("stdout can be read");
        assert!(url.starts_with("ws://") && url.ends_with('\n'), "no URL: {url:?}");
        url.pop();
        Self {
            child,
            process,
            stdout,
            url,
        }
    }

    pub(super) async fn connect(&self) -> Transport {
        let connecting = within_patience("a connection", Transport::websocket(&self.url));
        connecting
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.url))
    }

    pub(super) fn process(&self) -> OsProcess {
        self.process
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn finish(mut self) {
        let children = self.process.descendants();
        self.terminate();
        let status = within_patience("the server to leave", self.child.wait()).await;
        let status = status.expect("nobody else has waited for it");
        assert!(status.success(), "the server left with {status}");
        let left: Vec<_> = children.into_iter().filter(|child| child.is_running()).collect();
        assert_eq!(left, [], "the server left these behind");
        let mut said = String::new();
        let read = within_patience("the end of stdout", self.stdout.read_to_string(&mut said)).await;
        read.expect("stdout can be read");
        assert_eq!(said, "", "the URL is not the only line on stdout");
    }

    /// Waits for the end of a server that was killed.
    pub(super) async fn reap(mut self) {
        let status = within_patience("the server to be gone", self.child.wait()).await;
        status.expect("nobody else has waited for it");
    }

    pub(super) async fn abandon(mut self) {
        self.terminate();
        if timeout(ABANDONED, self.child.wait()).await.is_err() {
            // The test has failed already; what cannot be killed changes nothing.
            let _ = self.child.kill().await;
        }
    }

    fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }
}
