//! Which variables a task has.

use std::collections::BTreeMap;

use exec_tests::{Peer, on_every_wire_with_tasks, on_wires_with_tasks};
use serde_json::{Value, json};

use super::{output_of, task};
use crate::commands::with;

/// The variables of a task with these params.
async fn variables(peer: &mut Peer, id: &str, more: Value) -> BTreeMap<String, String> {
    let text = output_of(peer, with(task(id, ["env"]), more)).await;
    let lines = text
        .split_terminator("\0\n")
        .map(|line| line.split_once('=').expect("NAME=VALUE"));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

on_every_wire_with_tasks! {
    async fn it_has_those_of_the_server_and_knows_its_own_name(peer: &mut Peer) {
        let variables = variables(peer, "t-1", json!({"env": {"A": "1", "API_KEY": "given"}})).await;
        assert!(variables.contains_key("PATH"), "{variables:?}");
        for (name, value) in [("A", "1"), ("API_KEY", "given"), ("EXEC_TASK_ID", "t-1")] {
            assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    async fn a_policy_says_which_it_has(peer: &mut Peer) {
        let more = json!({"env": {"A": "1"}, "envPolicy": {"inherit": "none", "set": {"B": "2"}}});
        let variables = variables(peer, "t", more).await;
        let plain: BTreeMap<_, _> = variables.iter().filter(|(name, _)| !name.starts_with("EXEC_TASK_")).collect();
        assert_eq!(json!(plain), json!({"A": "1", "B": "2"}));
        assert_eq!(variables["EXEC_TASK_ID"], "t");
    }
}

on_wires_with_tasks! {
    [stdio, websocket]
    async fn what_looks_secret_is_not_inherited_by_default(peer: &mut Peer) {
        let by_default = variables(peer, "default", json!({})).await;
        assert_eq!(by_default.get("EXEC_TESTS_PLAIN").map(String::as_str), Some("plain"));
        assert_eq!(by_default.get("EXEC_TESTS_API_KEY"), None);
        let all = variables(peer, "all", json!({"envPolicy": {"ignoreDefaultExcludes": true}})).await;
        assert_eq!(all.get("EXEC_TESTS_API_KEY").map(String::as_str), Some("secret"));
    }
}
