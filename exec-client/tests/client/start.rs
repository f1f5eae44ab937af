//! Starts, and what is known of a process from there on.

use exec_client::Event;
use exec_protocol::process::StartParams;
use serde_json::{Value, json};

use crate::fake::{Peer, process_id, soon};

fn start(name: &str) -> StartParams {
    StartParams::new(process_id(name), ["true"])
}

/// What a server says of a process that it has given a name.
fn named(name: &str) -> Value {
    json!({
        "processId": name, "sandboxType": "none", "uid": "u7", "pid": 4711, "startedAtMs": 1_763_700_000_000_u64,
    })
}

#[tokio::test]
async fn what_the_server_says_at_the_start_is_known_to_every_handle() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, ()) = tokio::join!(client.start(&params), async {
        let (id, _) = peer.expect("process/start").await;
        peer.answer(&id, named("p")).await;
    });
    let process = process.unwrap();
    let control = process.control();
    for uid in [process.uid(), control.uid()] {
        assert_eq!(uid.map(exec_protocol::Uid::as_str), Some("u7"));
    }
    assert_eq!((process.pid(), control.pid()), (Some(4711), Some(4711)));
    let started_at_ms = Some(1_763_700_000_000);
    assert_eq!(
        (process.started_at_ms(), control.started_at_ms()),
        (started_at_ms, started_at_ms)
    );
}

#[tokio::test]
async fn a_server_of_the_core_gives_no_names() {
    let (mut peer, client) = Peer::with_client().await;
    let params = start("p");
    let (process, _) = tokio::join!(client.start(&params), peer.accept_start());
    let mut process = process.unwrap();
    assert_eq!(
        (process.uid(), process.pid(), process.started_at_ms()),
        (None, None, None)
    );
    drop(peer);
    assert_eq!(soon(process.next()).await, Some(Event::Disconnected));
}
