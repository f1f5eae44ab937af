//! The exit status and the life of the pid.
use crate::support::{PIPES, TERMINAL, alone, beside, command, end, sh, state, until};
use pty_utils::{Child, ExitStatus, Signal, Spawner};

#[test]
fn a_signal_is_not_disguised_as_a_code() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let spawner = Spawner::new().unwrap();
            let signaled = spawner.spawn(sh("kill -TERM $$", streams)).await.unwrap();
            assert_eq!(end(signaled).await.status, ExitStatus::Signal(15));
            let coded = spawner.spawn(sh("exit 143", streams)).await.unwrap();
            assert_eq!(end(coded).await.status, ExitStatus::Code(143));
        }
    });
}

#[test]
fn the_exit_can_be_asked_for_again_and_the_pid_is_kept_until_reaped_and_gets_no_signal() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let Child { leader, tree, .. } = spawner.spawn(sh("exit 5", PIPES)).await.unwrap();
        let pid = leader.pid();
        for _ in 0..3 {
            assert_eq!(leader.exited().await.unwrap(), ExitStatus::Code(5));
            assert_eq!(state(pid), Some('Z'));
            assert!(!leader.signal_group(Signal::Terminate).unwrap());
        }
        assert!(tree.release(leader).await.is_none());
        assert_eq!(state(pid), None);
    });
}

#[test]
fn a_wait_that_was_given_up_loses_nothing() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
        tokio::select! {
            biased;
            _ = child.leader.exited() => panic!("it sleeps"),
            () = std::future::ready(()) => {}
        }
        child.leader.signal_group(Signal::Kill).unwrap();
        assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(9));
    });
}

#[test]
fn dropping_a_leader_kills_its_group_and_reaps() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let spawner = Spawner::new().unwrap();
            let child = spawner
                .spawn(sh("sleep 60 & echo $!.; wait", streams))
                .await
                .unwrap();
            let text = crate::support::read_until(&child.outputs[0], ".").await;
            let background: u32 = text.trim().trim_end_matches('.').parse().unwrap();
            let pid = child.leader.pid();
            drop(child.leader);
            assert_eq!(state(pid), None);
            until(|| matches!(state(background), None | Some('Z'))).await;
        }
    });
}

#[test]
fn a_leader_dies_with_the_last_spawner() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let clone = spawner.clone();
        let child = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
        drop(spawner);
        let quick = clone.spawn(command(&["true"], PIPES)).await.unwrap();
        assert_eq!(quick.leader.exited().await.unwrap(), ExitStatus::Code(0));
        drop(clone);
        assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(9));
    });
}

#[test]
fn a_spawn_that_was_given_up_leaves_no_process_and_no_descriptor() {
    alone(async {
        let spawner = Spawner::new().unwrap();
        spawner.spawn(command(&["true"], PIPES)).await.unwrap();
        let descriptors = crate::support::open_descriptors();
        for streams in [PIPES, TERMINAL] {
            for polls in 0..20 {
                let mut spawn = Box::pin(spawner.spawn(command(&["sleep", "60"], streams)));
                for _ in 0..=polls {
                    if let std::task::Poll::Ready(child) = poll_once(&mut spawn).await {
                        drop(child.unwrap());
                        break;
                    }
                    std::thread::yield_now();
                }
            }
        }
        // The queue is served in order, so what was given up is over when this is.
        spawner.spawn(command(&["true"], PIPES)).await.unwrap();
        assert_eq!(crate::support::children(), Vec::<u32>::new());
        assert_eq!(crate::support::open_descriptors(), descriptors);
    });
}

/// Polls a future that may be dropped afterwards.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context)))
        .await
}
