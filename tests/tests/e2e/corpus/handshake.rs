//! What comes before a websocket, or instead of one, and its first frames.

use exec_tests::wait::within_patience;
use exec_tests::websocket::address;
use exec_tests::{TestServer, on_wires};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Seed, seeds};
use crate::http::{get, status};
use crate::witness;

/// Sends these bytes over a connection of their own, and their end, and waits until the server has hung up.
pub(super) async fn is_heard_out(server: &TestServer, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address(server.url()))
        .await
        .expect("the server listens");
    let hung_up = async {
        let mut rest = Vec::new();
        // It may hang up before it has read all of it; how, does not matter.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut rest).await;
    };
    let shown = String::from_utf8_lossy(bytes);
    within_patience(&format!("the server to hang up on {shown:?}"), hung_up).await;
}

on_wires! {
    [websocket]
    async fn whatever_comes_over_a_socket_costs_only_that(server: &TestServer) {
        let mut other = server.session().await;
        witness::start(&mut other).await;
        for Seed { name, bytes } in seeds("handshake") {
            is_heard_out(server, &bytes).await;
            assert_eq!(status(server, get("/readyz")).await, 200, "after {name}");
        }
        witness::answers(&mut other, "still here").await;
        witness::end(&mut other).await;
        other.finish().await;
    }
}
