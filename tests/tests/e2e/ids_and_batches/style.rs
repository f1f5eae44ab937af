//! The peer's first message decides whether ours carry `jsonrpc`.

use exec_tests::{TestServer, on_every_wire};

/// Shakes hands and runs a process, in words that carry `member`; and counts how many of at least
/// five messages that come back begin with it.
async fn mirrored(server: &TestServer, member: &str) {
    let mut peer = server.connect().await;
    for text in [
        r#""id":1,"method":"initialize","params":{"clientName":"t"}}"#,
        r#""method":"initialized"}"#,
        r#""id":2,"method":"no/such"}"#,
        r#""id":3,"method":"process/start","params":{"processId":"p","argv":["/bin/echo","hi"]}}"#,
    ] {
        peer.send_text(format!("{{{member}{text}")).await;
    }
    let mut texts = Vec::new();
    loop {
        let text = peer.next_text().await.expect("more");
        let is_last = text.contains("process/closed");
        texts.push(text);
        if is_last {
            break;
        }
    }
    // Another style later changes nothing.
    peer.send_text(r#"{"id":4,"method":"environment/info"}"#).await;
    texts.push(peer.next_text().await.expect("an answer"));
    peer.send_text(r#"{"jsonrpc":"2.0","id":5,"method":"environment/info"}"#)
        .await;
    texts.push(peer.next_text().await.expect("an answer"));
    peer.send_text(r#"[{"id":6,"method":"environment/info"}]"#).await;
    let batch = peer.next_text().await.expect("an answer");
    texts.push(batch.strip_prefix('[').expect("an array").to_owned());
    assert!(texts.len() >= 9, "{texts:#?}");
    for text in texts {
        assert_eq!(
            text.starts_with(r#"{"jsonrpc":"2.0","#),
            !member.is_empty(),
            "{text}"
        );
        assert_eq!(text.contains("jsonrpc"), !member.is_empty(), "{text}");
    }
    peer.finish().await;
}

on_every_wire! {
    async fn a_peer_that_writes_jsonrpc_reads_it_in_every_message(server: &TestServer) {
        mirrored(server, r#""jsonrpc":"2.0","#).await;
    }

    async fn a_peer_that_writes_no_jsonrpc_reads_none(server: &TestServer) {
        mirrored(server, "").await;
    }

    async fn a_null_jsonrpc_counts_as_none(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.send_text(r#"{"jsonrpc":null,"id":1,"method":"environment/info"}"#).await;
        let text = peer.next_text().await.expect("an answer");
        assert!(text.starts_with(r#"{"id":1,"error""#), "{text}");
        peer.finish().await;
    }

    async fn until_there_was_a_message_ours_carry_jsonrpc(server: &TestServer) {
        let mut peer = server.connect().await;
        for bad in ["nonsense", r#"{"id":1,"method":7}"#, "[]", "[1]"] {
            peer.send_text(bad).await;
            let text = peer.next_text().await.expect("an answer");
            assert!(text.trim_start_matches('[').starts_with(r#"{"jsonrpc":"2.0","#), "{bad}: {text}");
        }
        peer.send_text(r#"{"id":1,"method":"environment/info"}"#).await;
        let text = peer.next_text().await.expect("an answer");
        assert!(text.starts_with(r#"{"id":1,"error""#), "{text}");
        peer.send_text("nonsense").await;
        let text = peer.next_text().await.expect("an answer");
        assert!(text.starts_with(r#"{"id":null,"error""#), "{text}");
        peer.finish().await;
    }

    async fn the_first_message_of_a_batch_decides(server: &TestServer) {
        let mut peer = server.connect().await;
        peer.send_text(r#"[7,{"id":1,"method":"environment/info"},{"jsonrpc":"2.0","id":2,"method":"environment/info"}]"#).await;
        let text = peer.next_text().await.expect("an answer");
        assert!(!text.contains("jsonrpc"), "{text}");
        peer.finish().await;
    }
}
