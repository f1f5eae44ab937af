//! With a terminal: the server under test gives one to `exec-server run --tty`, as a user's terminal
//! would, and that gives another one to the command.

use exec_tests::{Peer, Wire, fixture, program, with_peer};
use serde_json::{Value, json};

/// The command line of `exec-server run --tty` with these words behind it.
fn run(words: &[&str]) -> Vec<String> {
    let server = program::server(["run", "--tty", "--"]);
    let server = server.as_std();
    std::iter::once(server.get_program())
        .chain(server.get_args())
        .map(|word| word.to_str().expect("it is UTF-8").to_owned())
        .chain(words.iter().map(|word| String::from(*word)))
        .collect()
}

/// Runs it as process "p" on a terminal of 33 x 101.
async fn start(peer: &mut Peer, words: &[&str]) {
    let env = json!({"PATH": "/usr/bin:/bin"});
    let size = json!({"rows": 33, "cols": 101});
    peer.start(json!({"processId": "p", "argv": run(words), "tty": true, "size": size, "env": env}))
        .await;
}

async fn in_a_terminal(test: impl AsyncFnOnce(&mut Peer)) {
    with_peer(Wire::Memory, test).await;
}

#[tokio::test]
async fn the_command_gets_a_terminal_of_its_own() {
    in_a_terminal(async |peer| {
        start(peer, &[&fixture::path(), "terminal"]).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(
            transcript.text(),
            "controlling terminal, leads session: true, foreground: true\r\n"
        );
        assert_eq!(transcript.exit_code, Some(0));
    })
    .await;
}

#[tokio::test]
async fn the_size_is_passed_on_and_followed() {
    in_a_terminal(async |peer| {
        start(peer, &[&fixture::path(), "size", "watch"]).await;
        peer.output_until("p", "size 33 101").await;
        let size = json!({"processId": "p", "size": {"rows": 50, "cols": 132}});
        assert_eq!(peer.call("process/resize", size).await, json!({}));
        peer.output_until("p", "size 50 132").await;
        // Ctrl-C is a key, which the command's terminal turns into the signal.
        peer.write("p", "\x03").await;
        assert_eq!(peer.output_until_closed("p").await.exit_code, Some(128 + 2));
    })
    .await;
}

#[tokio::test]
async fn keys_are_passed_on_and_echoed_once() {
    in_a_terminal(async |peer| {
        start(peer, &["sh", "-c", "echo ready; read line; echo \"<$line>\""]).await;
        peer.output_until("p", "ready").await;
        peer.write("p", "typed\r").await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text(), "ready\r\ntyped\r\n<typed>\r\n");
        assert_eq!(transcript.exit_code, Some(0));
    })
    .await;
}

#[tokio::test]
async fn end_of_file_is_a_key_too() {
    in_a_terminal(async |peer| {
        start(peer, &["sh", "-c", "echo ready; cat; echo over"]).await;
        peer.output_until("p", "ready").await;
        peer.write("p", "x\r").await;
        peer.output_until("p", "x\r\nx\r\n").await;
        peer.write("p", "\x04").await;
        let transcript = peer.output_until_closed("p").await;
        assert!(transcript.text().ends_with("over\r\n"), "{:?}", transcript.text());
    })
    .await;
}

#[tokio::test]
async fn the_terminal_is_left_as_it_was_found() {
    in_a_terminal(async |peer| {
        let words = run(&["sh", "-c", "stty -a >/dev/null; exit 7"]);
        let script = r#"before=$(stty -g); "$@"; echo "code $?"; test "$before" = "$(stty -g)" && echo same"#;
        let mut argv = vec!["/bin/sh".into(), "-c".into(), script.into(), "sh".into()];
        argv.extend(words);
        let params = json!({"processId": "p", "argv": argv, "tty": true, "env": {"PATH": "/usr/bin:/bin"}});
        peer.start(params).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text(), "code 7\r\nsame\r\n");
    })
    .await;
}

#[tokio::test]
async fn it_works_where_there_is_no_terminal_to_begin_with() {
    in_a_terminal(async |peer| {
        let params = json!({"processId": "p", "argv": run(&[&fixture::path(), "terminal"]), "env": {"PATH": "/usr/bin:/bin"}});
        peer.start(params).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text(), "controlling terminal, leads session: true, foreground: true\r\n");
        assert_eq!(transcript.exit_code, Some(0));
        let info = peer.call("environment/info", Value::Null).await;
        assert!(info["cwd"].is_string());
    })
    .await;
}

#[tokio::test]
async fn who_closes_the_terminal_ends_the_command() {
    in_a_terminal(async |peer| {
        start(peer, &["sh", "-c", "echo ready; exec sleep 1000"]).await;
        peer.output_until("p", "ready").await;
        let result = peer
            .call("process/signal", json!({"processId": "p", "signal": "hangup"}))
            .await;
        assert_eq!(result, json!({"delivered": true}));
        let code = peer.output_until_closed("p").await.exit_code;
        assert!(code.is_some_and(|code| code > 128), "{code:?}");
    })
    .await;
}
