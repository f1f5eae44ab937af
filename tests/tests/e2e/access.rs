//! Who may come in: over the network, from a web page, from this machine.

mod activation;
mod clients;
mod hosts;
mod identities;
mod newcomers;
mod origins;
mod signed;
pub(crate) mod tls;
mod tokens;
mod unix;

use std::fmt::Display;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use exec_tests::TestServer;
use exec_tests::websocket::{RawWebsocket, address};
use serde_json::{Value, json};

use crate::http;

/// What a server is asked for: a websocket, by a request with these headers beside the usual ones.
fn handshake(target: &str, headers: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\n{headers}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The header that names the server as it is bound.
fn host(server: &TestServer) -> String {
    format!("Host: {}\r\n", address(server.url()))
}

fn bearer(token: impl Display) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The status of the answer to a handshake with these headers, the Host's among them.
async fn status_with(server: &TestServer, headers: &str) -> u16 {
    http::first_status(server, handshake("/", headers)).await
}

/// A connection with headers of our own, that has shaken hands.
struct Known {
    raw: RawWebsocket,
    next_id: u64,
}

impl Known {
    async fn connect(url: &str, headers: &str) -> Self {
        let mut this = Self::newcomer(url, headers).await;
        let initialized = this.call("initialize", &json!({})).await;
        assert!(initialized["result"].is_object(), "{initialized}");
        this.raw.send_text(r#"{"method":"initialized"}"#).await;
        this
    }

    /// One that has not.
    async fn newcomer(url: &str, headers: &str) -> Self {
        let raw = RawWebsocket::connect_with(url, &handshake("/", headers)).await;
        Self { raw, next_id: 1 }
    }

    /// The answer to a request.
    async fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({"id": id, "method": method, "params": params});
        self.raw.send_text(&request.to_string()).await;
        self.raw.answer(id).await
    }
}

/// Writes a file that only this user can read.
fn write_secret(path: &Path, secret: impl AsRef<[u8]>) {
    fs::write(path, secret).expect("there is room for a file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("it is ours");
}
