//! What a request costs from the wire to the answer, without the wire: through a connection in memory, with client
//! and server on one thread, so that nothing of the time is that of a second processor waking up.
//!
//! ```console
//! cargo bench -p exec-server --bench dispatch
//! ```

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use exec_protocol::envelope::{self, RequestId, Style};
use exec_protocol::initialize::{Initialize, InitializeParams, Initialized};
use exec_protocol::process::{Read, ReadParams, Signal, SignalName, SignalParams, Start, StartParams};
use exec_protocol::{Empty, Method, Notice as _, ProcessId, Seq};
use exec_server::transport::{Connection, MemoryPeer};
use exec_server::{Config, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Requests that are sent without waiting for an answer.
const PIPELINED: u64 = 100;

/// Messages on their way in each direction, where there is no server: as many as where there is one.
const QUEUE_MESSAGES: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = TaskTracker::new();

    let mut echo = runtime.block_on(async { start_echo(&tasks) });
    measure(
        &mut criterion,
        &runtime,
        "no server",
        &mut echo,
        &requests::<Read>(&state()),
    );
    drop(echo);

    let server = Server::new(Config::default())?;
    let mut peer = runtime.block_on(start_cat(&server, &tasks));
    measure(
        &mut criterion,
        &runtime,
        "state",
        &mut peer,
        &requests::<Read>(&state()),
    );
    measure(
        &mut criterion,
        &runtime,
        "signal",
        &mut peer,
        &requests::<Signal>(&signal()),
    );

    runtime.block_on(async {
        drop(peer);
        server.shutdown().await;
        tasks.close();
        tasks.wait().await;
    });
    criterion.final_summary();
    Ok(())
}

/// Sends the requests one after the other, and then without waiting for the answers.
fn measure(
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    peer: &mut MemoryPeer,
    requests: &[Bytes],
) {
    let mut group = criterion.benchmark_group(format!("dispatch/{name}"));
    group.throughput(Throughput::Elements(1));
    group.bench_function("one after the other", |bencher| {
        bencher.iter_custom(|times| runtime.block_on(one_after_the_other(peer, &requests[0], times)));
    });
    group.throughput(Throughput::Elements(PIPELINED));
    group.bench_function("100 pipelined", |bencher| {
        bencher.iter_custom(|times| runtime.block_on(pipelined(peer, requests, times)));
    });
    group.finish();
}

async fn one_after_the_other(peer: &mut MemoryPeer, request: &Bytes, times: u64) -> Duration {
    let started = Instant::now();
    for _ in 0..times {
        ask(peer, request).await;
    }
    started.elapsed()
}

async fn pipelined(peer: &mut MemoryPeer, requests: &[Bytes], times: u64) -> Duration {
    let MemoryPeer { outgoing, incoming } = peer;
    let started = Instant::now();
    for _ in 0..times {
        let send = async {
            for request in requests {
                outgoing.send(request.clone()).await.expect("somebody listens");
            }
        };
        let receive = async {
            for _ in requests {
                incoming.recv().await.expect("every request is answered");
            }
        };
        tokio::join!(send, receive);
    }
    started.elapsed()
}

async fn ask(peer: &mut MemoryPeer, request: &Bytes) -> Bytes {
    peer.outgoing
        .send(request.clone())
        .await
        .expect("somebody listens");
    peer.incoming.recv().await.expect("every request is answered")
}

/// Answers every message with itself: what of the time is that of the channels and of the runtime.
fn start_echo(tasks: &TaskTracker) -> MemoryPeer {
    let (outgoing, mut requests) = mpsc::channel(QUEUE_MESSAGES);
    let (answers, incoming) = mpsc::channel(QUEUE_MESSAGES);
    tasks.spawn(async move {
        while let Some(message) = requests.recv().await {
            if answers.send(message).await.is_err() {
                return;
            }
        }
    });
    MemoryPeer { outgoing, incoming }
}

/// A connection whose session has a process that waits for input.
async fn start_cat(server: &Server, tasks: &TaskTracker) -> MemoryPeer {
    let (connection, mut peer) = Connection::memory();
    let server = server.clone();
    tasks.spawn(async move { server.serve(connection).await });
    ask_once::<Initialize>(&mut peer, &InitializeParams::default()).await;
    let mut initialized = Vec::new();
    envelope::write_notice(&mut initialized, Style::Versioned, Initialized::NAME, &Empty {});
    peer.outgoing
        .send(initialized.into())
        .await
        .expect("the server listens");

    let mut cat = StartParams::new(process_id(), ["cat"]);
    cat.pipe_stdin = true;
    ask_once::<Start>(&mut peer, &cat).await;
    // What is measured below has to be the answer, not a refusal.
    ask_once::<Read>(&mut peer, &state()).await;
    ask_once::<Signal>(&mut peer, &signal()).await;
    peer
}

async fn ask_once<M: Method>(peer: &mut MemoryPeer, params: &M::Params) {
    let answer = ask(peer, &request::<M>(0, params)).await;
    let is_result = answer.starts_with(br#"{"jsonrpc":"2.0","id":0,"result":"#);
    assert!(is_result, "{}: {}", M::NAME, String::from_utf8_lossy(&answer));
}

/// Asks for the state only.
fn state() -> ReadParams {
    let mut params = ReadParams::after_seq(process_id(), Seq::ZERO);
    params.max_bytes = Some(0);
    params
}

/// Reaches the process, which ignores it.
fn signal() -> SignalParams {
    SignalParams {
        process: process_id().into(),
        signal: SignalName::WindowChange,
    }
}

fn requests<M: Method>(params: &M::Params) -> Vec<Bytes> {
    (1..=PIPELINED).map(|id| request::<M>(id, params)).collect()
}

fn request<M: Method>(id: u64, params: &M::Params) -> Bytes {
    let mut request = Vec::new();
    envelope::write_request(
        &mut request,
        Style::Versioned,
        &RequestId::number(id),
        M::NAME,
        params,
    );
    request.into()
}

fn process_id() -> ProcessId {
    ProcessId::new("cat").expect("short enough")
}
