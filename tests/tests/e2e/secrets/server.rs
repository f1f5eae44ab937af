//! The server itself: its environment, its memory, its descriptors.

use exec_tests::failing::{self, Failing};
use exec_tests::ordinary::OrdinaryUser;
use exec_tests::{Marker, Peer, TestServer, on_program};
use rustix::io::Errno;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{WAYS, name};
use crate::commands::{script, with};

/// What the fixture was allowed to see of a process, by the name of the way.
async fn seen(peer: &mut Peer, user: &OrdinaryUser, id: &str, pid: u32, more: Value) -> Vec<String> {
    let argv = json!([user.fixture(), "look-into", pid.to_string()]);
    let transcript = peer.run(with(json!({"processId": id, "argv": argv}), more)).await;
    assert_eq!(transcript.exit_code, Some(0), "{}", transcript.text());
    let text = transcript.text();
    assert_eq!(text.lines().count(), 8, "{text}");
    let allowed = |line: &str| line.strip_suffix(" allowed").map(str::to_owned);
    text.lines().filter_map(|line| allowed(line.trim_end())).collect()
}

#[tokio::test]
async fn a_process_of_the_same_user_can_neither_read_nor_attach_to_it() {
    let user = OrdinaryUser::new();
    for containment in WAYS {
        let mut command = user.server("", ["--containment", name(containment)]);
        command.env("EXEC_TESTS_SECRET", "hidden");
        on_program(command, async |server: &TestServer| {
            let server_pid = server.process().unwrap().pid;
            let mut peer = server.session().await;
            peer.start(script("other", "echo $$; exec sleep 100")).await;
            peer.output_until("other", "\n").await;
            let other = peer.transcript("other").text().trim().parse().unwrap();
            for tty in [false, true] {
                let more = json!({"tty": tty});
                let of_server = seen(&mut peer, &user, &format!("s{tty}"), server_pid, more.clone()).await;
                assert_eq!(of_server, Vec::<String>::new(), "{containment:?}");
                // Or the test would see nothing anywhere.
                let of_other = seen(&mut peer, &user, &format!("o{tty}"), other, more).await;
                for way in ["environ", "maps", "fd", "exe"] {
                    assert!(of_other.iter().any(|seen| seen == way), "{of_other:?}");
                }
            }
            peer.terminate("other").await;
            peer.finish().await;
        })
        .await;
    }
}

#[tokio::test]
async fn it_leaves_no_core_dump() {
    let user = OrdinaryUser::new();
    on_program(
        user.server("ulimit -Sc \"$(ulimit -Hc)\"", []),
        async |server: &TestServer| {
            let pid = server.process().unwrap().pid;
            let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
            let core = limits
                .lines()
                .find(|line| line.starts_with("Max core file size"))
                .unwrap();
            assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        },
    )
    .await;
}

/// Ends a tree of an ordinary user's server, and the server, and expects nobody behind either.
async fn supervisors_do_their_work(command: Command) {
    let server = TestServer::of_program(command).await;
    let mut peer = server.session().await;
    let family = "setsid sleep 100 & sleep 100 & wait";
    let (ended, left) = (Marker::new(), Marker::new());
    peer.start(ended.on(script("ended", family))).await;
    peer.start(left.on(script("left", family))).await;
    ended.running(3).await;
    left.running(3).await;
    peer.terminate("ended").await;
    assert_eq!(ended.processes(), []);
    assert_eq!(left.processes().len(), 3);
    peer.hang_up();
    server.crash().await;
    left.running(0).await;
}

const SUPERVISOR: [&str; 3] = ["--containment", "supervisor", "--no-tasks"];

#[tokio::test]
async fn its_supervisors_do_their_work_though_nobody_may_look_into_it() {
    let user = OrdinaryUser::new();
    supervisors_do_their_work(user.server("", SUPERVISOR)).await;
}

#[tokio::test]
async fn so_they_do_before_linux_6_4_where_it_cannot_even_look_into_itself() {
    let user = OrdinaryUser::new();
    let mut command = user.server("", SUPERVISOR);
    failing::tell(&mut command, Failing::Auxv, Errno::INVAL);
    supervisors_do_their_work(command).await;
}
