//! A session outlives its connection, and another connection takes it up.

mod detached;
mod last_words;
mod missed;
mod takeover;

use exec_client::Transport;
use exec_protocol::SessionId;
use exec_tests::proxy::Proxy;
use exec_tests::wait::within_patience;
use exec_tests::{Peer, TestServer, Wire};

/// A way to the server that can be cut.
struct Line<'a> {
    server: &'a TestServer,
    proxy: Option<Proxy>,
}

impl<'a> Line<'a> {
    async fn to(server: &'a TestServer) -> Self {
        let proxy = match server.wire {
            Wire::Websocket => Some(Proxy::start(server.url(), Vec::new()).await),
            Wire::Memory | Wire::Stdio => None,
        };
        Self { server, proxy }
    }

    async fn connect(&self) -> Peer {
        match &self.proxy {
            Some(proxy) => {
                let transport = within_patience("a connection", Transport::websocket(proxy.url())).await;
                Peer::new(transport.expect("the proxy listens"))
            }
            None => self.server.connect().await,
        }
    }

    /// A connection that has opened a session.
    async fn open(&self) -> (Peer, SessionId) {
        let mut peer = self.connect().await;
        let session_id = peer.handshake().await.session_id;
        (peer, session_id)
    }

    /// A connection that has taken up a session.
    async fn resume(&self, session_id: &SessionId) -> Peer {
        let mut peer = self.connect().await;
        assert_eq!(peer.resume(session_id).await.session_id, *session_id);
        peer
    }

    /// Breaks the connection: a websocket is reset, a queue dropped.
    fn cut(&self, peer: Peer) {
        if let Some(proxy) = &self.proxy {
            proxy.cut();
        }
        peer.hang_up();
    }
}
