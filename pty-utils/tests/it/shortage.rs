//! Ending trees when there is no descriptor to be had.
use crate::{
    marked::{Marker, all, whole},
    support::{PIPES, alone, read_until, sh, until},
};
use pty_utils::{Containment, ExitStatus};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Somebody in a session of their own, and somebody in that of the leader.
const OTHER_SESSION: &str = "sleep 60 & setsid sh -c 'echo ready; exec sleep 60' & wait";

/// Does something while this process can open nothing.
fn without_descriptors<T>(act: impl FnOnce() -> T) -> T {
    let limit = getrlimit(Resource::Nofile);
    let current = Some(0);
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let result = act();
    setrlimit(Resource::Nofile, limit).unwrap();
    result
}

#[test]
fn killing_reaches_the_leader_at_least_and_says_what_is_missing() {
    alone(async {
        for (containment, spawner) in all() {
            let marker = Marker::new();
            let child = marker.start(&spawner, OTHER_SESSION, PIPES).await;
            read_until(&child.outputs[0], "ready").await;
            let killed = without_descriptors(|| child.tree.kill());
            assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(9));
            match containment {
                // It is asked for by a socket that is open already.
                Containment::Supervisor => killed.unwrap(),
                Containment::Cgroup | Containment::Group => {
                    assert_eq!(killed.unwrap_err().raw_os_error(), Some(24));
                    until(|| marker.living().len() == 1).await;
                    child.tree.kill().unwrap();
                }
            }
            if containment == Containment::Group {
                let [left] = marker.living()[..] else {
                    panic!("{:?}", marker.living());
                };
                let left = rustix::process::Pid::from_raw(left.cast_signed()).unwrap();
                rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
            }
            child.tree.emptied().await.unwrap();
            until(|| marker.living().is_empty()).await;
        }
    });
}

#[test]
fn a_tree_that_could_not_be_killed_when_it_was_dropped_is_killed_by_the_next_spawn() {
    alone(async {
        for (containment, spawner) in whole() {
            let marker = Marker::new();
            let child = marker.start(&spawner, OTHER_SESSION, PIPES).await;
            read_until(&child.outputs[0], "ready").await;
            without_descriptors(|| drop(child));
            if containment == Containment::Cgroup {
                assert_eq!(marker.living().len(), 1);
            }
            spawner.spawn(sh("exit", PIPES)).await.unwrap();
            until(|| marker.living().is_empty()).await;
        }
    });
}
