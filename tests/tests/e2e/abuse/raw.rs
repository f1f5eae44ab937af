//! A client that sends and reads what it likes, when it likes.

use std::process::Stdio;
use std::time::Duration;

use exec_tests::os::OsProcess;
use exec_tests::wait::{PATIENCE, within_patience};
use exec_tests::websocket::{Opcode, Part, RawWebsocket, frame, read_frame};
use exec_tests::{Peer, TestServer, Wire, on, on_with_tasks, program};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long a server takes nothing, and has nothing to do either, before it is thought to have stopped reading.
const HELD_UP: Duration = Duration::from_millis(300);

/// What a server that has nothing to do still does in that time.
const IDLE: Duration = Duration::from_millis(5);

/// How much is sent at a time, in bytes.
const PIECE_BYTES: usize = 64 << 10;

type Reader = BufReader<Box<dyn AsyncRead + Unpin>>;

/// One connection, of which both directions are ours.
pub(super) struct Raw {
    wire: Wire,
    reader: Reader,
    writer: Box<dyn AsyncWrite + Unpin>,
    pub(super) server: OsProcess,
}

/// Runs a test with a server that is a child of ours, and ends that.
pub(super) async fn on_stdio(test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    on_child(program::server(["--no-tasks"]), test).await;
}

/// As [`on_stdio`], with a server that keeps background work.
pub(super) async fn on_stdio_with_tasks(test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    let state_dir = tempfile::tempdir().expect("there is room for a directory");
    let mut command = program::server(["--state-dir"]);
    command.arg(state_dir.path().join("state"));
    on_child(command, test).await;
}

async fn on_child(mut command: Command, test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.kill_on_drop(true).spawn();
    let mut child: Child = child.expect("the server can be started");
    let server = child.id().and_then(OsProcess::with_pid).expect("it runs");
    let stdout = child.stdout.take().expect("it is piped");
    let stdin = child.stdin.take().expect("it is piped");
    let mut raw = Raw::new(Wire::Stdio, Box::new(stdout), Box::new(stdin), server).await;
    test(&mut raw, None).await;
    drop(raw);
    // It does not see the end of its input while requests that wait keep it from reading.
    server.signal(Signal::TERM);
    let status = within_patience("the server to leave", child.wait()).await;
    assert!(status.expect("nobody else has waited for it").success());
}

/// Runs a test with a connection to a server that has another one, too.
pub(super) async fn on_websocket(test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    on(Wire::Websocket, async |server| beside_another(server, test).await).await;
}

/// As [`on_websocket`], with a server that keeps background work.
pub(super) async fn on_websocket_with_tasks(test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    on_with_tasks(Wire::Websocket, async |server| {
        beside_another(server, test).await;
    })
    .await;
}

async fn beside_another(server: &TestServer, test: impl AsyncFnOnce(&mut Raw, Option<&mut Peer>)) {
    let mut other = server.session().await;
    let mut raw = Raw::connect(server).await;
    test(&mut raw, Some(&mut other)).await;
    drop(raw);
    super::is_answered(&mut other).await;
    other.finish().await;
}

impl Raw {
    /// A client on a websocket that has shaken hands.
    pub(super) async fn connect(server: &TestServer) -> Self {
        let raw = RawWebsocket::connect(server.url(), "/", b"").await;
        let (reader, writer) = raw.into_stream().into_split();
        let process = server.process().expect("it runs on its own");
        Self::new(Wire::Websocket, Box::new(reader), Box::new(writer), process).await
    }

    /// Shakes hands, as one that is told nothing without asking.
    async fn new(
        wire: Wire,
        reader: Box<dyn AsyncRead + Unpin>,
        writer: Box<dyn AsyncWrite + Unpin>,
        server: OsProcess,
    ) -> Self {
        let mut this = Self {
            wire,
            reader: BufReader::new(reader),
            writer,
            server,
        };
        let hello = this
            .call(
                "initialize",
                json!({"clientName": "raw", "notifications": "none"}),
            )
            .await;
        assert!(hello["result"]["sessionId"].is_string(), "{hello}");
        this.send_text(r#"{"method":"initialized"}"#).await;
        this
    }

    /// The bytes of a message on this wire.
    pub(super) fn message(&self, text: &str) -> Vec<u8> {
        match self.wire {
            Wire::Stdio | Wire::Memory => [text.as_bytes(), b"\n"].concat(),
            Wire::Websocket => frame(Opcode::Text, Part::Last, text.as_bytes()),
        }
    }

    /// Sends a message.
    pub(super) async fn send_text(&mut self, text: &str) {
        let message = self.message(text);
        self.send(&message).await;
    }

    /// Sends bytes, all of them.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let sent = within_patience("the server to read", self.writer.write_all(bytes)).await;
        sent.expect("the server has hung up");
    }

    /// Sends bytes until the server takes no more of them and is done with those that it took, and says how many that are.
    /// Nothing is read meanwhile.
    pub(super) async fn send_until_held_up(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let piece = &bytes[taken..bytes.len().min(taken + PIECE_BYTES)];
            let worked = self.worked();
            match timeout(HELD_UP, self.writer.write(piece)).await {
                Ok(written) => taken += written.expect("the server has hung up"),
                Err(_) if self.worked().abs_diff(worked) < IDLE => break,
                Err(_) => {}
            }
        }
        taken
    }

    /// Waits until the server has nothing to do. Nothing is read meanwhile.
    pub(super) async fn until_idle(&self) {
        let before = self.worked();
        let mut worked = Duration::ZERO;
        while self.worked().abs_diff(worked) >= IDLE {
            worked = self.worked();
            // Where others want the processor too, its work takes longer than it is.
            assert!(
                worked.saturating_sub(before) < PATIENCE,
                "there is no end to the server's work"
            );
            sleep(HELD_UP).await;
        }
    }

    /// How long the server has worked so far.
    pub(super) fn worked(&self) -> Duration {
        self.server.processor_time().expect("it runs")
    }

    /// Sends bytes, and reads so many messages meanwhile, as text.
    pub(super) async fn exchange(&mut self, bytes: &[u8], messages: usize) -> Vec<String> {
        let Self {
            wire, reader, writer, ..
        } = self;
        let sending = async {
            writer.write_all(bytes).await.expect("the server has hung up");
        };
        let reading = async {
            let mut all = Vec::new();
            while all.len() < messages {
                all.push(next(*wire, reader).await);
            }
            all
        };
        tokio::join!(sending, reading).1
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Value {
        parse(&next(self.wire, &mut self.reader).await)
    }

    /// Calls a method and returns its answer. Nothing else may be asked for.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        let call = json!({"id": "call", "method": method, "params": params});
        self.send_text(&call.to_string()).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], "call", "{answer}");
        answer
    }

    /// Starts a process.
    pub(super) async fn start(&mut self, params: Value) {
        let answer = self.call("process/start", params).await;
        assert!(answer["result"].is_object(), "{answer}");
    }
}

/// The message in a text.
pub(super) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

async fn next(wire: Wire, reader: &mut Reader) -> String {
    let message = async {
        match wire {
            Wire::Stdio | Wire::Memory => {
                let mut line = Vec::new();
                let read = reader.read_until(b'\n', &mut line).await;
                read.expect("it can be read");
                line
            }
            Wire::Websocket => loop {
                let (opcode, payload) = read_frame(reader).await.expect("the server hung up");
                if opcode == Opcode::Text as u8 {
                    break payload;
                }
                assert_eq!(
                    opcode,
                    Opcode::Ping as u8,
                    "{:?}",
                    String::from_utf8_lossy(&payload)
                );
            },
        }
    };
    let message = within_patience("a message", message).await;
    String::from_utf8(message).expect("a message is UTF-8")
}
