//! How much of what a start says goes into a record.

use exec_tests::{Peer, TestServer, on_every_wire};
use serde_json::{Value, json};

use super::record;
use crate::commands::{on_pipes, with};

/// The cap in force.
async fn record_bytes(peer: &mut Peer) -> usize {
    let limits = peer.handshake().await.limits.expect("they are told");
    usize::try_from(limits.record_bytes).expect("it is small")
}

fn labels(bytes: usize) -> Value {
    json!({"label": "x".repeat(bytes - "label".len())})
}

on_every_wire! {
    async fn a_long_command_line_is_cut_in_the_record_only(server: &TestServer) {
        let mut peer = server.connect().await;
        let most = record_bytes(&mut peer).await;
        let argv = ["/bin/sh", "-c", "printf %s ${#1}", "sh", &"ü".repeat(most)];
        let transcript = peer.run(json!({"processId": "p", "argv": argv, "env": {"LC_ALL": "C"}})).await;
        assert_eq!(transcript.text(), (2 * most).to_string(), "it was run with all of it");
        let kept = record(&mut peer, "p").await.argv;
        assert_eq!(kept[..4], argv[..4]);
        assert!(argv[4].starts_with(&kept[4]), "{}", kept[4]);
        let length = kept.iter().map(String::len).sum::<usize>();
        assert!((most - 1..=most).contains(&length), "{length} of {most} bytes");
        peer.finish().await;
    }

    async fn long_metadata_is_in_no_record_and_no_reason_to_refuse(server: &TestServer) {
        let mut peer = server.connect().await;
        let most = record_bytes(&mut peer).await;
        for (id, length, is_kept) in [("short", most - 2, true), ("long", most - 1, false)] {
            let metadata = json!("m".repeat(length));
            peer.run(with(on_pipes(id, ["exit", "0"]), json!({"metadata": metadata}))).await;
            assert_eq!(record(&mut peer, id).await.metadata, is_kept.then_some(metadata), "{id}");
        }
        peer.finish().await;
    }

    async fn title_and_labels_that_are_too_long_are_refused(server: &TestServer) {
        let mut peer = server.connect().await;
        let most = record_bytes(&mut peer).await;
        for (more, field) in [
            (json!({"title": "t".repeat(most + 1)}), "title"),
            (json!({"labels": labels(most + 1)}), "labels"),
            (json!({"title": "t", "labels": labels(most)}), "labels"),
        ] {
            let error = peer.refused("process/start", with(on_pipes("p", ["exit", "0"]), more)).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"));
            assert_eq!(error.data.field.as_deref(), Some(field));
        }
        let fitting = json!({"title": "t", "labels": labels(most - 1)});
        peer.run(with(on_pipes("p", ["exit", "0"]), fitting.clone())).await;
        let record = record(&mut peer, "p").await;
        assert_eq!((json!(record.title), json!(record.labels)), (fitting["title"].clone(), fitting["labels"].clone()));
        peer.finish().await;
    }

    async fn labels_are_texts_with_one_value_each(peer: &mut Peer) {
        for labels in [r#"{"a": 1}"#, r#"{"a": "1", "a": "2"}"#, r#"["a"]"#] {
            let text = format!(r#"{{"id": "labels", "method": "process/start",
                "params": {{"processId": "p", "argv": ["/bin/true"], "labels": {labels}}}}}"#);
            peer.send_text(text.replace('\n', " ")).await;
            let error = peer.response("labels").await.expect_err("it is refused");
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"), "{labels}");
        }
    }
}
