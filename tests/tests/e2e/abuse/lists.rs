//! Lists and objects that are legal JSON of a legal length, and take seconds to build or hours to work through.

use exec_protocol::{MAX_GLOBS, MAX_NAMES};
use exec_tests::{Peer, fixture};
use serde_json::{Value, json};

use super::raw::Raw;
use super::{is_answered, on_raw_wires};

/// As many elements as make a message of a length that is allowed.
const MANY: usize = 1_000_000;

/// Sends a request that is refused for this member, while another connection is served.
async fn is_refused(raw: &mut Raw, other: Option<&mut Peer>, text: &str, field: &str) {
    let refusal = async {
        raw.send_text(text).await;
        raw.next().await
    };
    let answer = match other {
        Some(other) => tokio::join!(refusal, is_answered(other)).0,
        None => refusal.await,
    };
    let data = &answer["error"]["data"];
    assert_eq!(
        (&data["kind"], &data["field"]),
        (&json!("invalidParams"), &json!(field)),
        "{answer}"
    );
}

/// The text of a start with one more member.
fn start(member: &str) -> String {
    let argv = json!(fixture::argv(["exit", "0"]));
    format!(r#"{{"id":1,"method":"process/start","params":{{"processId":"p","argv":{argv},{member}}}}}"#)
}

/// An object with so many names of some length.
fn names(count: usize, before: &str) -> String {
    let names: Vec<_> = (0..count)
        .map(|number| format!(r#""{before}{number}":"""#))
        .collect();
    format!("{{{}}}", names.join(","))
}

on_raw_wires! {
    async fn nobody_looks_through_a_path_without_end(raw: &mut Raw, other: Option<&mut Peer>) {
        let mut other = other;
        let argv = |path: String| format!(r#"{{"id":1,"method":"process/start","params":{{"processId":"p","argv":["true"],"env":{{"PATH":"{path}"}}}}}}"#);
        // The kernel takes the first as a variable, and not the second.
        for elements in [5_000, MANY] {
            is_refused(raw, other.as_deref_mut(), &argv(":".repeat(elements)), "argv").await;
        }
        let longest = start(&format!(r#""env":{{"A":"{}"}}"#, "v".repeat(MANY)));
        is_refused(raw, other, &longest, "argv").await;
    }

    async fn an_error_repeats_no_long_text(raw: &mut Raw, _other: Option<&mut Peer>) {
        let long = "x".repeat(MANY);
        for request in [
            format!(r#"{{"id":1,"method":"{long}"}}"#),
            start(&format!(r#""limits":{{"{long}":1}}"#)),
            start(&format!(r#""onDisconnect":"{long}""#)),
        ] {
            raw.send_text(&request).await;
            let answer = raw.next().await;
            assert!(answer["error"]["data"]["kind"].is_string(), "it is ours");
            assert!(answer.to_string().len() < 20_000, "{} bytes", answer.to_string().len());
        }
    }

    async fn names_that_would_be_matched_with_globs_for_hours_are_not(raw: &mut Raw, other: Option<&mut Peer>) {
        // Each glob begins anew at each letter of each name, and fails at its own last one.
        let before = "n".repeat(90);
        let globs = json!(vec![format!("*{before}x"); MAX_GLOBS]);
        let set = names(MAX_NAMES, &before);
        let policy = format!(r#""envPolicy":{{"inherit":"none","set":{set},"includeOnly":{globs}}}"#);
        is_refused(raw, other, &start(&policy), "envPolicy.includeOnly").await;
        assert!(raw.call("server/info", Value::Null).await["result"].is_object());
    }

    async fn what_is_too_long_to_be_built_costs_no_more_than_what_nobody_knows(raw: &mut Raw, other: Option<&mut Peer>) {
        let mut other = other;
        let object = names(MANY, "v");
        let list = json!(vec![""; 4 * MANY]).to_string();
        for (member, value, field) in [
            ("env", &object, "env"),
            (r#"envPolicy":{"set"#, &object, "envPolicy.set"),
            (r#"envPolicy":{"exclude"#, &list, "envPolicy.exclude"),
        ] {
            let behind = if member == field { "" } else { "}" };
            let before = raw.worked();
            let ignored = start(&format!(r#""unknown":{value},"size":{{}}"#));
            is_refused(raw, other.as_deref_mut(), &ignored, "size").await;
            let between = raw.worked();
            is_refused(raw, other.as_deref_mut(), &start(&format!(r#""{member}":{value}{behind}"#)), field).await;
            let (passed_over, refused) = (between.abs_diff(before), raw.worked().abs_diff(between));
            assert!(refused < 5 * passed_over, "{field}: {refused:?} to refuse what takes {passed_over:?} to pass over");
        }
    }
}
