//! Trees whose supervisor was killed by somebody.
use crate::{
    marked::{Marker, with_helper},
    support::{PIPES, beside, read_until, send, state, until},
};
use pty_utils::{Child, Containment, ExitStatus, Signal, Spawner};

/// Keeps the kernel from killing it with its supervisor.
const SURVIVOR: &str = "exec setpriv --pdeathsig clear";

/// Starts a script that says who its supervisor is, and then `.`, and kills that one.
async fn orphaned(marker: &Marker, script: &str) -> (Spawner, Child) {
    let spawner = Spawner::with_options(with_helper(Some(Containment::Supervisor))).unwrap();
    let child = marker.start(&spawner, script, PIPES).await;
    let text = read_until(&child.outputs[0], ".").await;
    let supervisor = text.trim().trim_end_matches('.').parse().unwrap();
    send(supervisor, rustix::process::Signal::KILL);
    until(|| state(supervisor) == Some('Z')).await;
    (spawner, child)
}

#[test]
fn a_leader_dies_with_its_supervisor_and_says_so() {
    beside(async {
        let marker = Marker::new();
        let (_spawner, child) = orphaned(&marker, "echo $PPID.; exec sleep 60").await;
        let Child { leader, tree, .. } = child;
        for _ in 0..2 {
            assert_eq!(leader.exited().await.unwrap(), ExitStatus::Signal(9));
        }
        assert!(tree.emptied().await.is_err());
        assert!(matches!(state(leader.pid()), None | Some('Z')));
        assert!(!leader.signal_group(Signal::Terminate).unwrap());
        assert!(!tree.signal(Signal::Terminate).unwrap());
        tree.kill().unwrap();
        assert!(tree.release(leader).await.is_none());
    });
}

#[test]
fn a_leader_that_survives_its_supervisor_is_killed_by_who_waits_for_it() {
    beside(async {
        let marker = Marker::new();
        let script = format!("{SURVIVOR} sh -c 'echo $PPID.; exec sleep 60'");
        let (_spawner, child) = orphaned(&marker, &script).await;
        assert!(matches!(state(child.leader.pid()), Some('S' | 'R')));
        assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(9));
        assert_eq!(marker.living(), Vec::<u32>::new());
    });
}

#[test]
fn the_session_of_a_leader_is_reached_without_its_supervisor() {
    beside(async {
        let script =
            format!("{SURVIVOR} sh -c 'set -m; sleep 60 & set +m; sleep 60 & echo $PPID.; exec sleep 60'");
        for drops in [false, true] {
            let marker = Marker::new();
            let (_spawner, child) = orphaned(&marker, &script).await;
            until(|| marker.living().len() == 3).await;
            assert!(child.tree.signal(Signal::Continue).unwrap());
            assert!(child.leader.signal_group(Signal::Continue).unwrap());
            if drops {
                drop(child);
            } else {
                child.tree.kill().unwrap();
            }
            until(|| marker.living().is_empty()).await;
        }
    });
}

#[test]
fn the_group_of_a_dead_leader_is_reached_where_the_kernel_can_tell_whose_it_is() {
    beside(async {
        let marker = Marker::new();
        let script = "set -m; sleep 60 & set +m; sleep 60 & echo $PPID.; exec sleep 60";
        let (_spawner, child) = orphaned(&marker, script).await;
        let leader = child.leader.pid();
        until(|| matches!(state(leader), None | Some('Z'))).await;
        until(|| marker.living().len() == 2).await;
        if child.tree.signal(Signal::Continue).unwrap() {
            child.tree.kill().unwrap();
        }
        drop(child);
        // Before Linux 6.9 nobody is found.
        for pid in marker.living() {
            send(pid, rustix::process::Signal::KILL);
        }
        until(|| marker.living().is_empty()).await;
    });
}
