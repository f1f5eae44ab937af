//! What a whole tree may use, on machines that can bound it: those with the controllers `memory` and `pids` of cgroup v2.
//!
//! Elsewhere the limit is refused, and that is all that there is to see; CONTRIBUTING.md says how to have such a machine.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use exec_tests::ordinary::{NOBODY, OrdinaryUser};
use exec_tests::{Marker, Peer, on_every_wire, on_program};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{end, said};
use crate::commands::{script, with};

const MEMORY_BYTES: u64 = 64 << 20;

/// The limits of a start, if they can be kept here.
async fn kept(peer: &mut Peer, name: &str, value: u64) -> Option<Value> {
    let limits = json!({"limits": {"tree": {name: value}}});
    match peer
        .try_call("process/start", with(script("probe", "exit"), limits.clone()))
        .await
    {
        Ok(_) => {
            peer.output_until_closed("probe").await;
            Some(limits)
        }
        Err(error) => {
            assert_eq!(error.data.kind, "limitsUnsupported");
            None
        }
    }
}

on_every_wire! {
    async fn a_tree_that_wants_more_memory_ends_as_a_whole_and_says_why(peer: &mut Peer) {
        let Some(limits) = kept(peer, "memoryBytes", MEMORY_BYTES).await else { return };
        for (id, tty) in [("pipes", false), ("terminal", true)] {
            let marker = Marker::new();
            // The last line is kept until it is known to be the last; and it has no end.
            let greedy = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & tail -n 1 </dev/zero";
            let params = with(marker.on(with(script(id, greedy), limits.clone())), json!({"tty": tty}));
            peer.run(params).await;
            assert_eq!(end(peer, id).await, ("SIGKILL".to_owned(), "oom".to_owned()));
            assert_eq!(marker.processes(), []);
        }
        assert_eq!(said(peer, "next", "echo on", limits).await, "on\n");
    }

    async fn who_is_killed_below_its_memory_did_not_run_out_of_it(peer: &mut Peer) {
        let Some(limits) = kept(peer, "memoryBytes", MEMORY_BYTES).await else { return };
        peer.run(with(script("p", "kill -KILL $$"), limits)).await;
        assert_eq!(end(peer, "p").await, ("SIGKILL".to_owned(), "signaled".to_owned()));
    }

    async fn a_tree_has_no_more_processes_and_another_one_has_its_own(peer: &mut Peer) {
        let Some(limits) = kept(peer, "processes", 2).await else { return };
        let forks = "exec 2>&-; sleep 1000 >/dev/null & echo one; sleep 1000 >/dev/null & echo two";
        for id in ["p", "q"] {
            assert_eq!(peer.run(with(script(id, forks), limits.clone())).await.text(), "one\n");
        }
        assert_eq!(said(peer, "free", "true & true & wait; echo on", json!({})).await, "on\n");
    }
}

/// A control group with controllers to hand down, and nobody in it. Dropping it removes it, if it is empty again.
struct Group(PathBuf);

impl Group {
    /// None where we cannot make any: we are not root, or the root of the hierarchy hands nothing down.
    fn new(name: &str) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let group = Self(root.join(format!("exec-tests-{}-{name}", std::process::id())));
        // Not made, where it is no control group.
        let mut handed_down = File::options()
            .write(true)
            .open(root.join("cgroup.subtree_control"))
            .ok()?;
        handed_down.write_all(b"+memory +pids").ok()?;
        fs::create_dir(&group.0).ok()?;
        Some(group)
    }

    /// Hands it over to nobody in particular, as a service manager does.
    fn hand_over(&self) {
        for file in ["", "cgroup.procs", "cgroup.subtree_control"] {
            chown(self.0.join(file), Some(NOBODY), Some(NOBODY)).expect("it is ours");
        }
    }

    /// The server's program as nobody in particular, alone in the group.
    fn server(&self, user: &OrdinaryUser) -> Command {
        let enter =
            "echo $$ >\"$GROUP\"; exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" \"$@\"";
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", enter])
            .arg(user.directory().join("exec-server-under-test"))
            .args(["--containment", "cgroup"])
            .env("GROUP", self.0.join("cgroup.procs"))
            .current_dir(user.directory());
        command
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).expect("it is there")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The server's own is below it, and empty by now.
        let _ = fs::remove_dir(self.0.join("exec-server.leaf"));
        let _ = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn who_was_handed_a_group_makes_room_in_it_and_bounds_trees() {
    let Some(group) = Group::new("alone") else { return };
    group.hand_over();
    let user = OrdinaryUser::new();
    // Twice: the second finds what the first has left.
    for _ in 0..2 {
        on_program(group.server(&user), async |server| {
            let mut peer = server.connect().await;
            let capabilities = peer.handshake().await.capabilities;
            assert!(capabilities.tree_memory_limit && capabilities.tree_processes_limit);
            assert_eq!(group.read("cgroup.procs"), "");
            let greedy = with(
                script("p", "tail -n 1 </dev/zero"),
                json!({"limits": {"tree": {"memoryBytes": MEMORY_BYTES}}}),
            );
            peer.run(greedy).await;
            assert_eq!(
                end(&mut peer, "p").await,
                ("SIGKILL".to_owned(), "oom".to_owned())
            );
            peer.finish().await;
        })
        .await;
        // For the shell that becomes the next one: who has members hands nothing down, and who hands down has no members.
        fs::write(group.0.join("cgroup.subtree_control"), "-memory -pids").expect("it is ours");
    }
}

#[tokio::test]
async fn who_shares_its_group_leaves_it_as_it_is() {
    let Some(group) = Group::new("shared") else { return };
    group.hand_over();
    let mut other = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("there is sleep");
    fs::write(group.0.join("cgroup.procs"), other.id().to_string()).expect("it is ours");
    let user = OrdinaryUser::new();
    on_program(group.server(&user), async |server| {
        let mut peer = server.connect().await;
        let capabilities = peer.handshake().await.capabilities;
        assert!(!capabilities.tree_memory_limit);
        let pid = server.process().unwrap().pid.to_string();
        assert!(group.read("cgroup.procs").lines().any(|member| member == pid));
        assert_eq!(said(&mut peer, "p", "echo ran", json!({})).await, "ran\n");
        peer.finish().await;
    })
    .await;
    other.kill().expect("it runs");
    other.wait().expect("it ends");
}
