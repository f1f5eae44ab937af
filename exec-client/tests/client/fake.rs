//! A scripted server: it says what a test tells it to, and insists on what it is told.

use std::time::Duration;

use bytes::Bytes;
use exec_client::{Client, Event, Transport};
use exec_protocol::process::Stream;
use exec_protocol::{Blob, ProcessId, Seq};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longest time any single expectation may take.
///
/// A liveness bound, not a pause: a passing test never waits for it. Shorter than the 10 s after
/// which the client gives up on a server that does not answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Messages of a connection in memory that were not received yet: few, so that a receiver that
/// pauses is noticed.
const MESSAGES: usize = 4;

pub(crate) const SESSION: &str = "session-1";

pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .expect("what was expected never came")
}

/// One connection, seen from the server.
pub(crate) enum Peer {
    Memory(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>),
    Websocket(Box<WebSocketStream<TcpStream>>),
}

impl Peer {
    /// A server in memory with the core only, and a client with a session.
    pub(crate) async fn with_client() -> (Self, Client) {
        Self::with_client_of(json!({})).await
    }

    pub(crate) async fn with_client_of(capabilities: Value) -> (Self, Client) {
        let (to_client, incoming) = mpsc::channel(MESSAGES);
        let (outgoing, from_client) = mpsc::channel(MESSAGES);
        let mut peer = Self::Memory(to_client, from_client);
        let connect = Client::connect(Transport::memory(outgoing, incoming), "test");
        let (client, params) =
            soon(async { tokio::join!(connect, peer.initialize_with(capabilities)) }).await;
        assert_eq!(params, json!({"clientName": "test", "resumeSessionId": null}));
        (peer, client.unwrap())
    }

    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = soon(listener.accept()).await.unwrap();
        let socket = soon(tokio_tungstenite::accept_async(stream)).await.unwrap();
        Self::Websocket(Box::new(socket))
    }

    /// A server with these capabilities, and a client on its first connection.
    pub(crate) async fn with_client_at(
        listener: &TcpListener,
        url: &str,
        capabilities: Value,
    ) -> (Self, Client) {
        let script = async {
            let mut peer = Self::accept(listener).await;
            peer.initialize_with(capabilities).await;
            peer
        };
        // On the heap: what opens a connection is large, and every test has it.
        let connected = Box::pin(async { tokio::join!(Client::connect_websocket(url, "test"), script) });
        let (client, peer) = soon(connected).await;
        (peer, client.unwrap())
    }

    /// Lets a client come back; it has to ask for its session.
    pub(crate) async fn take_back(listener: &TcpListener) -> Self {
        let mut peer = Self::accept(listener).await;
        let params = peer.initialize().await;
        assert_eq!(params, json!({"clientName": "test", "resumeSessionId": SESSION}));
        peer
    }

    /// The next message, if the client has not hung up.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        let message = match self {
            Self::Memory(_, incoming) => soon(incoming.recv()).await?,
            Self::Websocket(socket) => match soon(socket.next()).await?.ok()? {
                Message::Text(text) => text.into(),
                _ => return None,
            },
        };
        Some(serde_json::from_slice(&message).unwrap())
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        let text = message.to_string();
        match self {
            Self::Memory(outgoing, _) => soon(outgoing.send(text.into())).await.unwrap(),
            Self::Websocket(socket) => soon(socket.send(Message::text(text))).await.unwrap(),
        }
    }

    /// The next message, which has to be this request; its id and params.
    pub(crate) async fn expect(&mut self, method: &str) -> (Value, Value) {
        let mut message = self.hear().await.expect("the client hung up");
        assert_eq!(message["method"], method, "{message}");
        (message["id"].take(), message["params"].take())
    }

    pub(crate) async fn answer(&mut self, id: &Value, result: Value) {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
            .await;
    }

    pub(crate) async fn refuse(&mut self, id: &Value, code: i32, kind: &str) {
        let error = json!({"code": code, "message": "refused", "data": {"kind": kind}});
        self.say(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
            .await;
    }

    /// Opens or resumes a session of a server with the core only; returns what the client asked for.
    pub(crate) async fn initialize(&mut self) -> Value {
        self.initialize_with(json!({})).await
    }

    pub(crate) async fn initialize_with(&mut self, capabilities: Value) -> Value {
        let (id, params) = self.expect("initialize").await;
        let shell = json!({"name": "sh", "path": "/bin/sh"});
        let environment = json!({"shell": shell, "cwd": "file:///"});
        let result = json!({
            "sessionId": SESSION, "environmentInfo": environment, "capabilities": capabilities,
        });
        self.answer(&id, result).await;
        self.expect("initialized").await;
        params
    }

    pub(crate) async fn accept_start(&mut self) -> Value {
        let (id, params) = self.expect("process/start").await;
        let result = json!({"processId": params["processId"], "sandboxType": "none"});
        self.answer(&id, result).await;
        params
    }

    /// Tells of output: its number, as text.
    pub(crate) async fn output(&mut self, process: &str, seq: u64) {
        self.output_of(process, seq, seq.to_string()).await;
    }

    pub(crate) async fn output_of(&mut self, process: &str, seq: u64, text: String) {
        let chunk = Blob::from(text).to_base64();
        let params = json!({"processId": process, "seq": seq, "stream": "stdout", "chunk": chunk});
        self.say(&json!({"method": "process/output", "params": params}))
            .await;
    }

    /// Tells of output that is lost, 10 bytes for each number.
    pub(crate) async fn gap(&mut self, process: &str, seqs: std::ops::RangeInclusive<u64>) {
        let (from, to) = (seqs.start(), seqs.end());
        let (from_offset, to_offset) = (10 * (from - 1), 10 * to);
        let gap = json!({
            "fromSeq": from, "toSeq": to, "fromOffset": from_offset, "toOffset": to_offset,
            "bytes": to_offset - from_offset,
        });
        let params = json!({"processId": process, "gap": gap});
        self.say(&json!({"method": "process/gap", "params": params}))
            .await;
    }

    pub(crate) async fn exited(&mut self, process: &str, seq: u64) {
        let params = json!({"processId": process, "seq": seq, "exitCode": 3});
        self.say(&json!({"method": "process/exited", "params": params}))
            .await;
    }

    pub(crate) async fn closed(&mut self, process: &str, seq: u64) {
        let params = json!({"processId": process, "seq": seq});
        self.say(&json!({"method": "process/closed", "params": params}))
            .await;
    }

    /// Answers a read with the output of these numbers, of a process that runs.
    pub(crate) async fn serve_read(&mut self, kept: std::ops::Range<u64>) {
        let (id, params) = self.expect("process/read").await;
        self.answer_read(&id, &params, kept).await;
    }

    pub(crate) async fn answer_read(&mut self, id: &Value, params: &Value, kept: std::ops::Range<u64>) {
        let after = params["afterSeq"].as_u64().unwrap();
        let chunks: Vec<_> = (kept.start.max(after + 1)..kept.end)
            .map(|seq| json!({"seq": seq, "stream": "stdout", "chunk": Blob::from(seq.to_string()).to_base64()}))
            .collect();
        let result = json!({
            "chunks": chunks, "nextSeq": kept.end.max(after + 1), "exited": false, "exitCode": null,
            "closed": false, "failure": null, "sandboxDenied": false,
        });
        self.answer(id, result).await;
    }
}

pub(crate) fn process_id(name: &str) -> ProcessId {
    ProcessId::new(name).unwrap()
}

/// What [`Peer::output`] told.
pub(crate) fn output(seq: u64) -> Event {
    Event::Output {
        seq: Seq(seq),
        stream: Stream::Stdout,
        bytes: seq.to_string().into(),
    }
}

pub(crate) fn exited(seq: u64) -> Event {
    Event::Exited {
        seq: Seq(seq),
        exit_code: 3,
        details: Box::default(),
    }
}

pub(crate) fn closed(seq: u64) -> Event {
    Event::Closed {
        seq: Seq(seq),
        details: Box::default(),
    }
}
