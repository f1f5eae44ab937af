//! The server's variables: none unless it is asked for, and some never.

use std::collections::BTreeMap;

use exec_tests::{Peer, TestServer, on_program, program};
use serde_json::{Value, json};

use crate::commands::{on_pipes, with};

/// What a service manager says to the server, and what an administrator does.
const SERVERS_OWN: [&str; 9] = [
    "CREDENTIALS_DIRECTORY",
    "EXEC_SERVER_TOKEN_FILE",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

async fn variables(peer: &mut Peer, id: &str, more: Value) -> BTreeMap<String, String> {
    let text = peer.run(with(on_pipes(id, ["env"]), more)).await.text();
    let lines = text
        .split_terminator("\0\n")
        .map(|line| line.split_once('=').unwrap());
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn what_is_said_to_the_server_is_not_handed_on() {
    let mut command = program::server([]);
    command.env("EXEC_TESTS_PLAIN", "plain");
    command.envs(SERVERS_OWN.map(|name| (name, "1")));
    on_program(command, async |server: &TestServer| {
        let mut peer = server.session().await;
        assert!(variables(&mut peer, "none", json!({})).await.is_empty());
        let policy = json!({"ignoreDefaultExcludes": true});
        let all = variables(&mut peer, "all", json!({"envPolicy": policy})).await;
        assert_eq!(all.get("EXEC_TESTS_PLAIN").map(String::as_str), Some("plain"));
        for name in SERVERS_OWN {
            assert_eq!(all.get(name), None, "{name}");
        }
        // A client may say the same to a process.
        let policy = json!({"set": {"LISTEN_FDS": "3"}});
        let more = json!({"envPolicy": policy, "env": {"NOTIFY_SOCKET": "/run/s"}});
        let said = variables(&mut peer, "said", more).await;
        assert_eq!([&said["LISTEN_FDS"], &said["NOTIFY_SOCKET"]], ["3", "/run/s"]);
        peer.finish().await;
    })
    .await;
}
