//! A server is killed at any moment, and nothing is lost, nothing is run twice, and nothing is told twice.

mod ledger;

use std::time::Duration;

use exec_tests::{Peer, Wire, fixture};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::StateDir;
use ledger::Ledger;

/// How often it is killed.
const KILLS: usize = 50;

/// How long it may live on behind the last call, in microseconds.
const LONGEST_DELAY_MICROS: u64 = 60_000;

/// Notes who it is in a file that is only appended to, before it does anything, and becomes another program.
const NOTE: &str = r#"echo "$EXEC_TASK_ID $EXEC_TASK_SERVER" >>"$0" && exec "$@""#;

/// How many groups there are of tasks.
const GROUPS: usize = 10;

/// What a task writes, in bytes: some end at once, some are in the middle of it when the server is killed.
const OUTPUTS: [u64; 4] = [0, 100_000, 1_000_000, 8_000_000];

/// Numbers that are the same for the same seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// The params of some task, whose name says what it writes.
fn some_task(state: &StateDir, number: usize, random: &mut Random) -> Value {
    let bytes = OUTPUTS[usize::try_from(random.below(OUTPUTS.len() as u64)).unwrap()];
    let journal = state.beside("journal");
    let mut argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), NOTE.to_owned(), journal];
    argv.extend(fixture::argv(["blocks", &bytes.to_string()]));
    // A server keeps the latest 100 ended ones of each group: here they are fewer.
    let group = format!("group {}", number % GROUPS);
    let mut params = json!({"taskId": format!("{number}.{bytes}"), "argv": argv, "group": group});
    if random.one_in(3) {
        params["lane"] = json!("by turns");
    }
    if random.one_in(3) {
        params["retry"] = json!({"maxAttempts": 3, "on": ["interrupted"]});
    }
    params
}

/// Lets a server do something, and kills it at some moment.
async fn live_and_die(state: &StateDir, ledger: &mut Ledger, random: &mut Random) {
    let wire = if random.one_in(3) {
        Wire::Stdio
    } else {
        Wire::Websocket
    };
    let server = state.server(wire).await;
    let mut peer = server.session().await;
    ledger.compare(&mut peer).await;
    state.check_database();
    act(state, ledger, random, &mut peer).await;
    sleep(Duration::from_micros(random.below(LONGEST_DELAY_MICROS))).await;
    server.crash().await;
    peer.hang_up();
}

async fn act(state: &StateDir, ledger: &mut Ledger, random: &mut Random, peer: &mut Peer) {
    peer.call("task/lanes", json!({"lane": "by turns", "maxParallel": 1}))
        .await;
    if random.one_in(2) {
        ledger.acknowledge(peer).await;
    }
    for _ in 0..random.below(4) {
        let params = some_task(state, ledger.next(), random);
        ledger.submitted(&params, true);
        peer.call("task/submit", params).await;
    }
    if random.one_in(3) {
        // Nobody waits for the answer to this one: it may be lost.
        let params = some_task(state, ledger.next(), random);
        ledger.submitted(&params, false);
        peer.request("task/submit", params).await;
    }
}

#[tokio::test]
async fn no_task_is_lost_and_none_is_run_or_told_twice() {
    let seed = u64::from(std::process::id()) << 20 | 1;
    // It is shown when the test fails.
    println!("the seed is {seed}");
    let mut random = Random(seed);
    let state = StateDir::new();
    let mut ledger = Ledger::default();
    for _ in 0..KILLS {
        live_and_die(&state, &mut ledger, &mut random).await;
    }
    let server = state.server(Wire::Websocket).await;
    let mut peer = server.session().await;
    ledger.compare(&mut peer).await;
    ledger.all_end(&mut peer).await;
    ledger.compare(&mut peer).await;
    ledger.check_notices();
    ledger.check_journal(&super::lines_of(&state.beside("journal")));
    ledger.check_outputs(&state, &mut peer).await;
    state.check_database();
    peer.finish().await;
    server.finish().await;
}
