//! exec-client rides out a broken websocket: every byte once, in order.

use std::time::Duration;

use exec_client::{CallError, Client, Event, Process};
use exec_protocol::environment::Info;
use exec_protocol::process::{StartParams, WriteStatus};
use exec_protocol::{Empty, ErrorKind, ProcessId, Seq};
use exec_tests::proxy::Proxy;
use exec_tests::wait::{until, within_patience};
use exec_tests::{TestServer, fixture, on_wires};

/// What the process says, in bytes: less than the server keeps, so that nothing is ever dropped.
const OUTPUT_BYTES: usize = 900_000;

/// How often the connection breaks.
const CUTS: usize = 15;

/// What the server says until a session is open, in bytes, and some more.
const HANDSHAKE_BYTES: usize = 4 << 10;

/// Points at which connections break: anywhere, most of them in mid-stream, some in a handshake.
struct Points(u64);

impl Points {
    fn below(&mut self, end: usize) -> usize {
        // Knuth's MMIX generator; the upper bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % end
    }

    fn budgets(&mut self, most: usize) -> Vec<usize> {
        let mut budgets: Vec<_> = (0..CUTS).map(|_| self.below(most)).collect();
        // The first connection is tried only once.
        budgets[0] += HANDSHAKE_BYTES;
        budgets
    }
}

async fn connect(proxy: &Proxy) -> Client {
    let connecting = Client::connect_websocket(proxy.url(), "exec-tests");
    within_patience("a session", connecting)
        .await
        .expect("the server is there")
}

async fn start<const N: usize>(client: &Client, name: &str, arguments: [&str; N]) -> Process {
    let mut params = StartParams::new(
        ProcessId::new(name).expect("a short name"),
        fixture::argv(arguments),
    );
    params.pipe_stdin = true;
    match within_patience("a start", client.start(&params)).await {
        Ok(process) => process,
        Err(error) => panic!("{name} was not started: {error:?}"),
    }
}

/// Follows a process to its close. Each event must be the one behind the one before.
async fn output(mut process: Process) -> (Vec<u8>, Option<i32>) {
    let (mut all, mut code, mut last) = (Vec::new(), None, 0);
    while let Some(event) = within_patience("an event", process.next()).await {
        let seq = match event {
            Event::Output { seq, bytes, .. } => {
                all.extend_from_slice(&bytes);
                seq
            }
            Event::Exited { seq, exit_code, .. } => {
                code = Some(exit_code);
                seq
            }
            Event::Closed { seq, .. } => seq,
            Event::Gap { .. } | Event::Disconnected => panic!("{event:?} behind {last}"),
        };
        assert_eq!(seq.0, last + 1);
        last = seq.0;
    }
    (all, code)
}

fn records(bytes: usize) -> Vec<u8> {
    let mut all: Vec<u8> = (0..=bytes / 16)
        .flat_map(|record| format!("{record:015}\n").into_bytes())
        .collect();
    all.truncate(bytes);
    all
}

on_wires! {
    [websocket]
    async fn output_arrives_whole_and_once_however_often_the_connection_breaks(server: &TestServer) {
        for seed in 1..=2 {
            // On the wire the output is a third longer.
            let proxy = Proxy::start(server.url(), Points(seed).budgets(OUTPUT_BYTES / CUTS)).await;
            let client = connect(&proxy).await;
            // This is about output, so the start comes before the breaks.
            let process = start(&client, "p", ["echo"]).await;
            let control = process.control();
            let write = async {
                for part in records(OUTPUT_BYTES).chunks(20_000) {
                    let status = control.write(part.to_vec()).await.expect("the client comes back");
                    assert_eq!(status, WriteStatus::Accepted);
                }
                control.close_stdin().await.expect("the client comes back");
            };
            let ((all, code), ()) = tokio::join!(output(process), within_patience("the writes", write));
            assert!(all == records(OUTPUT_BYTES), "seed {seed}: {} bytes came", all.len());
            assert_eq!(code, Some(0));
            assert!(proxy.connections() > 5, "seed {seed}: it broke {} times only", proxy.connections());
            client.close().await;
        }
    }

    [websocket]
    async fn output_without_any_input_arrives_whole_and_once(server: &TestServer) {
        for seed in 1..=2 {
            let budgets = Points(seed).budgets(OUTPUT_BYTES / CUTS);
            let proxy = Proxy::start(server.url(), budgets).await;
            let client = connect(&proxy).await;
            let (all, code) = output(start(&client, "p", ["emit", &OUTPUT_BYTES.to_string()]).await).await;
            assert!(all == records(OUTPUT_BYTES), "seed {seed}: {} bytes came", all.len());
            assert_eq!(code, Some(0));
            assert!(proxy.connections() > 5, "seed {seed}: it broke {} times only", proxy.connections());
            client.close().await;
        }
    }

    [websocket]
    async fn a_call_in_flight_is_answered_by_the_next_connection(server: &TestServer) {
        let proxy = Proxy::start(server.url(), Vec::new()).await;
        let client = connect(&proxy).await;
        let process = start(&client, "p", ["echo"]).await;
        let control = process.control();
        let waits = control.read(Seq(0), None, Duration::from_mins(1));
        let cuts = async {
            for cut in 1..=5 {
                proxy.cut();
                until("it is back", || proxy.connections() > cut).await;
                // A call that is answered here was made on the new connection, or repeated on it.
                client.call::<Info>(&Empty {}).await.expect("it is back");
            }
            control.write("x").await.expect("it is back");
        };
        let (read, ()) = within_patience("an answer", async { tokio::join!(waits, cuts) }).await;
        assert_eq!(read.expect("it is repeated").chunks.len(), 1);
        control.close_stdin().await.expect("it is connected");
        assert_eq!(output(process).await, (b"x".to_vec(), Some(0)));
        client.close().await;
    }

    [websocket]
    async fn a_refusal_behind_a_break_is_a_refusal_and_no_break(server: &TestServer) {
        let proxy = Proxy::start(server.url(), Vec::new()).await;
        let client = connect(&proxy).await;
        let process = start(&client, "p", ["echo"]).await;
        proxy.cut();
        let twice = StartParams::new(ProcessId::new("nothing").expect("a short name"), ["/no/such/program"]);
        let refusal = loop {
            match within_patience("an answer", client.start(&twice)).await {
                Err(CallError::Rpc(error)) => break error.kind(),
                // It was on its way when the connection broke, and a start is not repeated.
                Err(CallError::Disconnected(_)) => {}
                outcome => panic!("{outcome:?}"),
            }
        };
        assert_eq!(refusal, Some(ErrorKind::ProgramNotFound));
        process.control().terminate().await.expect("it is connected");
        assert_eq!(output(process).await.1, Some(128 + 15));
        client.close().await;
    }
}
