//! Random clients, which do everything that clients do, in any order, to one server. What they are told has to be true,
//! and nothing may be left when they are gone.

mod act;
mod answers;
mod asked;
mod child;
mod client;
mod hostile;
mod ledger;
mod line;
mod log;
mod plan;
mod random;
mod session;
mod speech;
mod told;
mod typing;

use std::any::Any;
use std::env;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use exec_protocol::Empty;
use exec_protocol::server::{Stats, StatsResult};
use exec_tests::os::OsProcess;
use exec_tests::wait::{PATIENCE, until, within_patience};
use exec_tests::{Marker, Options, Peer, TestServer, Wire, fixture, program};
use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use client::Client;
use line::Line;
use log::Log;
use random::Random;
use session::DETACHED;

/// Clients that have one server.
const CLIENTS: u64 = 10;

/// How long they act, where nobody says otherwise.
const ACTING: Duration = Duration::from_secs(5);

/// Most time between two acts of a client, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 30;

/// What the server's memory may have grown by when all are gone, in KiB: what an allocator keeps for the next crowd, and no
/// more. A single ring that is leaked with each session would show.
const KEPT_KIB: u64 = 64 << 10;

/// What makes one run differ from another.
struct Chance {
    seed: u64,
    acting: Duration,
}

impl Chance {
    fn from_environment() -> Self {
        let number = |name| env::var(name).ok().map(|text| text.parse().expect("a number"));
        Self {
            seed: number("EXEC_TESTS_CHAOS_SEED").unwrap_or_else(|| RandomState::new().hash_one(0)),
            acting: number("EXEC_TESTS_CHAOS_SECONDS").map_or(ACTING, Duration::from_secs),
        }
    }

    fn random(&self, client: u64) -> Random {
        Random::new(self.seed, client)
    }
}

/// Lets a client act until this time, and end everything. Fails with what the client did last.
async fn live(
    chance: &Chance,
    number: u64,
    client: impl AsyncFnOnce(u64, Random, Log) -> Client,
) -> Result<Client, String> {
    let log = Log::new();
    let life = async {
        let mut client = client(number, chance.random(number), log.clone()).await;
        let end = Instant::now() + chance.acting;
        while Instant::now() < end {
            client.act().await;
            let pause = client.random.below(LONGEST_PAUSE_MS);
            client.listen(Duration::from_millis(pause)).await;
        }
        client.settle().await;
        client
    };
    AssertUnwindSafe(life).catch_unwind().await.map_err(|panic| {
        let seed = chance.seed;
        let why = words(&*panic);
        format!(
            "client {number}, EXEC_TESTS_CHAOS_SEED={seed}: {why}\nIt did last:\n{}",
            log.text()
        )
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}

/// Runs some of everything, so that the server has grown to what it needs.
async fn warm_up(server: &TestServer) {
    let mut peer = server.session().await;
    for number in 0..20 {
        let id = number.to_string();
        let argv = fixture::argv(["blocks", "300000"]);
        peer.start(json!({"processId": id, "argv": argv, "tty": number % 2 == 0}))
            .await;
        peer.output_until_closed(&id).await;
    }
    peer.call("session/close", json!({})).await;
    peer.finish().await;
}

/// Ends the processes that have outlived their sessions.
async fn end_kept(peer: &mut Peer) {
    let list = peer.call("process/list", json!({"scope": "server"})).await;
    for record in list["records"].as_array().unwrap() {
        let uid = &record["uid"];
        peer.call("process/terminate", json!({"uid": uid, "graceMs": 0}))
            .await;
        loop {
            let wait = json!({"processIds": [uid], "until": {"kind": "closed"}, "waitMs": 10_000});
            peer.call("process/wait", wait).await;
            if peer.call("process/forget", json!({"uid": uid})).await["forgotten"] == true {
                break;
            }
        }
    }
}

/// Waits until nothing is there but our own session.
async fn alone(peer: &mut Peer) {
    let deadline = Instant::now() + 5 * DETACHED;
    loop {
        let stats: StatsResult = peer.call_typed::<Stats>(&Empty {}).await;
        let processes = stats.processes;
        let left = processes.running + processes.exited + processes.closed;
        if stats.sessions.open == 1 && stats.connections.open == 1 && left == 0 {
            assert_eq!(stats.memory.reserved_bytes, 0, "memory is set aside for nobody");
            assert_eq!(stats.requests.errors.get("internal"), None);
            return;
        }
        assert!(Instant::now() < deadline, "these are left: {stats:#?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until nobody runs whom the clients have started, or who descends from such a one.
async fn all_ended(marker: &Marker, chance: &Chance) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Some(one) = marker.processes().pop() else {
            return;
        };
        let command = fs::read_to_string(format!("/proc/{}/cmdline", one.pid)).unwrap_or_default();
        let seed = chance.seed;
        assert!(
            Instant::now() < deadline,
            "EXEC_TESTS_CHAOS_SEED={seed} leaves {one:?}, {command:?}"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a process has open.
fn open_files(process: OsProcess) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{}/fd", process.pid)).expect("it runs");
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .collect()
}

#[tokio::test]
async fn whatever_clients_do_they_are_told_the_truth_and_nothing_is_left_of_them() {
    let chance = Chance::from_environment();
    let options = Options {
        detached_session: Some(DETACHED),
        ..Options::default()
    };
    let server = TestServer::start_with(Wire::Websocket, options).await;
    let process = server.process().expect("it runs on its own");
    let helpers = process.descendants();
    warm_up(&server).await;
    until("the last are reaped", || process.descendants() == helpers).await;
    let files = open_files(process);
    let resident = process.anonymous_kib();

    let url = server.url();
    let marker = Rc::new(Marker::new());
    let clients = (0..CLIENTS).map(|number| {
        live(&chance, number, async |number, random, log| {
            Client::websocket(url, number, &marker, random, log).await
        })
    });
    match try_join_all(clients).await {
        Ok(clients) => {
            for client in clients {
                client.leave().await;
            }
        }
        Err(why) => panic!("{why}"),
    }

    let seed = chance.seed;
    let mut peer = server.session().await;
    end_kept(&mut peer).await;
    alone(&mut peer).await;
    peer.call("session/close", json!({})).await;
    peer.finish().await;
    all_ended(&marker, &chance).await;
    until("nobody is left", || process.descendants() == helpers).await;
    let deadline = Instant::now() + PATIENCE;
    while open_files(process).len() > files.len() {
        let now = open_files(process);
        assert!(
            Instant::now() < deadline,
            "EXEC_TESTS_CHAOS_SEED={seed}: {files:#?} were open, and now {now:#?}"
        );
        sleep(Duration::from_millis(50)).await;
    }
    let grown = process.anonymous_kib().saturating_sub(resident);
    assert!(
        grown <= KEPT_KIB,
        "grown by {grown} KiB by EXEC_TESTS_CHAOS_SEED={seed}"
    );
    server.finish().await;
}

#[tokio::test]
async fn a_client_on_pipes_may_do_whatever_it_likes_too() {
    let chance = Chance::from_environment();
    let mut server = program::server(["--no-tasks"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the server can be started");
    let (from, to) = (server.stdout.take().unwrap(), server.stdin.take().unwrap());
    let marker = Rc::new(Marker::new());
    let client = live(&chance, CLIENTS, async |number, random, log| {
        Client::stdio(Line::stdio(from, to), number, &marker, random, log).await
    });
    let client = client.await.unwrap_or_else(|why| panic!("{why}"));
    client.leave().await;
    let status = within_patience("the server to leave", server.wait()).await;
    assert!(status.unwrap().success(), "the server left with an error");
    all_ended(&marker, &chance).await;
}
