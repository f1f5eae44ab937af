//! What a child finds when it begins.

use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::json;

use crate::commands::{on_pipes, on_terminal, script, with, with_stdin};

/// The descriptors that the fixture has, and what they are: `0 pipe 1 pipe 2 pipe`.
async fn descriptors(peer: &mut Peer, params: serde_json::Value) -> String {
    let text = peer.run(params).await.text();
    let mut lines: Vec<&str> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    lines.sort_unstable();
    lines.join(" ")
}

on_every_wire! {
    async fn a_child_has_its_three_descriptors_and_no_other(peer: &mut Peer) {
        assert_eq!(descriptors(peer, on_pipes("p", ["fds"])).await, "0 /dev/null 1 pipe 2 pipe");
        assert_eq!(descriptors(peer, with_stdin("q", ["fds"])).await, "0 pipe 1 pipe 2 pipe");
        let on_terminal = descriptors(peer, on_terminal("t", ["fds"])).await;
        let names: Vec<&str> = on_terminal.split(' ').collect();
        assert!(names[1].starts_with("/dev/pts/"), "{on_terminal}");
        assert_eq!(names, ["0", names[1], "1", names[1], "2", names[1]]);
    }

    async fn a_child_neither_blocks_nor_ignores_a_signal(peer: &mut Peer) {
        for tty in [false, true] {
            let argv = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];
            let params = json!({"processId": tty.to_string(), "argv": argv, "tty": tty});
            let text = peer.run(params).await.text().replace("\r\n", "\n");
            let none = "0000000000000000";
            assert_eq!(text, format!("SigBlk:\t{none}\nSigIgn:\t{none}\n"), "tty: {tty}");
        }
    }

    async fn a_code_and_a_signal_are_told_apart_on_pipes_and_terminals(peer: &mut Peer) {
        for tty in [false, true] {
            for (arguments, exit_code) in
                [(["exit", "0"], 0), (["exit", "255"], 255), (["die", "9"], 137), (["die", "15"], 143), (["die", "1"], 129)]
            {
                let id = format!("{arguments:?} {tty}");
                let params = with(on_pipes(&id, arguments), json!({"tty": tty}));
                assert_eq!(peer.run(params).await.exit_code, Some(exit_code), "{id}");
            }
        }
    }

    async fn arg0_is_what_the_program_sees_as_its_name(peer: &mut Peer) {
        let plain = on_pipes("p", ["argv", "", "two words", "ü"]);
        let expected = |name: &str| format!("{name}\0\nargv\0\n\0\ntwo words\0\nü\0\n");
        assert_eq!(peer.run(plain.clone()).await.text(), expected(&fixture::path()));
        let renamed = with(plain, json!({"processId": "q", "arg0": "-other"}));
        assert_eq!(peer.run(renamed).await.text(), expected("-other"));
    }

    async fn the_working_directory_is_a_uri_or_a_path_or_the_servers(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("a b%20ü");
        std::fs::create_dir(&directory).unwrap();
        let expected = format!("{}\0\n", directory.display());
        let uri = format!("file://{}/a%20b%2520%C3%BC", directory.parent().unwrap().display());
        for cwd in [uri, directory.display().to_string()] {
            let params = with(on_pipes(&cwd, ["cwd"]), json!({"cwd": cwd}));
            assert_eq!(peer.run(params).await.text(), expected, "{cwd}");
        }
        let servers = peer.call("environment/info", json!(null)).await["cwd"].clone();
        let text = peer.run(on_pipes("default", ["cwd"])).await.text();
        assert_eq!(servers, format!("file://{}", text.trim_end_matches("\0\n")));
    }

    async fn a_program_with_a_slash_is_relative_to_the_working_directory(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(fixture::path(), directory.path().join("here")).unwrap();
        let params = json!({"processId": "p", "argv": ["./here", "exit", "9"], "cwd": directory.path()});
        assert_eq!(peer.run(params).await.exit_code, Some(9));
    }

    async fn metadata_and_unknown_params_change_nothing(peer: &mut Peer) {
        let more = json!({"metadata": {"any": ["thing"]}, "sandbox": null, "managedNetwork": null,
            "enforceManagedNetwork": false, "envPolicy": null, "arg0": null, "size": null, "unknown": {"x": 1}});
        assert_eq!(peer.run(with(script("p", "echo ok"), more)).await.text(), "ok\n");
    }

    async fn an_id_is_taken_while_its_process_runs_and_while_it_can_be_read(peer: &mut Peer) {
        peer.start(on_pipes("p", ["never-read"])).await;
        peer.output_until("p", "ready").await;
        let error = peer.refused("process/start", on_pipes("p", ["exit", "0"])).await;
        assert_eq!((error.code, &error.data.kind[..]), (-32600, "duplicateProcess"));
        peer.terminate("p").await;
        let error = peer.refused("process/start", on_pipes("p", ["exit", "0"])).await;
        assert_eq!((error.code, &error.data.kind[..]), (-32600, "duplicateProcess"));
        let state = peer.call("process/read", json!({"processId": "p"})).await;
        assert_eq!((&state["closed"], &state["exitCode"]), (&json!(true), &json!(143)));
    }

    async fn an_id_may_have_any_256_bytes_and_not_one_more(peer: &mut Peer) {
        for id in [String::new(), "é\u{1F600}\n\"\\\u{1}".to_owned(), "x".repeat(256)] {
            assert_eq!(peer.run(on_pipes(&id, ["exit", "0"])).await.exit_code, Some(0), "{id:?}");
        }
        for id in ["x".repeat(257), "é".repeat(129)] {
            let error = peer.refused("process/start", on_pipes(&id, ["exit", "0"])).await;
            assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"));
        }
    }
}
