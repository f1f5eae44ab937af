//! Messages, and what is none, before the handshake and after it.

use bytes::Bytes;
use exec_tests::{TestServer, on_wires};
use futures_util::future::join_all;
use serde_json::Value;

use super::{AT_A_TIME, HELLO, PROBE, PROBE_ID, Seed, are_answered, due, is_answered, seeds};
use crate::witness;

/// Where in a conversation something is said.
#[derive(Debug, Clone, Copy)]
enum Moment {
    BeforeHandshake,
    AfterHandshake,
}

const MOMENTS: [Moment; 2] = [Moment::BeforeHandshake, Moment::AfterHandshake];

impl Moment {
    /// What is said, one after the other.
    fn conversation(self, bad: &[u8]) -> [&[u8]; 4] {
        let [hello, initialized] = HELLO.map(str::as_bytes);
        match self {
            Self::BeforeHandshake => [bad, hello, initialized, PROBE.as_bytes()],
            Self::AfterHandshake => [hello, initialized, bad, PROBE.as_bytes()],
        }
    }
}

/// All that is sent as a message, or as a line.
fn messages() -> Vec<Seed> {
    let of_params = seeds("params").into_iter().map(|Seed { name, bytes }| {
        let bytes = request_of(&name, &bytes);
        Seed { name, bytes }
    });
    let others = ["envelope", "framing"].into_iter().flat_map(seeds);
    others.chain(of_params).collect()
}

/// A request with these params: the method is in the first line.
fn request_of(name: &str, seed: &[u8]) -> Vec<u8> {
    let end = seed.iter().position(|byte| *byte == b'\n').unwrap_or(seed.len());
    let (method, params) = seed.split_at(end);
    touches_nothing(name, method, params);
    let method = Value::from(String::from_utf8_lossy(method)).to_string();
    let head = format!(r#"{{"id":"seed","method":{method},"params":"#);
    [head.as_bytes(), params.trim_ascii_start(), b"}"].concat()
}

/// What is asked for here is done: no input may name a file that somebody could miss, or a program.
fn touches_nothing(name: &str, method: &[u8], params: &[u8]) {
    if !method.starts_with(b"fs/") && !method.ends_with(b"/start") {
        return;
    }
    let params = String::from_utf8_lossy(params);
    for text in params.split('"').skip(1).step_by(2) {
        let path = text.strip_prefix("file://").unwrap_or(text);
        let is_safe = !path.starts_with('/') || path.starts_with("/no/such");
        assert!(is_safe, "{name} names {text}, and would be carried out");
    }
}

/// What a server says to this input, which must be what it wants.
async fn line_costs_only_itself(Seed { name, bytes }: &Seed, moment: Moment) {
    let answers = is_answered(&moment.conversation(bytes).join(&b'\n')).await;
    assert!(
        answers.iter().any(|id| id == PROBE_ID),
        "{name} hides what follows it, {moment:?}"
    );
}

#[tokio::test]
async fn whatever_comes_as_a_line_costs_only_itself() {
    let messages = messages();
    for some in messages.chunks(AT_A_TIME) {
        for moment in MOMENTS {
            join_all(some.iter().map(|seed| line_costs_only_itself(seed, moment))).await;
        }
    }
}

on_wires! {
    [websocket]
    async fn whatever_comes_as_a_frame_costs_only_itself(server: &TestServer) {
        let mut other = server.session().await;
        witness::start(&mut other).await;
        for Seed { name, bytes } in messages() {
            for moment in MOMENTS {
                let transport = exec_client::Transport::websocket(server.url()).await;
                let (mut sender, mut receiver) = transport.expect("the server listens").split();
                let conversation = moment.conversation(&bytes);
                for message in conversation {
                    let sent = sender.send(Bytes::copy_from_slice(message)).await;
                    sent.unwrap_or_else(|_| panic!("the server hung up over {name}"));
                }
                let wanted = conversation.into_iter().flat_map(due).collect();
                are_answered(&mut receiver, wanted, &format!("{name}, {moment:?}")).await;
            }
        }
        witness::answers(&mut other, "still here").await;
        witness::end(&mut other).await;
        other.finish().await;
    }
}
