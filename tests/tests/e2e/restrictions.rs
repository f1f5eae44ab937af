//! What a process may use at most, and what it may not do.

mod house_rules;
mod refused;
mod trees;

use exec_tests::{Peer, on_every_wire, on_wires};
use serde_json::{Value, json};

use crate::commands::{script, with};

/// What a process says of itself, with its restrictions: the text of its `/proc/self/limits`, say.
async fn said(peer: &mut Peer, id: &str, text: &str, more: Value) -> String {
    let transcript = peer.run(with(script(id, text), more)).await;
    assert_eq!(transcript.exit_code, Some(0), "{}", transcript.text());
    transcript.text()
}

/// The soft and the hard limit of this name in the text of a `/proc/PID/limits`.
fn limit(text: &str, name: &str) -> [String; 2] {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let mut words = line
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .split_whitespace();
    [(); 2].map(|()| words.next().unwrap().to_owned())
}

/// Which signal ended a process, and why.
async fn end(peer: &mut Peer, id: &str) -> (String, String) {
    let read = peer.call("process/read", json!({"processId": id})).await;
    ["signal", "endReason"]
        .map(|name| read[name].as_str().unwrap().to_owned())
        .into()
}

on_every_wire! {
    async fn a_process_and_who_it_starts_have_the_limits_of_the_start(peer: &mut Peer) {
        let limits = json!({
            "cpuSeconds": 70, "memoryBytes": 1_u64 << 32, "openFiles": 90, "processes": 4000,
            "fileBytes": 1 << 20, "coreBytes": 4096,
        });
        for tty in [false, true] {
            let more = json!({"limits": limits, "tty": tty});
            let text = said(peer, &format!("p{tty}"), "cat /proc/self/limits; true", more).await;
            for (name, value) in [
                ("Max cpu time", "70"), ("Max address space", "4294967296"), ("Max open files", "90"),
                ("Max processes", "4000"), ("Max file size", "1048576"), ("Max core file size", "4096"),
            ] {
                assert_eq!(limit(&text, name), [value, value], "{name}");
            }
        }
    }

    async fn without_limits_nothing_changes_but_that_there_are_no_core_dumps(peer: &mut Peer) {
        let ours = std::fs::read_to_string("/proc/self/limits").unwrap();
        let none = json!({});
        for (number, limits) in [none, json!({"limits": {}}), json!({"limits": null})].into_iter().enumerate() {
            let text = said(peer, &format!("p{number}"), "cat /proc/self/limits", limits).await;
            for name in ["Max cpu time", "Max address space", "Max open files", "Max processes", "Max file size"] {
                assert_eq!(limit(&text, name), limit(&ours, name), "{name}");
            }
            let core = "Max core file size";
            assert_eq!(limit(&text, core), ["0".to_owned(), limit(&ours, core)[1].clone()]);
        }
    }

    async fn a_file_does_not_grow_beyond_its_limit(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let write = with(script("p", "exec cat /dev/zero >\"$FILE\""), json!({"env": {"FILE": file}}));
        peer.run(with(write, json!({"limits": {"fileBytes": 5000}}))).await;
        assert_eq!(end(peer, "p").await, ("SIGXFSZ".to_owned(), "signaled".to_owned()));
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 5000);
    }

    async fn new_files_do_not_get_what_the_umask_takes(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        for (umask, mode) in [("077", "600"), ("0", "666"), ("0027", "640")] {
            let text = said(peer, umask, "umask; : >\"$PWD/$$\"; stat -c %a \"$PWD/$$\"",
                json!({"umask": umask, "cwd": directory.path()})).await;
            let bits = u32::from_str_radix(umask, 8).unwrap();
            assert_eq!(text, format!("{bits:04o}\n{mode}\n"));
        }
    }

    async fn no_program_brings_privileges_to_who_gave_them_up(peer: &mut Peer) {
        let state = "sed -n 's/NoNewPrivs:\\t//p' /proc/self/status";
        let inherited = said(peer, "p", state, json!({})).await;
        assert_eq!(said(peer, "q", state, json!({"noNewPrivs": false})).await, inherited);
        for tty in [false, true] {
            let text = said(peer, &tty.to_string(), state, json!({"noNewPrivs": true, "tty": tty})).await;
            assert_eq!(text.trim_end(), "1");
        }
    }
}

// It takes a second of a processor, which is more where many share it.
on_wires! {
    [stdio]
    async fn who_computes_for_too_long_is_killed(peer: &mut Peer) {
        peer.run(with(script("p", "while :; do :; done"), json!({"limits": {"cpuSeconds": 1}}))).await;
        assert_eq!(end(peer, "p").await, ("SIGKILL".to_owned(), "signaled".to_owned()));
    }
}
