//! A child that does not read its stdin is its own problem, and nobody else's.

use exec_tests::wait::promptly;
use exec_tests::{Peer, base64, on_every_wire};
use serde_json::{Value, json};

use crate::commands::{on_terminal, with_stdin};

const WRITE_BYTES: usize = 64 << 10;

/// More than any queue and any pipe may hold: 1 MiB is promised, and nothing near this.
const MOST_BYTES: usize = 16 << 20;

fn write(process_id: &str, number: usize) -> Value {
    let bytes = vec![b'a' + u8::try_from(number % 26).unwrap(); WRITE_BYTES];
    json!({"processId": process_id, "chunk": base64(bytes), "writeId": format!("fill {number}")})
}

/// Writes until that is refused. Returns the number of the write that was.
async fn fill(peer: &mut Peer, process_id: &str) -> usize {
    for number in 0..MOST_BYTES / WRITE_BYTES {
        let outcome = promptly(
            "a write",
            peer.try_call("process/write", write(process_id, number)),
        )
        .await;
        match outcome {
            Ok(result) => assert_eq!(result["status"], "accepted"),
            Err(error) => {
                assert_eq!((error.code, &error.data.kind[..]), (-32603, "stdinFull"));
                assert!(
                    number * WRITE_BYTES >= 1 << 20,
                    "refused after {number} writes only"
                );
                return number;
            }
        }
    }
    panic!("{MOST_BYTES} bytes were accepted for a child that reads none");
}

async fn others_do_not_notice(peer: &mut Peer, full: &str) {
    let state = promptly(
        "a read",
        peer.call("process/read", json!({"processId": full, "maxBytes": 0})),
    )
    .await;
    assert_eq!(state["exited"], false);
    promptly("a start", peer.start(with_stdin("other", ["echo"]))).await;
    let status = promptly("a write to another", peer.write("other", "hello")).await;
    assert_eq!(status, "accepted");
    promptly("the echo of another", peer.output_until("other", "hello")).await;
    promptly("another information", peer.call("environment/info", json!({}))).await;
    let delivered = json!({"processId": full, "signal": "continue"});
    assert_eq!(
        promptly("a signal", peer.call("process/signal", delivered)).await,
        json!({"delivered": true})
    );
    let closed = peer
        .call("process/closeStdin", json!({"processId": "other"}))
        .await;
    assert_eq!(closed, json!({"closed": true}));
    peer.output_until_closed("other").await;
}

on_every_wire! {
    async fn a_full_stdin_refuses_writes_and_slows_nothing_else(peer: &mut Peer) {
        peer.start(with_stdin("p", ["never-read"])).await;
        peer.output_until("p", "ready").await;
        fill(peer, "p").await;
        others_do_not_notice(peer, "p").await;
        let transcript = promptly("to terminate", peer.terminate("p")).await;
        assert_eq!(transcript.exit_code, Some(143));
    }

    async fn a_full_terminal_refuses_writes_and_slows_nothing_else(peer: &mut Peer) {
        peer.start(on_terminal("p", ["never-read"])).await;
        peer.output_until("p", "ready").await;
        // What a terminal echoes, it may echo all the time.
        fill_terminal(peer, "p").await;
        peer.take_events("p");
        others_do_not_notice(peer, "p").await;
        let transcript = promptly("to terminate", peer.terminate("p")).await;
        assert_eq!(transcript.exit_code, Some(143));
    }

    async fn a_full_terminal_whose_leader_is_killed_comes_to_its_end(peer: &mut Peer) {
        // The end of the terminal and that of the leader come in either order, so it takes a few.
        for id in ["1", "2", "3", "4", "5", "6"] {
            peer.start(on_terminal(id, ["never-read"])).await;
            peer.output_until(id, "ready").await;
            fill_terminal(peer, id).await;
            peer.call("process/signal", json!({"processId": id, "signal": "kill"})).await;
            assert_eq!(peer.output_until_closed(id).await.exit_code, Some(137));
            assert_eq!(peer.write(id, "x").await, "stdinClosed");
        }
    }

    async fn a_refused_write_comes_first_when_there_is_room_again(peer: &mut Peer) {
        peer.start(with_stdin("p", ["echo-on-user1"])).await;
        peer.output_until("p", "ready").await;
        let refused = fill(peer, "p").await;
        let small = json!({"processId": "p", "chunk": base64("small"), "writeId": "small", "eof": true});
        // There would be room for it, and it would overtake.
        assert_eq!(peer.refused("process/write", small.clone()).await.data.kind, "stdinFull");

        peer.call("process/signal", json!({"processId": "p", "signal": "user1"})).await;
        while peer.transcript("p").stdout.len() < "ready\n".len() + refused * WRITE_BYTES {
            peer.event("p").await;
        }
        // All is drained.
        assert_eq!(peer.refused("process/write", small.clone()).await.data.kind, "stdinFull");
        assert_eq!(peer.call("process/write", write("p", refused)).await["status"], "accepted");
        assert_eq!(peer.call("process/write", small).await["status"], "accepted");

        let transcript = peer.output_until_closed("p").await;
        let mut expected = b"ready\n".to_vec();
        (0..=refused).for_each(|n| expected.extend(vec![b'a' + u8::try_from(n % 26).unwrap(); WRITE_BYTES]));
        expected.extend(b"small");
        assert!(transcript.stdout == expected, "{} bytes instead of {}", transcript.stdout.len(), expected.len());
    }
}

/// Fills the stdin of a terminal that echoes.
async fn fill_terminal(peer: &mut Peer, process_id: &str) {
    let line = [vec![b'x'; 999], b"\n".to_vec()].concat().repeat(64);
    let mut accepted = 0;
    while accepted < MOST_BYTES {
        let params = json!({"processId": process_id, "chunk": base64(&line)});
        match promptly("a write", peer.try_call("process/write", params)).await {
            Ok(_) => accepted += line.len(),
            Err(error) => {
                assert_eq!(error.data.kind, "stdinFull");
                assert!(
                    accepted + line.len() > 1 << 20,
                    "refused after {accepted} bytes only"
                );
                return;
            }
        }
        peer.take_events(process_id);
    }
    panic!("{MOST_BYTES} bytes were accepted for a child that reads none");
}
