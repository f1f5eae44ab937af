//! Letting go of trees, with and without somebody left.
use crate::{
    marked::{Marker, all, whole},
    support::{PIPES, beside, read_until, sh, state, until},
};
use pty_utils::{Child, Containment, Signal};
use rustix::process::{Pid, WaitOptions, kill_process, waitpid};
use std::path::Path;

#[test]
fn who_is_left_lives_on_and_can_be_waited_for_signalled_and_killed() {
    beside(async {
        for (containment, spawner) in all() {
            let marker = Marker::new();
            let script = "(trap 'echo polite; exit' TERM; echo ready; while :; do sleep 0.01; done) &";
            let Child {
                leader,
                tree,
                outputs,
                ..
            } = marker.start(&spawner, script, PIPES).await;
            read_until(&outputs[0], "ready").await;
            leader.exited().await.unwrap();
            let left = tree.release(leader).await.expect("somebody lives");
            // In the middle of an exec there is no environment to know it by.
            until(|| !marker.living().is_empty()).await;
            assert!(left.signal(Signal::Terminate).unwrap());
            read_until(&outputs[0], "polite").await;
            left.emptied().await.unwrap();
            assert!(!left.signal(Signal::Terminate).unwrap());
            left.kill().unwrap();
            drop(left);
            assert_eq!(marker.living(), Vec::<u32>::new(), "{containment}");
        }
    });
}

#[test]
fn killing_or_dropping_what_is_left_ends_it() {
    beside(async {
        for (containment, spawner) in whole() {
            for is_killed in [true, false] {
                let marker = Marker::new();
                let child = marker.start(&spawner, "setsid sleep 60 &", PIPES).await;
                let Child { leader, tree, .. } = child;
                leader.exited().await.unwrap();
                let pid = leader.pid();
                let left = tree.release(leader).await.expect("somebody lives");
                assert_eq!(state(pid), None, "{containment}");
                if is_killed {
                    left.kill().unwrap();
                    left.emptied().await.unwrap();
                }
                drop(left);
                until(|| marker.living().is_empty()).await;
            }
        }
    });
}

#[test]
fn a_leader_that_somebody_else_has_reaped_is_no_target_any_more_and_its_tree_lives_on() {
    beside(async {
        // A supervisor is nobody else's child to wait for.
        for (containment, spawner) in all().filter(|(containment, _)| *containment != Containment::Supervisor)
        {
            let marker = Marker::new();
            let child = marker.start(&spawner, "sleep 60 &", PIPES).await;
            let Child { leader, tree, .. } = child;
            leader.exited().await.unwrap();
            let pid = Pid::from_raw(leader.pid().cast_signed()).unwrap();
            waitpid(Some(pid), WaitOptions::empty()).unwrap();
            assert!(!leader.signal_group(Signal::Kill).unwrap());
            let left = tree.release(leader).await;
            let [background] = marker.living()[..] else {
                panic!("{containment}: {:?}", marker.living());
            };
            // Without its leader a group is not known any more.
            assert_eq!(left.is_some(), containment == Containment::Cgroup);
            drop(left);
            if containment == Containment::Group {
                let background = Pid::from_raw(background.cast_signed()).unwrap();
                kill_process(background, rustix::process::Signal::KILL).unwrap();
            }
            until(|| marker.living().is_empty()).await;
        }
    });
}

#[test]
fn groups_that_a_child_made_inside_its_own_go_with_it() {
    beside(async {
        let cgroups = whole().filter(|(containment, _)| *containment == Containment::Cgroup);
        for (_, spawner) in cgroups {
            let script = "mount=$(grep ' - cgroup2 ' /proc/self/mountinfo | cut -d' ' -f5 | head -n 1); \
                own=$mount$(grep ^0:: /proc/self/cgroup | cut -d: -f3); \
                mkdir -p $own/a/b && echo 0 > $own/a/b/cgroup.procs; \
                setsid sleep 60 & echo $own; echo ready; wait";
            let child = spawner.spawn(sh(script, PIPES)).await.unwrap();
            let text = read_until(&child.outputs[0], "ready").await;
            let own = Path::new(text.lines().next().unwrap());
            assert!(own.join("a/b/cgroup.kill").exists(), "{text}");
            assert!(child.tree.signal(Signal::Continue).unwrap());
            child.tree.kill().unwrap();
            child.tree.emptied().await.unwrap();
            let Child { leader, tree, .. } = child;
            leader.exited().await.unwrap();
            assert!(tree.release(leader).await.is_none());
            assert!(!own.exists());
        }
    });
}
