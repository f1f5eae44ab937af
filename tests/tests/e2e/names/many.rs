//! More processes than there may be open files.

use exec_client::Transport;
use exec_tests::{Peer, fixture};
use serde_json::json;
use tokio::process::Command;

use crate::commands::{script, with};

/// One after the other, each on a terminal: more than there may be open files, so that one each is too many.
const COMMANDS: usize = 1100;

#[tokio::test]
async fn a_thousand_short_commands_on_terminals_need_few_open_files() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n 1024; exec \"$0\""]);
    command.arg(fixture::program("exec-server-under-test"));
    let mut peer = Peer::new(Transport::stdio(command).expect("the server can be started"));
    peer.handshake().await;
    for number in 0..COMMANDS {
        let (id, text) = (format!("p{number}"), format!("echo {number}"));
        let transcript = peer.run(with(script(&id, &text), json!({"tty": true}))).await;
        assert_eq!(
            (transcript.text(), transcript.exit_code),
            (format!("{number}\r\n"), Some(0))
        );
    }
    peer.finish().await;
}
