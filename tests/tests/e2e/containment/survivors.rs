//! Whoever a terminate finds, it ends; and nobody else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exec_tests::TestServer;
use exec_tests::wait::promptly;
use rustix::process::Signal;
use serde_json::json;

use super::{Marker, contained, start};

/// Starts a script, terminates it when there are so many of it, and expects nobody behind its close.
async fn leaves_nobody(server: &TestServer, script: &str, count: usize) {
    let mut peer = server.session().await;
    let marker = Marker::new();
    start(&mut peer, marker.script("p", script)).await;
    marker.count(count).await;
    peer.terminate("p").await;
    assert_eq!(marker.alive(), [], "they have outlived the close");
    peer.finish().await;
}

contained! {
    [memory stdio websocket]
    async fn a_plain_child(server: &TestServer) {
        leaves_nobody(server, "echo ready; exec sleep 1000", 1).await;
    }

    [memory]
    async fn a_shell_with_a_background_job(server: &TestServer) {
        leaves_nobody(server, "sleep 1000 & echo ready; wait", 2).await;
    }

    [memory stdio websocket]
    async fn a_grandchild_in_a_session_of_its_own(server: &TestServer) {
        leaves_nobody(server, "setsid sleep 1000 & echo ready; wait", 2).await;
    }

    [memory]
    async fn a_session_of_its_own_that_holds_no_output_and_ignores_the_polite_signal(server: &TestServer) {
        let deaf = "(trap '' TERM HUP; exec setsid sleep 1000) >/dev/null 2>&1 & echo ready; wait";
        leaves_nobody(server, deaf, 2).await;
    }

    [memory stdio]
    async fn twenty_daemons(server: &TestServer) {
        let script = "i=0; while [ $i -lt 20 ]; do (setsid sleep 1000 >/dev/null 2>&1 &); i=$((i+1)); done; echo ready; exec sleep 1001";
        leaves_nobody(server, script, 21).await;
    }

    [memory]
    async fn a_stopped_process(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        start(&mut peer, marker.script("p", "echo ready; exec sleep 1000")).await;
        for process in marker.alive() {
            process.signal(Signal::STOP);
        }
        peer.call("process/terminate", json!({"processId": "p", "graceMs": 100})).await;
        promptly("the close", peer.output_until_closed("p")).await;
        assert_eq!(marker.alive(), []);
        peer.finish().await;
    }

    [memory]
    async fn a_leader_that_is_gone_while_its_job_holds_the_pipe(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        peer.start(marker.script("p", "setsid sleep 1000 & sleep 1001 & exit 3")).await;
        assert_eq!(peer.exited("p").await, 3);
        marker.count(2).await;
        let answer = peer.call("process/terminate", json!({"processId": "p"})).await;
        assert_eq!(answer, json!({"running": false, "endReason": "exited"}));
        promptly("the close", peer.output_until_closed("p")).await;
        assert_eq!(marker.alive(), []);
        peer.finish().await;
    }

    [memory]
    async fn a_chain_that_forks_faster_than_one_can_look(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
        // Ends by itself some time, should nobody else end it.
        let until = (now + Duration::from_mins(1)).as_secs();
        let link = r#"[ $(date +%s) -lt $UNTIL ] && setsid /bin/sh -c "$LINK" >/dev/null 2>&1 & exit 0"#;
        let mut params = marker.script("p", r#"/bin/sh -c "$LINK"; echo ready; exec sleep 1000"#);
        params["env"]["LINK"] = json!(link);
        params["env"]["UNTIL"] = json!(until.to_string());
        start(&mut peer, params).await;
        peer.terminate("p").await;
        assert!(marker.is_extinct());
        peer.finish().await;
    }

    [memory stdio]
    async fn six_hundred_processes_at_once(server: &TestServer) {
        let script = "i=0; while [ $i -lt 599 ]; do sleep 1000 & i=$((i+1)); done; echo ready; wait";
        leaves_nobody(server, script, 600).await;
    }

    [memory stdio]
    async fn two_trees_side_by_side_do_not_touch_each_other(server: &TestServer) {
        let mut peer = server.session().await;
        let tree = "(setsid sleep 1000 >/dev/null 2>&1 &); setsid sleep 1001 & sleep 1002 & echo ready; wait";
        let (one, other) = (Marker::new(), Marker::new());
        start(&mut peer, one.script("one", tree)).await;
        start(&mut peer, other.script("other", tree)).await;
        one.count(4).await;
        other.count(4).await;
        let survivors = other.alive();
        peer.terminate("one").await;
        assert_eq!(one.alive(), []);
        assert_eq!(other.alive(), survivors);
        peer.terminate("other").await;
        assert_eq!(other.alive(), []);
        peer.finish().await;
    }

    [memory]
    async fn whoever_obeys_the_polite_signal_has_his_time(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        // The leader goes at once; the other one has something to tidy up, in a session of its own.
        let slow = "trap 'sleep 0.3; echo tidied; exit' TERM; echo ready; while :; do sleep 0.05; done";
        let script = format!("setsid /bin/sh -c \"{slow}\" & exec sleep 1000");
        start(&mut peer, marker.script("p", &script)).await;
        let transcript = peer.terminate("p").await;
        assert_eq!(transcript.stdout, b"ready\ntidied\n");
        assert_eq!(marker.alive(), []);
        peer.finish().await;
    }
}
