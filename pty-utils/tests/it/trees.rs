//! Ending trees, in every containment that holds all descendants.
use crate::{
    marked::{GETAWAYS, Marker, all, whole, with_helper},
    support::{PIPED, PIPES, TERMINAL, beside, command, end, read_until, sh, state, until},
};
use pty_utils::{Child, Containment, ExitStatus, Signal, SpawnError, Spawner, SpawnerError, SpawnerOptions};

#[test]
fn nobody_gets_away() {
    beside(async {
        for (containment, spawner) in whole() {
            for (name, script) in GETAWAYS {
                for streams in [PIPES, TERMINAL] {
                    let marker = Marker::new();
                    let child = marker.start(&spawner, script, streams).await;
                    read_until(&child.outputs[0], "ready").await;
                    child.tree.kill().unwrap();
                    child.tree.emptied().await.unwrap();
                    assert_eq!(marker.living(), Vec::<u32>::new(), "{containment}: {name}");
                    let Child { leader, tree, .. } = child;
                    assert_eq!(leader.exited().await.unwrap(), ExitStatus::Signal(9));
                    let pid = leader.pid();
                    assert!(tree.release(leader).await.is_none(), "{containment}: {name}");
                    assert_eq!(state(pid), None);
                }
            }
        }
    });
}

#[test]
fn who_was_left_by_the_leader_is_ended_too() {
    beside(async {
        for (containment, spawner) in whole() {
            let marker = Marker::new();
            let child = marker
                .start(&spawner, "setsid sleep 60 & echo ready", PIPES)
                .await;
            read_until(&child.outputs[0], "ready").await;
            assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Code(0));
            until(|| !marker.living().is_empty()).await;
            child.tree.kill().unwrap();
            child.tree.kill().unwrap();
            child.tree.emptied().await.unwrap();
            assert_eq!(marker.living(), Vec::<u32>::new(), "{containment}");
            // Nobody holds the pipe any more.
            assert_eq!(end(child).await.status, ExitStatus::Code(0));
        }
    });
}

#[test]
fn ending_one_tree_does_not_touch_another() {
    beside(async {
        for (containment, spawner) in all() {
            let (ended, other) = (Marker::new(), Marker::new());
            let script = "sleep 60 & echo ready; wait";
            let first = ended.start(&spawner, script, PIPES).await;
            let second = other.start(&spawner, script, PIPES).await;
            for child in [&first, &second] {
                read_until(&child.outputs[0], "ready").await;
            }
            until(|| other.living().len() == 2).await;
            let before = other.living();
            first.tree.kill().unwrap();
            first.tree.emptied().await.unwrap();
            assert_eq!(ended.living(), Vec::<u32>::new(), "{containment}");
            drop(first);
            assert_eq!(other.living(), before, "{containment}");
        }
    });
}

#[test]
fn a_polite_signal_reaches_everybody_once() {
    beside(async {
        for (containment, spawner) in whole() {
            let script = "trap 'echo outer; exit' TERM; \
                setsid sh -c 'trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.01; done' & \
                while :; do sleep 0.01; done";
            let child = spawner.spawn(sh(script, PIPES)).await.unwrap();
            read_until(&child.outputs[0], "ready").await;
            assert!(child.tree.signal(Signal::Terminate).unwrap());
            child.tree.emptied().await.unwrap();
            assert!(!child.tree.signal(Signal::Terminate).unwrap());
            let text = end(child).await.text();
            assert!(
                text.matches("inner").count() == 1 && text.matches("outer").count() == 1,
                "{containment}: {text}"
            );
        }
    });
}

#[test]
fn a_tree_is_not_empty_before_its_last_member_is_gone() {
    beside(async {
        for (containment, spawner) in all() {
            let marker = Marker::new();
            let child = marker.start(&spawner, "sleep 0.2 & echo ready", PIPES).await;
            child.leader.exited().await.unwrap();
            // A wait that was given up loses nothing.
            tokio::select! {
                biased;
                _ = child.tree.emptied() => panic!("somebody sleeps"),
                () = std::future::ready(()) => {}
            }
            child.tree.emptied().await.unwrap();
            assert_eq!(marker.living(), Vec::<u32>::new(), "{containment}");
            child.tree.emptied().await.unwrap();
        }
    });
}

#[test]
fn dropping_a_child_kills_its_tree() {
    beside(async {
        for (containment, spawner) in all() {
            let marker = Marker::new();
            // Another group, and in containments that hold it another session.
            let script = match containment {
                Containment::Group => "set -m; sleep 60 & echo ready; wait",
                Containment::Cgroup | Containment::Supervisor => "setsid sleep 60 & echo ready; wait",
            };
            let child = marker.start(&spawner, script, PIPES).await;
            read_until(&child.outputs[0], "ready").await;
            let pid = child.leader.pid();
            drop(child);
            assert_eq!(state(pid), None, "{containment}");
            until(|| marker.living().is_empty()).await;

            // In the other order.
            let child = marker.start(&spawner, script, PIPES).await;
            read_until(&child.outputs[0], "ready").await;
            let Child { leader, tree, .. } = child;
            drop(tree);
            assert!(leader.signal_group(Signal::Continue).unwrap());
            drop(leader);
            until(|| marker.living().is_empty()).await;
        }
    });
}

#[test]
fn dropping_the_spawner_kills_all_trees() {
    beside(async {
        for (containment, spawner) in whole() {
            let marker = Marker::new();
            let child = marker
                .start(&spawner, "setsid sleep 60 & echo ready; wait", PIPES)
                .await;
            read_until(&child.outputs[0], "ready").await;
            drop(spawner);
            // A supervisor notices the death of the leader, and is let go of by its tree.
            assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(9));
            child.tree.kill().unwrap();
            child.tree.emptied().await.unwrap();
            assert_eq!(marker.living(), Vec::<u32>::new(), "{containment}");
            let Child { leader, tree, .. } = child;
            assert!(tree.release(leader).await.is_none());
        }
    });
}

#[test]
fn a_leader_that_is_released_too_early_is_killed() {
    beside(async {
        for (containment, spawner) in all() {
            let marker = Marker::new();
            let Child { leader, tree, .. } = marker.start(&spawner, "exec sleep 60", PIPES).await;
            let pid = leader.pid();
            drop(tree.release(leader).await);
            assert_eq!(state(pid), None, "{containment}");
        }
    });
}

#[test]
fn a_supervisor_that_was_stopped_goes_on_when_it_is_needed() {
    beside(async {
        let spawner = Spawner::with_options(with_helper(Some(Containment::Supervisor))).unwrap();
        let marker = Marker::new();
        let script = "setsid sleep 60 & kill -STOP $PPID; echo ready; exec sleep 60";
        let child = marker.start(&spawner, script, PIPES).await;
        read_until(&child.outputs[0], "ready").await;
        child.tree.kill().unwrap();
        child.tree.emptied().await.unwrap();
        assert_eq!(marker.living(), Vec::<u32>::new());
    });
}

#[test]
fn what_programs_signal_to_their_parent_does_not_end_their_tree() {
    beside(async {
        let spawner = Spawner::with_options(with_helper(Some(Containment::Supervisor))).unwrap();
        let marker = Marker::new();
        // All but SIGKILL and SIGSTOP, also those that a C library keeps to itself.
        let script = "setsid sleep 60 & number=1; while [ $number -le 64 ]; do \
            case $number in 9|19) ;; *) kill -$number $PPID || exit 8;; esac; number=$((number + 1)); done; \
            kill -0 $PPID && echo ready; read line; exit 7";
        let mut command = sh(script, PIPED);
        let (name, value) = marker.as_str().split_once('=').unwrap();
        command.env.push((name.into(), value.into()));
        let child = spawner.spawn(command).await.unwrap();
        read_until(&child.outputs[0], "ready").await;
        until(|| marker.living().len() == 2).await;
        drop(child.input);
        assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Code(7));
        assert_eq!(marker.living().len(), 1, "who is left was not killed");
        child.tree.kill().unwrap();
        child.tree.emptied().await.unwrap();
        assert_eq!(marker.living(), Vec::<u32>::new());
        assert!(child.tree.release(child.leader).await.is_none());
    });
}

#[test]
fn a_start_fails_with_the_same_cause_in_every_containment() {
    beside(async {
        for (containment, spawner) in all() {
            let error = spawner.spawn(command(&["/no/such"], PIPES)).await.unwrap_err();
            assert!(
                matches!(error, SpawnError::ProgramNotFound { .. }),
                "{containment}: {error:?}"
            );
            let error = spawner
                .spawn(command(&["/etc/passwd"], TERMINAL))
                .await
                .unwrap_err();
            assert!(
                matches!(error, SpawnError::PermissionDenied { .. }),
                "{containment}: {error:?}"
            );
        }
    });
}

#[test]
fn a_helper_that_is_none_is_an_error() {
    beside(async {
        for containment in [None, Some(Containment::Cgroup), Some(Containment::Supervisor)] {
            let with = |program: &str| {
                Spawner::with_options(SpawnerOptions {
                    containment,
                    helper: Some(program.into()),
                })
            };
            for program in ["/no/such/helper", "/etc/passwd"] {
                let error = with(program).unwrap_err();
                assert!(matches!(error, SpawnerError::Unavailable { .. }), "{error:?}");
            }
            match with("/bin/true") {
                Err(error) => assert!(matches!(error, SpawnerError::Unavailable { .. }), "{error:?}"),
                Ok(spawner) => {
                    let error = spawner.spawn(sh("exit 0", PIPES)).await.unwrap_err();
                    assert!(matches!(error, SpawnError::Os { .. }), "{error:?}");
                }
            }
        }
        let without = SpawnerOptions {
            containment: Some(Containment::Supervisor),
            helper: None,
        };
        let error = Spawner::with_options(without).unwrap_err();
        assert!(matches!(error, SpawnerError::Unavailable { .. }), "{error:?}");
    });
}

#[test]
fn the_strongest_containment_is_the_default() {
    beside(async {
        let has_cgroup = whole().any(|(containment, _)| containment == Containment::Cgroup);
        let strongest = Spawner::with_options(with_helper(None)).unwrap().containment();
        let without = Spawner::with_options(SpawnerOptions::default()).unwrap();
        if has_cgroup {
            assert_eq!([strongest, without.containment()], [Containment::Cgroup; 2]);
        } else {
            assert_eq!(strongest, Containment::Supervisor);
            assert_eq!(without.containment(), Containment::Group);
        }
    });
}
