//! What the server was told holds for each of its processes, tasks included.

use exec_tests::{Options, Peer, TestServer, Wire, fixture, on_program, on_with};
use serde_json::json;
use tokio::process::Command;

use super::{limit, said};

/// Says what is bound: the mask, then whether privileges were given up.
const STATE: &str = "umask; sed -n 's/NoNewPrivs:\\t//p' /proc/self/status";

fn strict() -> Options {
    Options {
        umask: Some("027".parse().unwrap()),
        no_new_privs: true,
        ..Options::default()
    }
}

#[tokio::test]
async fn a_start_can_take_another_mask_and_no_privileges() {
    for wire in [Wire::Memory, Wire::Stdio, Wire::Websocket] {
        on_with(wire, strict(), async |server| {
            let mut peer = server.session().await;
            assert_eq!(said(&mut peer, "p", STATE, json!({})).await, "0027\n1\n");
            let more = json!({"umask": "002", "noNewPrivs": false});
            assert_eq!(said(&mut peer, "q", STATE, more).await, "0002\n1\n");
            peer.finish().await;
        })
        .await;
    }
}

async fn task_says(peer: &mut Peer, id: &str, text: &str) -> String {
    peer.run_task(json!({"taskId": id, "argv": ["/bin/sh", "-c", text]}))
        .await;
    String::from_utf8(peer.task_output(id).await).unwrap()
}

#[tokio::test]
async fn a_task_is_bound_as_any_process() {
    for wire in [Wire::Memory, Wire::Stdio, Wire::Websocket] {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            state_dir: Some(directory.path().join("state")),
            ..strict()
        };
        on_with(wire, options, async |server| {
            let mut peer = server.session().await;
            assert_eq!(task_says(&mut peer, "t", STATE).await, "0027\n1\n");
            assert_eq!(task_says(&mut peer, "core", "ulimit -Sc").await, "0\n");
            peer.finish().await;
        })
        .await;
    }
}

/// The server's program, started with this soft limit of open files.
fn with_open_files(soft: u32) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("ulimit -Sn {soft}; exec \"$0\" \"$@\"")])
        .arg(fixture::program("exec-server-under-test"));
    command
}

#[tokio::test]
async fn the_server_takes_all_open_files_and_hands_on_what_it_was_started_with() {
    on_program(with_open_files(200), async |server: &TestServer| {
        let pid = server.process().unwrap().pid;
        let name = "Max open files";
        let of_server = limit(
            &std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap(),
            name,
        );
        let [soft, hard] = of_server.clone();
        assert!(soft == hard || soft == (1 << 20).to_string(), "{of_server:?}");
        let mut peer = server.session().await;
        let text = said(&mut peer, "p", "cat /proc/self/limits", json!({})).await;
        assert_eq!(limit(&text, name), ["200".to_owned(), hard]);
        let more = json!({"limits": {"openFiles": 250}});
        let text = said(&mut peer, "q", "cat /proc/self/limits", more).await;
        assert_eq!(limit(&text, name), ["250", "250"]);
        peer.finish().await;
    })
    .await;
}
