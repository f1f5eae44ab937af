//! An id comes back with exactly the characters that it was sent with.

use exec_tests::{Peer, on_every_wire};

/// Every sort of id that JSON knows, as it may be written.
fn ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "0",
        "-0",
        "1",
        "-1",
        "1.50",
        "1e3",
        "1E+3",
        "-1.5e-300",
        "1e400",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        r#""""#,
        r#""1""#,
        r#"" ""#,
        r#""ü""#,
        r#""\u00fc""#,
        r#""\ud83d\ude00😀""#,
        r#""a\"b\\c\/d\n\u0000""#,
        r#""\ud800""#,
    ]
    .map(String::from)
    .into();
    // As long as an id may be: 1,024 bytes.
    ids.push(format!("\"{}\"", "i".repeat(1022)));
    ids.push("7".repeat(1024));
    ids
}

/// The text of an answer with this id and this outcome, as far as it is known.
fn is_answer(text: &str, id: &str, outcome: &str) -> bool {
    text.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"{outcome}":"#))
}

on_every_wire! {
    async fn an_id_is_echoed_verbatim_in_results(peer: &mut Peer) {
        for id in ids() {
            peer.send_text(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"environment/info"}}"#)).await;
            let text = peer.next_text().await.expect("an answer");
            assert!(is_answer(&text, &id, "result"), "{id}: {text}");
        }
    }

    async fn an_id_is_echoed_verbatim_in_errors(peer: &mut Peer) {
        for id in ids() {
            for request in [
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no/such"}}"#),
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"process/read","params":[]}}"#),
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":7}}"#),
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize"}}"#),
            ] {
                peer.send_text(request.clone()).await;
                let text = peer.next_text().await.expect("an answer");
                assert!(is_answer(&text, &id, "error"), "{request}: {text}");
            }
        }
    }

    async fn an_id_is_echoed_verbatim_by_what_had_to_wait(peer: &mut Peer) {
        for (at, id) in ids().into_iter().enumerate() {
            peer.send_text(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"process/start","params":{{"processId":"{at}","argv":["/no/such"]}}}}"#
            )).await;
            let text = peer.next_text().await.expect("an answer");
            assert!(is_answer(&text, &id, "error"), "{id}: {text}");
        }
    }

    async fn an_id_is_echoed_verbatim_in_batches(peer: &mut Peer) {
        let requests: Vec<_> = ids()
            .iter()
            .map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"environment/info"}}"#))
            .collect();
        peer.send_text(format!("[{}]", requests.join(","))).await;
        let text = peer.next_text().await.expect("an answer");
        for id in ids() {
            assert!(text.contains(&format!(r#""id":{id},"result""#)), "{id}: {text}");
        }
    }
}
