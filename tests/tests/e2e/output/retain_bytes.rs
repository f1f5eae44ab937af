//! `retainBytes`: as much is kept as was asked for.

use exec_protocol::initialize::Notifications;
use exec_tests::{Peer, TestServer, blocks, on_every_wire};
use serde_json::{Value, json};

use super::{RETAINED, closed, kept};
use crate::commands::{on_pipes, with};

/// What each process writes, in bytes.
const WRITTEN: u64 = 6_000_000;

/// What is kept at least, in bytes.
const LEAST: u64 = 16 << 10;

/// Runs a process that is to keep so much, and returns how much it kept.
async fn kept_of(peer: &mut Peer, id: &str, retain_bytes: &Value) -> u64 {
    let params = on_pipes(id, ["blocks", &WRITTEN.to_string()]);
    peer.start(with(params, json!({"retainBytes": retain_bytes})))
        .await;
    let state = closed(peer, id).await;
    let (begin, bytes) = kept(peer, id, 0).await;
    blocks::check(begin, &bytes);
    assert_eq!(begin + bytes.len() as u64, WRITTEN);
    assert_eq!(state.first_offset, Some(begin));
    bytes.len() as u64
}

on_every_wire! {
    async fn as_much_is_kept_as_was_asked_for(server: &TestServer) {
        let mut peer = server.session_to_be_told(Notifications::None).await;
        for (number, (asked, promised)) in [
            (json!(0), LEAST),
            (json!(1), LEAST),
            (json!(16 << 10), LEAST),
            (json!(100_000), 100_000),
            (Value::Null, RETAINED),
            (json!(4 << 20), 4 << 20),
        ].into_iter().enumerate() {
            let kept = kept_of(&mut peer, &number.to_string(), &asked).await;
            // A sixteenth is dropped at a time, and what is in the newest need not be full.
            let segment = (promised / 16).min(64 << 10);
            assert!((promised - 2 * segment..=promised).contains(&kept), "{kept} bytes are kept of {asked}");
        }
        assert_eq!(kept_of(&mut peer, "more than there is", &json!(8 << 20)).await, WRITTEN);
        peer.finish().await;
    }

    async fn what_is_no_number_of_bytes_is_refused(peer: &mut Peer) {
        for (member, value) in [
            ("retainBytes", json!(-1)),
            ("retainBytes", json!("1")),
            ("retainBytes", json!(1.5)),
            ("onSlowClient", json!("wait")),
            ("onSlowClient", json!(true)),
        ] {
            let params = with(on_pipes("p", ["exit", "0"]), json!({member: value}));
            let error = peer.refused("process/start", params).await;
            let found = (error.code, error.data.kind.as_str(), error.data.field.as_deref());
            assert_eq!(found, (-32602, "invalidParams", Some(member)), "{value}");
        }
        let params = with(on_pipes("p", ["exit", "0"]), json!({"retainBytes": null, "onSlowClient": null}));
        let transcript = peer.run(params).await;
        assert_eq!(transcript.exit_code, Some(0));
    }
}
