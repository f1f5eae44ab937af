//! What waits leave behind: nothing.

use exec_protocol::initialize::Notifications;
use exec_tests::os::OsProcess;
use exec_tests::wait::until;
use exec_tests::{Peer, TestServer, on_wires};
use serde_json::{Value, json};

use super::{LONG_MS, echo, end, look, nothing, pattern, wait};
use crate::commands::with;

/// Waits that are given up.
const ROUNDS: usize = 1000;

/// Rounds before the first look, so that buffers have grown to what they need.
const WARM_UP: usize = 100;

/// What the allocator may have done meanwhile, in KiB. The automata of a thousand waits take six times that.
const NOISE_KIB: u64 = 4 << 10;

fn kinds() -> [Value; 4] {
    let silent = json!({"kind": "silent", "silentMs": LONG_MS});
    [
        json!({"kind": "exited"}),
        json!({"kind": "output"}),
        pattern("(never|ever) to be said"),
        silent,
    ]
}

/// Files and memory; no files where nobody may look.
fn traces(server: OsProcess) -> (Option<usize>, u64) {
    (server.open_files(), server.status_kib("VmRSS").expect("it runs"))
}

async fn are_gone(server: OsProcess, (files, resident): (Option<usize>, u64)) {
    until("the files are where they were", || traces(server).0 <= files).await;
    let grown = traces(server).1.saturating_sub(resident);
    assert!(grown <= NOISE_KIB, "grown by {grown} KiB");
}

/// Waits that end by their time.
async fn by_time(peer: &mut Peer, rounds: usize) {
    for round in 0..rounds {
        let params = look("p", kinds()[round % 4].clone());
        let answer = wait(peer, with(params, json!({"waitMs": round % 2}))).await;
        assert_eq!(answer, nothing());
    }
}

/// Waits whose client is gone before they end.
async fn by_hanging_up(server: &TestServer, rounds: usize) {
    for round in 0..rounds / 50 {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        echo(&mut peer, "p").await;
        for wait in 0..50 {
            let params = with(
                look("p", kinds()[(round + wait) % 4].clone()),
                json!({"waitMs": LONG_MS}),
            );
            peer.request("process/wait", params).await;
        }
        peer.call("environment/info", Value::Null).await;
        peer.call("process/terminate", json!({"processId": "p"})).await;
        peer.hang_up();
    }
}

on_wires! {
    [stdio, websocket]
    async fn a_thousand_waits_that_end_by_their_time_leave_nothing_behind(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().expect("it runs on its own");
        echo(&mut peer, "p").await;
        by_time(&mut peer, WARM_UP).await;
        let before = traces(process);
        by_time(&mut peer, ROUNDS).await;
        are_gone(process, before).await;
        end(&mut peer, "p").await;
        peer.finish().await;
    }

    [websocket]
    async fn a_thousand_waits_that_are_hung_up_on_leave_nothing_behind(server: &TestServer) {
        let process = server.process().expect("it runs on its own");
        let helpers = process.descendants();
        by_hanging_up(server, WARM_UP).await;
        until("its processes have ended", || process.descendants() == helpers).await;
        let before = traces(process);
        by_hanging_up(server, ROUNDS).await;
        until("its processes have ended", || process.descendants() == helpers).await;
        are_gone(process, before).await;
    }
}
