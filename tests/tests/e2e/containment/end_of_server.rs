//! Nobody outlives the server, however it ends.

use std::time::Duration;

use exec_protocol::process::Containment;
use exec_tests::os::OsProcess;
use exec_tests::wait::until;
use exec_tests::{Options, Peer, TestServer, Wire, on_with};
use rustix::process::Signal;
use serde_json::json;

use super::{Marker, contained, has_cgroups, held_by, start};

/// Two that run, one of which closed and left somebody behind, with seven alive between them.
async fn populate(peer: &mut Peer, marker: &Marker) {
    let tree = "(setsid sleep 1000 >/dev/null 2>&1 &); setsid sleep 1001 & sleep 1002 & echo ready; wait";
    start(peer, marker.script("pipes", tree)).await;
    let mut on_terminal = marker.script(
        "terminal",
        "setsid sleep 1003 >/dev/null 2>&1 & stty -opost; echo ready; exec sleep 1004",
    );
    on_terminal["tty"] = json!(true);
    start(peer, on_terminal).await;
    start(
        peer,
        marker.script("closed", "setsid sleep 1005 >/dev/null 2>&1 & echo ready"),
    )
    .await;
    peer.output_until_closed("closed").await;
    marker.count(7).await;
}

contained! {
    [stdio websocket]
    async fn a_polite_signal_to_it(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        populate(&mut peer, &marker).await;
        server.process().expect("it runs on its own").signal(Signal::TERM);
        marker.extinct().await;
        peer.hang_up();
    }

    [stdio]
    async fn the_end_of_its_stdin(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        populate(&mut peer, &marker).await;
        peer.hang_up();
        marker.extinct().await;
    }

    [memory websocket]
    async fn the_close_of_the_session(server: &TestServer) {
        let mut peer = server.session().await;
        let marker = Marker::new();
        populate(&mut peer, &marker).await;
        peer.call("session/close", json!({})).await;
        assert_eq!(marker.alive(), []);
        peer.hang_up();
    }
}

async fn the_end_of_a_sessions_life(containment: Containment) {
    let options = Options {
        detached_session: Some(Duration::from_secs(1)),
        ..held_by(containment)
    };
    on_with(Wire::Websocket, options, async |server: &TestServer| {
        let mut peer = server.session().await;
        let marker = Marker::new();
        populate(&mut peer, &marker).await;
        peer.hang_up();
        marker.extinct().await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_sessions_life_in_cgroups() {
    if has_cgroups().await {
        the_end_of_a_sessions_life(Containment::Cgroup).await;
    }
}

#[tokio::test]
async fn the_end_of_a_sessions_life_under_supervisors() {
    the_end_of_a_sessions_life(Containment::Supervisor).await;
}

/// Kills the server without a warning, and expects nobody behind it, its own helpers included.
async fn a_kill_of_it(wire: Wire, containment: Containment) {
    let server = TestServer::start_with(wire, held_by(containment)).await;
    let mut peer = server.session().await;
    let marker = Marker::new();
    populate(&mut peer, &marker).await;
    let process = server.process().expect("it runs on its own");
    let family = process.descendants();
    assert!(family.len() > 3, "{family:?}");
    server.crash().await;
    marker.extinct().await;
    let is_gone = || !family.iter().copied().any(OsProcess::is_running);
    until("its helpers are gone", is_gone).await;
}

#[tokio::test]
async fn a_kill_of_it_in_cgroups() {
    if has_cgroups().await {
        for wire in [Wire::Stdio, Wire::Websocket] {
            a_kill_of_it(wire, Containment::Cgroup).await;
        }
    }
}

#[tokio::test]
async fn a_kill_of_it_under_supervisors() {
    for wire in [Wire::Stdio, Wire::Websocket] {
        a_kill_of_it(wire, Containment::Supervisor).await;
    }
}
