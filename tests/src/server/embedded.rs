//! A server in this process.

use exec_client::Transport;
use exec_server::transport::{Connection, MemoryPeer};
use exec_server::{Config, Server};
use tokio_util::task::TaskTracker;

use crate::wait::within_patience;

#[derive(Debug)]
pub(super) struct Embedded {
    server: Server,
    connections: TaskTracker,
}

impl Embedded {
    pub(super) fn start(config: Config) -> Self {
        let server = Server::new(config).expect("a server can be made");
        Self {
            server,
            connections: TaskTracker::new(),
        }
    }

    pub(super) fn connect(&self) -> Transport {
        let (connection, MemoryPeer { outgoing, incoming }) = Connection::memory();
        let server = self.server.clone();
        self.connections
            .spawn(async move { server.serve(connection).await });
        Transport::memory(outgoing, incoming)
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) async fn finish(self) {
        let report = within_patience("the server to shut down", self.server.shutdown()).await;
        assert!(report.is_complete, "something was left behind: {report:?}");
        self.connections.close();
        within_patience("the connections to end", self.connections.wait()).await;
    }

    pub(super) async fn abandon(self) {
        self.server.kill();
        self.server.shutdown().await;
    }
}
