//! `--refuse-takeover`

use exec_protocol::SessionId;
use exec_tests::wait::within_patience;
use exec_tests::{Options, Peer};
use serde_json::json;

use super::on_both;
use crate::witness;

const REFUSED: Options = Options {
    containment: None,
    detached_session: None,
    refuse_takeover: true,
    umask: None,
    no_new_privs: false,
    state_dir: None,
};

async fn is_attached(peer: &mut Peer, session_id: &SessionId) {
    let resume = json!({"clientName": "t", "resumeSessionId": session_id});
    let error = peer.refused("initialize", resume).await;
    assert_eq!((error.code, &error.data.kind[..]), (-32010, "sessionAttached"));
}

/// Tries until the session is free, as clients do.
async fn resume(peer: &mut Peer, session_id: &SessionId) {
    let trying = async {
        let resume = json!({"clientName": "t", "resumeSessionId": session_id});
        while let Err(error) = peer.try_call("initialize", resume.clone()).await {
            assert_eq!(error.data.kind, "sessionAttached");
        }
    };
    within_patience("the session", trying).await;
    peer.notify("initialized", json!({})).await;
}

#[tokio::test]
async fn a_session_that_has_a_connection_is_not_taken_from_it() {
    on_both(REFUSED, async |server| {
        let mut older = server.connect().await;
        let session_id = older.handshake().await.session_id;
        witness::start(&mut older).await;
        let mut newer = server.connect().await;
        for round in 0..5 {
            is_attached(&mut newer, &session_id).await;
            witness::answers(&mut older, &format!("round {round}")).await;
        }
        // Refused, and yet as good as new.
        let own = newer.handshake().await.session_id;
        assert_ne!(own, session_id);
        witness::end(&mut older).await;
        older.finish().await;
        newer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn it_can_be_taken_up_when_the_older_connection_has_gone() {
    on_both(REFUSED, async |server| {
        let mut older = server.connect().await;
        let session_id = older.handshake().await.session_id;
        witness::start(&mut older).await;
        for round in 0..5 {
            let mut newer = server.connect().await;
            is_attached(&mut newer, &session_id).await;
            let seen = older.transcript(witness::NAME).last_seq;
            older.hang_up();
            resume(&mut newer, &session_id).await;
            newer.follow(witness::NAME, seen);
            witness::answers(&mut newer, &format!("round {round}")).await;
            older = newer;
        }
        witness::end(&mut older).await;
        older.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_it_takes_over_otherwise() {
    on_both(Options::default(), async |server| {
        let mut older = server.connect().await;
        let session_id = older.handshake().await.session_id;
        witness::start(&mut older).await;
        let mut newer = server.connect().await;
        newer.resume(&session_id).await;
        older.hung_up().await;
        witness::answers(&mut newer, "newer").await;
        witness::end(&mut newer).await;
        newer.finish().await;
        older.finish().await;
    })
    .await;
}
