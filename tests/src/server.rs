//! A server to test, over the wire of one's choice.

mod embedded;
mod listening;
mod options;
mod piped;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::time::Duration;

use exec_protocol::initialize::Notifications;
use exec_server::Config;
use futures_util::FutureExt as _;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;

use crate::os::OsProcess;
use crate::peer::Peer;
use crate::watchdog::Watchdog;
use embedded::Embedded;
use listening::Listening;
pub use options::Options;
use piped::Piped;

/// How long the server of a failed test may take to end its processes.
const ABANDONED: Duration = Duration::from_secs(5);

/// How messages travel between the test and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// The server runs in the test.
    Memory,
    /// The real binary, as a child of the test. It has one connection.
    Stdio,
    /// The real binary, at an address that it has chosen itself.
    Websocket,
}

/// A running server.
#[derive(Debug)]
pub struct TestServer {
    /// The wire it is reached by.
    pub wire: Wire,
    running: Running,
    /// Where it keeps background work, if that goes with it.
    state_dir: Option<TempDir>,
}

#[derive(Debug)]
enum Running {
    Embedded(Embedded),
    Piped(Piped),
    Listening(Listening),
}

impl TestServer {
    /// Starts a server with the defaults.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was started is ended.
    pub async fn start(wire: Wire) -> Self {
        Self::start_with(wire, Options::default()).await
    }

    /// Starts a server that was told something.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was started is ended.
    pub async fn start_with(wire: Wire, options: Options) -> Self {
        let running = match wire {
            Wire::Memory => Running::Embedded(Embedded::start(options.config())),
            Wire::Stdio => Running::Piped(Piped::start(options)),
            Wire::Websocket => Running::Listening(Listening::start(options).await),
        };
        Self {
            wire,
            running,
            state_dir: None,
        }
    }

    /// Starts a server that keeps background work, in a directory that goes with it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was started is ended.
    pub async fn start_with_tasks(wire: Wire) -> Self {
        let state_dir = tempfile::tempdir().expect("there is room for a directory");
        let options = Options {
            state_dir: Some(state_dir.path().join("state")),
            ..Options::default()
        };
        Self {
            state_dir: Some(state_dir),
            ..Self::start_with(wire, options).await
        }
    }

    /// A server in memory that lives by other times than the defaults.
    pub fn embedded(config: Config) -> Self {
        Self {
            wire: Wire::Memory,
            running: Running::Embedded(Embedded::start(config)),
            state_dir: None,
        }
    }

    /// The [server's program](crate::program::server) as it was prepared, over websocket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was started is ended.
    pub async fn of_program(command: Command) -> Self {
        Self {
            wire: Wire::Websocket,
            running: Running::Listening(Listening::start_as(command).await),
            state_dir: None,
        }
    }

    /// A new connection, on which nothing has been said.
    ///
    /// # Panics
    ///
    /// On stdio the second time: there is only one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped.
    pub async fn connect(&self) -> Peer {
        match &self.running {
            Running::Embedded(server) => Peer::new(server.connect()),
            Running::Piped(server) => server.connect().await,
            Running::Listening(server) => Peer::new(server.connect().await),
        }
    }

    /// A new connection that has shaken hands.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped.
    pub async fn session(&self) -> Peer {
        let mut peer = self.connect().await;
        peer.handshake().await;
        peer
    }

    /// A new connection that has shaken hands and is told so much without asking.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped.
    pub async fn session_to_be_told(&self, notifications: Notifications) -> Peer {
        let mut peer = self.connect().await;
        peer.handshake_to_be_told(notifications).await;
        peer
    }

    /// Where it keeps background work, if it was started with it.
    pub fn state_dir(&self) -> PathBuf {
        let directory = self.state_dir.as_ref().expect("it was started with tasks");
        directory.path().join("state")
    }

    /// The server's own process, where it has one.
    pub fn process(&self) -> Option<OsProcess> {
        match &self.running {
            Running::Embedded(_) => None,
            Running::Piped(server) => Some(server.process()),
            Running::Listening(server) => Some(server.process()),
        }
    }

    /// Where the server listens. Websocket only.
    pub fn url(&self) -> &str {
        match &self.running {
            Running::Listening(server) => server.url(),
            Running::Embedded(_) | Running::Piped(_) => panic!("only a websocket server has a URL"),
        }
    }

    /// The server as a value, to call its methods. Memory only.
    pub fn in_process(&self) -> &exec_server::Server {
        match &self.running {
            Running::Embedded(server) => server.server(),
            Running::Piped(_) | Running::Listening(_) => panic!("the server runs in a process of its own"),
        }
    }

    /// Ends the server politely, and checks that it leaves as it should and leaves nothing behind.
    /// On stdio [`Peer::finish`] must have been called.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the server is ended.
    pub async fn finish(self) {
        match self.running {
            Running::Embedded(server) => server.finish().await,
            Running::Piped(server) => server.finish().await,
            Running::Listening(server) => server.finish().await,
        }
    }

    /// Kills the server, which has no say in it. Not in memory.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the server is killed.
    pub async fn crash(self) {
        let process = self.process().expect("it runs in a process of its own");
        process.signal(Signal::KILL);
        if let Running::Listening(server) = self.running {
            server.reap().await;
        }
        process.ended().await;
    }

    /// Ends the server of a test that has failed already.
    async fn abandon(self) {
        match self.running {
            Running::Embedded(server) => server.abandon().await,
            Running::Piped(server) => server.abandon().await,
            Running::Listening(server) => server.abandon().await,
        }
    }
}

/// Runs a test against a new server, and ends the server whatever comes of it.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn on(wire: Wire, test: impl AsyncFnOnce(&TestServer)) {
    on_with(wire, Options::default(), test).await;
}

/// As [`on`], with a server that was told something.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn on_with(wire: Wire, options: Options, test: impl AsyncFnOnce(&TestServer)) {
    run(TestServer::start_with(wire, options).await, test).await;
}

/// As [`on`], with a server that keeps background work, in a directory that goes with it.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn on_with_tasks(wire: Wire, test: impl AsyncFnOnce(&TestServer)) {
    run(TestServer::start_with_tasks(wire).await, test).await;
}

/// As [`on`], over websocket, with the [server's program](crate::program::server) as it was prepared.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn on_program(mut command: Command, test: impl AsyncFnOnce(&TestServer)) {
    // Else it would have the tasks of whoever runs the tests.
    command.arg("--no-tasks");
    run(TestServer::of_program(command).await, test).await;
}

/// As [`on`], with a server that is there already.
async fn run(server: TestServer, test: impl AsyncFnOnce(&TestServer)) {
    let _watchdog = Watchdog::start();
    match AssertUnwindSafe(test(&server)).catch_unwind().await {
        Ok(()) => server.finish().await,
        Err(panic) => {
            server.abandon().await;
            resume_unwind(panic);
        }
    }
}

/// Runs a test with a client that has shaken hands, and checks afterwards that nothing was left
/// unclaimed.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn with_peer(wire: Wire, test: impl AsyncFnOnce(&mut Peer)) {
    on(wire, async |server| one_peer(server, test).await).await;
}

/// As [`with_peer`], with a server that keeps background work.
///
/// # Cancel safety
///
/// Cancel safe: the server is ended.
pub async fn with_peer_of_tasks(wire: Wire, test: impl AsyncFnOnce(&mut Peer)) {
    on_with_tasks(wire, async |server| one_peer(server, test).await).await;
}

async fn one_peer(server: &TestServer, test: impl AsyncFnOnce(&mut Peer)) {
    let mut peer = server.session().await;
    test(&mut peer).await;
    peer.finish().await;
}
