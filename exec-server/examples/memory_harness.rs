//! A test harness: server and client in one program, connected in memory. No port, no binary, nothing left behind.
//!
//! ```console
//! cargo run --example memory_harness
//! ```
//!
//! Exits with 101 if an assertion fails.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use exec_client::{CallError, Client, Event, Transport};
use exec_protocol::process::StartParams;
use exec_protocol::{ErrorKind, ProcessId};
use exec_server::transport::{Connection, MemoryPeer};
use exec_server::{Config, Server};
use tokio_util::task::TaskTracker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let harness = Harness::new().await?;

    let (output, exit_code) = harness.run(["tr", "a-z", "A-Z"], "hello\n").await?;
    assert_eq!((output.as_slice(), exit_code), (&b"HELLO\n"[..], 0));

    let (output, exit_code) = harness.run(["sh", "-c", "kill -9 $$"], "").await?;
    assert_eq!((output.as_slice(), exit_code), (&b""[..], 128 + 9));

    let refusal = harness
        .run(["no-such-program"], "")
        .await
        .expect_err("nothing can have run");
    let CallError::Rpc(refusal) = refusal else {
        return Err(refusal.into());
    };
    assert_eq!(refusal.kind(), Some(ErrorKind::ProgramNotFound));

    harness.end().await;
    println!("all as expected");
    Ok(())
}

/// A server of its own for one test, and a client that is connected to it.
struct Harness {
    server: Server,
    client: Client,
    tasks: TaskTracker,
}

impl Harness {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let server = Server::new(Config::default())?;
        let (connection, MemoryPeer { outgoing, incoming }) = Connection::memory();
        let tasks = TaskTracker::new();
        tasks.spawn({
            let server = server.clone();
            async move { server.serve(connection).await }
        });
        let client = Client::connect(Transport::memory(outgoing, incoming), "memory_harness").await?;
        Ok(Self {
            server,
            client,
            tasks,
        })
    }

    /// Runs a command on pipes, with `input` for its stdin. What it wrote, and its exit code.
    async fn run<const N: usize>(&self, argv: [&str; N], input: &str) -> Result<(Vec<u8>, i32), CallError> {
        let id = ProcessId::new(&format!("test-{}", argv[0])).expect("names of programs are short");
        let mut params = StartParams::new(id, argv);
        params.pipe_stdin = true;
        let mut process = self.client.start(&params).await?;
        let control = process.control();
        control.write(input.to_owned()).await?;
        control.close_stdin().await?;
        let (mut output, mut code) = (Vec::new(), None);
        while let Some(event) = process.next().await {
            match event {
                Event::Output { bytes, .. } => output.extend_from_slice(&bytes),
                Event::Exited { exit_code, .. } => code = Some(exit_code),
                Event::Closed { .. } => {}
                Event::Gap { .. } | Event::Disconnected => panic!("{event:?} without a cause"),
            }
        }
        Ok((output, code.expect("a process exits before it closes")))
    }

    async fn end(self) {
        self.client.close().await;
        let report = self.server.shutdown().await;
        assert!(report.is_complete, "{report:?}");
        self.tasks.close();
        self.tasks.wait().await;
    }
}
