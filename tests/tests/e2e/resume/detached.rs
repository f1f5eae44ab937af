//! A session that nobody takes up again.

use std::time::Duration;

use exec_protocol::{ErrorKind, SessionId};
use exec_server::Config;
use exec_tests::os::with_variable;
use exec_tests::{Peer, TestServer, fixture, wait};
use serde_json::json;

/// So short that it is over before anything else.
const SHORT: Duration = Duration::from_millis(20);

fn short_lived() -> TestServer {
    TestServer::embedded(Config {
        detached_session: SHORT,
        terminate_grace: SHORT,
        ..Config::default()
    })
}

/// Opens a session with a process that does not end by itself, nor when it is asked to.
async fn session(server: &TestServer, marker: &str) -> (Peer, SessionId) {
    let mut peer = server.connect().await;
    let session_id = peer.handshake().await.session_id;
    peer.start(json!({"processId": "p", "argv": fixture::argv(["ignore-term"]), "env": {"EXEC_TESTS_MARKER": marker}}))
        .await;
    peer.output_until("p", "ready").await;
    assert_eq!(with_variable(&format!("EXEC_TESTS_MARKER={marker}")).len(), 1);
    (peer, session_id)
}

/// The session of that marker ends with all that is in it.
async fn ends(server: &TestServer, session_id: &SessionId, marker: &str) {
    let marker = format!("EXEC_TESTS_MARKER={marker}");
    wait::until("the process has ended", || with_variable(&marker).is_empty()).await;
    let mut peer = server.connect().await;
    let resume = json!({"clientName": "t", "resumeSessionId": session_id});
    let error = peer.refused("initialize", resume).await;
    assert_eq!(error.kind(), Some(ErrorKind::UnknownSession));
    peer.finish().await;
}

#[tokio::test]
async fn after_its_detached_life_a_session_ends_with_its_processes() {
    let server = short_lived();
    let (peer, session_id) = session(&server, "detached-life").await;
    peer.finish().await;
    ends(&server, &session_id, "detached-life").await;
    server.finish().await;
}

#[tokio::test]
async fn it_does_not_matter_how_the_connection_went() {
    let server = short_lived();
    let (peer, session_id) = session(&server, "detached-hang-up").await;
    peer.hang_up();
    ends(&server, &session_id, "detached-hang-up").await;
    server.finish().await;
}

#[tokio::test]
async fn one_that_was_taken_up_once_ends_after_its_next_absence() {
    let server = TestServer::embedded(Config {
        // Long enough to be taken up in, and short enough to wait for.
        detached_session: Duration::from_secs(1),
        ..Config::default()
    });
    let (mut peer, session_id) = session(&server, "detached-twice").await;
    for _ in 0..3 {
        let seen = peer.transcript("p").last_seq;
        let mut newer = server.connect().await;
        // The older one is still attached, so no time runs out here.
        newer.resume(&session_id).await;
        newer.follow("p", seen);
        peer.hung_up().await;
        peer.finish().await;
        peer = newer;
    }
    peer.finish().await;
    ends(&server, &session_id, "detached-twice").await;
    server.finish().await;
}
