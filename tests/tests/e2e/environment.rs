//! `env` and `envPolicy`: which variables a child has, and where its program is looked for.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::{Value, json};

use crate::commands::{on_pipes, with};

type Variables = BTreeMap<String, String>;

/// The variables that a child has under these params.
async fn variables(peer: &mut Peer, more: Value) -> Variables {
    let id = more.to_string();
    let id = &id[..id.len().min(200)];
    let transcript = peer.run(with(on_pipes(id, ["env"]), more)).await;
    assert_eq!(transcript.exit_code, Some(0));
    let text = transcript.text();
    let lines = text
        .split_terminator("\0\n")
        .map(|line| line.split_once('=').expect("NAME=VALUE"));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// All variables that the server has.
async fn servers(peer: &mut Peer) -> Variables {
    let all = variables(peer, json!({"envPolicy": {"ignoreDefaultExcludes": true}})).await;
    assert!(all.contains_key("PATH"));
    all
}

fn looks_secret(name: &str) -> bool {
    ["KEY", "SECRET", "TOKEN"]
        .iter()
        .any(|word| name.to_uppercase().contains(word))
}

fn of<const N: usize>(pairs: [(&str, &str); N]) -> Variables {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

on_every_wire! {
    async fn without_a_policy_a_child_has_env_and_nothing_else(peer: &mut Peer) {
        assert_eq!(variables(peer, json!({})).await, of([]));
        let env = json!({"env": {"A": "1", "EMPTY": "", "SECRET_KEY": "not filtered", "ü": "a=b\nc"}});
        let expected = of([("A", "1"), ("EMPTY", ""), ("SECRET_KEY", "not filtered"), ("ü", "a=b\nc")]);
        assert_eq!(variables(peer, env).await, expected);
    }

    async fn a_policy_inherits_all_but_what_looks_secret(peer: &mut Peer) {
        let mut expected = servers(peer).await;
        expected.retain(|name, _| !looks_secret(name));
        assert_eq!(variables(peer, json!({"envPolicy": {}})).await, expected);
        assert_eq!(variables(peer, json!({"envPolicy": {"inherit": "all"}})).await, expected);
    }

    async fn core_inherits_what_a_program_needs_to_find_its_way(peer: &mut Peer) {
        let core = ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR",
            "TZ", "USER", "USERNAME"];
        let mut expected = servers(peer).await;
        expected.retain(|name, _| core.contains(&name.as_str()));
        assert_eq!(variables(peer, json!({"envPolicy": {"inherit": "core"}})).await, expected);
        assert_eq!(variables(peer, json!({"envPolicy": {"inherit": "none"}})).await, of([]));
        let error = peer.refused("process/start", with(on_pipes("p", ["env"]), json!({"envPolicy": {"inherit": "some"}}))).await;
        assert_eq!(error.data.kind, "invalidParams");
    }

    async fn the_steps_of_a_policy_come_in_their_order(peer: &mut Peer) {
        let set = json!({"ONE": "1", "TWO": "2", "SET_TOKEN": "kept"});
        // `set` comes after both kinds of exclusion.
        let policy = json!({"inherit": "none", "set": set, "exclude": ["*"]});
        let expected = of([("ONE", "1"), ("TWO", "2"), ("SET_TOKEN", "kept")]);
        assert_eq!(variables(peer, json!({"envPolicy": policy})).await, expected);
        // `includeOnly` comes after `set`, and `env` after everything. Globs ignore case.
        let policy = json!({"set": set, "includeOnly": ["o?e", "t*"], "exclude": ["P*", "T*", "O*"]});
        let params = json!({"envPolicy": policy, "env": {"TWO": "two", "EXTRA": "e"}});
        let expected = of([("ONE", "1"), ("TWO", "two"), ("EXTRA", "e")]);
        assert_eq!(variables(peer, params).await, expected);
        let mut expected = servers(peer).await;
        expected.retain(|name, _| !name.to_uppercase().starts_with('P') && !looks_secret(name));
        assert_eq!(variables(peer, json!({"envPolicy": {"exclude": ["p*"]}})).await, expected);
    }

    async fn a_program_is_looked_up_in_the_path_of_the_child(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        symlink(fixture::path(), directory.path().join("only-here")).unwrap();
        let path = format!("/no/such/directory:{}", directory.path().display());
        let run = |id: &str| json!({"processId": id, "argv": ["only-here", "exit", "6"]});
        assert_eq!(peer.run(with(run("env"), json!({"env": {"PATH": path}}))).await.exit_code, Some(6));
        let policy = json!({"envPolicy": {"inherit": "none", "set": {"PATH": path}}});
        assert_eq!(peer.run(with(run("policy"), policy)).await.exit_code, Some(6));
        assert_eq!(peer.refused("process/start", run("p")).await.data.kind, "programNotFound");
        // A PATH without it hides what the server itself would find.
        let hidden = json!({"processId": "p", "argv": ["true"], "env": {"PATH": directory.path()}});
        assert_eq!(peer.refused("process/start", hidden).await.data.kind, "programNotFound");
        // Without a PATH there is a default.
        assert_eq!(peer.run(json!({"processId": "p", "argv": ["true"]})).await.exit_code, Some(0));
        // An empty element is the working directory.
        let here = json!({"env": {"PATH": ":/bin"}, "cwd": directory.path()});
        assert_eq!(peer.run(with(run("here"), here)).await.exit_code, Some(6));
    }
}
