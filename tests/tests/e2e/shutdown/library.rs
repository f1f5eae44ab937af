//! A server that is a part of another program, which goes on without it.

use std::time::Duration;

use exec_client::Transport;
use exec_protocol::ErrorKind;
use exec_server::transport::{Connection, MemoryPeer};
use exec_server::{Config, Server, ShutdownReport};
use exec_tests::wait::{until, within_patience};
use exec_tests::{Peer, TestServer, fixture};
use serde_json::json;
use tokio::runtime::Handle;

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn the_report_says_what_there_was_and_that_all_of_it_is_gone() {
    let server = TestServer::embedded(Config::default());
    let mut busy = server.session().await;
    let idle = server.session().await;
    for id in ["one", "other"] {
        busy.start(json!({"processId": id, "argv": fixture::argv(["echo"]), "pipeStdin": true}))
            .await;
    }
    busy.run(json!({"processId": "ended", "argv": ["/bin/echo"]}))
        .await;
    let shutdown = within_patience("the shutdown", server.in_process().shutdown());
    let told = async {
        assert_eq!(busy.output_until_closed("one").await.exit_code, Some(128 + 15));
        assert_eq!(busy.output_until_closed("other").await.exit_code, Some(128 + 15));
    };
    let (report, ()) = tokio::join!(shutdown, told);
    assert_eq!(
        report,
        ShutdownReport {
            sessions: 2,
            processes: 2,
            is_complete: true
        }
    );
    busy.finish().await;
    idle.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_connection_that_is_no_longer_served_leaves_its_session_free() {
    let server = TestServer::embedded(Config {
        takeover: false,
        ..Config::default()
    });
    let (connection, MemoryPeer { outgoing, incoming }) = Connection::memory();
    let mut peer = Peer::new(Transport::memory(outgoing, incoming));
    let shaken_hands = async {
        let session_id = peer.handshake().await.session_id;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true}))
            .await;
        session_id
    };
    let session_id = tokio::select! {
        () = server.in_process().serve(connection) => panic!("the peer is there"),
        session_id = shaken_hands => session_id,
    };
    // The server does not take a session from a connection; this one has none any more.
    let mut other = server.connect().await;
    assert_eq!(other.resume(&session_id).await.session_id, session_id);
    let get = other.call("process/get", json!({"processId": "p"})).await;
    assert_eq!(get["state"], "running", "{get}");
    peer.hung_up().await;
    other.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn no_task_is_left() {
    let before = tasks();
    let server = TestServer::embedded(Config::default());
    let mut peers = Vec::new();
    for _ in 0..5 {
        let mut peer = server.session().await;
        peer.run(json!({"processId": "ended", "argv": ["/bin/echo"]}))
            .await;
        peer.start(json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true}))
            .await;
        peer.start(json!({"processId": "t", "argv": ["/bin/sleep", "1000"], "tty": true}))
            .await;
        peer.request("process/read", json!({"processId": "p", "waitMs": 60_000}))
            .await;
        peers.push(peer);
    }
    // One session has lost its connection.
    peers.pop().expect("there are five").hang_up();
    let report = within_patience("the shutdown", server.in_process().shutdown()).await;
    assert!(report.is_complete, "{report:?}");
    for peer in peers {
        peer.hang_up();
    }
    server.finish().await;
    until("every task has ended", || tasks() == before).await;
}

#[tokio::test]
async fn a_kill_does_not_wait_for_the_grace_period() {
    let server = TestServer::embedded(Config {
        // Far beyond what any wait here has patience for.
        terminate_grace: Duration::from_hours(1),
        ..Config::default()
    });
    let mut peer = server.session().await;
    peer.start(json!({"processId": "p", "argv": fixture::argv(["name-signals"])}))
        .await;
    peer.output_until("p", "ready").await;
    let shutdown = within_patience("the shutdown", server.in_process().shutdown());
    let kill = async {
        peer.output_until("p", "SIGTERM").await;
        server.in_process().kill();
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(128 + 9));
    };
    let (report, ()) = tokio::join!(shutdown, kill);
    assert!(report.is_complete, "{report:?}");
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn it_may_be_shut_down_more_than_once_and_at_the_same_time() {
    let server = TestServer::embedded(Config::default());
    let mut peer = server.session().await;
    peer.start(json!({"processId": "p", "argv": fixture::argv(["echo"]), "pipeStdin": true}))
        .await;
    let server_in = server.in_process();
    let both = async {
        tokio::join!(
            server_in.shutdown(),
            server_in.shutdown(),
            peer.output_until_closed("p")
        )
    };
    let (one, other, _) = within_patience("both", both).await;
    assert!(one.is_complete && other.is_complete, "{one:?} {other:?}");
    let again = within_patience("a third one", server_in.shutdown()).await;
    assert_eq!((again.processes, again.is_complete), (0, true));
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn behind_it_no_session_is_opened() {
    let server = TestServer::embedded(Config::default());
    within_patience("the shutdown", server.in_process().shutdown()).await;
    let mut peer = server.connect().await;
    // Either is fine: it is told so, or hung up on.
    peer.request("initialize", json!({})).await;
    if let Some(answer) = peer.next().await {
        assert_eq!(
            answer["error"]["data"]["kind"],
            ErrorKind::ShuttingDown.as_str(),
            "{answer}"
        );
    }
    peer.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn one_server_ends_and_another_in_the_same_program_does_not_notice() {
    let (one, other) = (
        TestServer::embedded(Config::default()),
        TestServer::embedded(Config::default()),
    );
    let mut peer = other.session().await;
    crate::witness::start(&mut peer).await;
    let mut ended = one.session().await;
    ended
        .start(json!({"processId": "p", "argv": ["/bin/sleep", "1000"]}))
        .await;
    let both = async { tokio::join!(one.in_process().shutdown(), ended.output_until_closed("p")) };
    assert!(within_patience("the shutdown", both).await.0.is_complete);
    crate::witness::answers(&mut peer, "still here").await;
    crate::witness::end(&mut peer).await;
    ended.finish().await;
    peer.finish().await;
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn a_server_that_never_served_ends_well() {
    let server = Server::new(Config::default()).expect("there is room");
    let report = within_patience("the shutdown", server.shutdown()).await;
    assert_eq!(
        report,
        ShutdownReport {
            sessions: 0,
            processes: 0,
            is_complete: true
        }
    );
}
