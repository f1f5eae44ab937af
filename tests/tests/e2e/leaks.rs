//! What a thousand processes leave behind: nothing.

use exec_tests::os::OsProcess;
use exec_tests::wait::until;
use exec_tests::{Peer, TestServer, on_wires};
use serde_json::{Value, json};

/// Processes that are started at a time.
const PIPELINED: usize = 50;

/// Processes before the first look, so that buffers have grown to what they need.
const WARM_UP: usize = 200;

/// Processes whose traces are looked for.
const PROCESSES: usize = 1000;

/// What each ended process may still cost, in KiB: it can be read for a minute, and what is kept for
/// that is no leak. One that kept its buffers would cost more than that.
const KEPT_KIB: u64 = 8;

/// What the allocator may have done meanwhile, in KiB.
const NOISE_KIB: u64 = 4 << 10;

/// Runs so many processes, half of them on a terminal.
async fn run(peer: &mut Peer, name: &str, count: usize) {
    for group in 0..count / PIPELINED {
        let mut started = Vec::new();
        for number in 0..PIPELINED {
            let id = format!("{name}.{group}.{number}");
            let start = json!({"processId": id, "argv": ["/bin/echo", id], "tty": number % 2 == 0});
            started.push((peer.request("process/start", start).await, id));
        }
        for (request, id) in started {
            peer.response(request).await.expect("it is started");
            let transcript = peer.output_until_closed(&id).await;
            assert_eq!(transcript.text().trim_end(), id);
            assert_eq!(transcript.exit_code, Some(0));
        }
    }
}

/// None where nobody may look, and then nothing can be compared.
fn files(server: OsProcess) -> Option<usize> {
    server.open_files()
}

fn resident_kib(server: OsProcess) -> u64 {
    server.status_kib("VmRSS").expect("it runs")
}

on_wires! {
    [stdio, websocket]
    async fn a_thousand_processes_leave_files_and_memory_where_they_were(server: &TestServer) {
        let mut peer = server.session().await;
        let helpers = server.process().expect("it runs on its own").descendants();
        run(&mut peer, "warm-up", WARM_UP).await;
        let process = server.process().expect("it runs on its own");
        until("the last are reaped", || process.descendants() == helpers).await;
        let (files_before, resident_before) = (files(process), resident_kib(process));
        run(&mut peer, "run", PROCESSES).await;
        until("no child is left, not even a zombie", || process.descendants() == helpers).await;
        until("the files are where they were", || files(process) <= files_before).await;
        let grown = resident_kib(process).saturating_sub(resident_before);
        let most = PROCESSES as u64 * KEPT_KIB + NOISE_KIB;
        assert!(grown <= most, "grown by {grown} KiB");
        peer.call("environment/info", Value::Null).await;
        peer.finish().await;
    }

    [stdio, websocket]
    async fn starts_that_fail_leave_files_and_children_where_they_were(server: &TestServer) {
        let mut peer = server.session().await;
        let process = server.process().expect("it runs on its own");
        let helpers = process.descendants();
        peer.refused("process/start", json!({"processId": "p", "argv": ["/no/such"]})).await;
        let before = files(process);
        for round in 0..500 {
            let tty = round % 2 == 0;
            peer.refused("process/start", json!({"processId": "p", "argv": ["/no/such"], "tty": tty})).await;
            peer.refused("process/start", json!({"processId": "p", "argv": ["/"], "tty": tty, "pipeStdin": true})).await;
        }
        until("the files are where they were", || files(process) <= before).await;
        until("no child is left", || process.descendants() == helpers).await;
        peer.finish().await;
    }

    [websocket]
    async fn connections_that_come_and_go_leave_files_where_they_were(server: &TestServer) {
        let process = server.process().expect("it runs on its own");
        server.session().await.finish().await;
        let before = files(process);
        for round in 0..200 {
            let mut peer = server.session().await;
            if round % 3 == 0 {
                peer.finish().await;
            } else {
                peer.request("environment/info", Value::Null).await;
                peer.hang_up();
            }
        }
        until("the files are where they were", || files(process) <= before).await;
    }

    [websocket]
    async fn sessions_that_are_taken_up_again_and_again_leave_files_where_they_were(server: &TestServer) {
        let process = server.process().expect("it runs on its own");
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        crate::witness::start(&mut peer).await;
        crate::witness::answers(&mut peer, "before").await;
        let before = files(process);
        for _ in 0..200 {
            let seen = peer.transcript(crate::witness::NAME).last_seq;
            let mut newer = server.connect().await;
            newer.resume(&session_id).await;
            newer.follow(crate::witness::NAME, seen);
            peer.hang_up();
            peer = newer;
        }
        until("the files are where they were", || files(process) <= before).await;
        crate::witness::answers(&mut peer, "after").await;
        crate::witness::end(&mut peer).await;
        peer.finish().await;
    }
}
