//! Signals to groups.
use crate::support::{PIPES, TERMINAL, beside, command, end, read_until, sh, state, until};
use pty_utils::{ExitStatus, Signal, Spawner};

#[test]
fn a_group_signal_reaches_a_background_child() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let spawner = Spawner::new().unwrap();
            let child = spawner
                .spawn(sh("sleep 60 & echo $!.; wait", streams))
                .await
                .unwrap();
            let text = read_until(&child.outputs[0], ".").await;
            let background: u32 = text.trim().trim_end_matches('.').parse().unwrap();
            assert!(child.leader.signal_group(Signal::Terminate).unwrap());
            assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(15));
            until(|| matches!(state(background), None | Some('Z'))).await;
        }
    });
}

#[test]
fn a_tree_without_containment_is_the_session_in_whichever_group_until_the_last_is_gone() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let spawner = Spawner::new().unwrap();
            // Job control gives the background job a group of its own.
            let script = "set -m; sleep 60 >/dev/null 2>&1 & echo $!.; exec sleep 60";
            let child = spawner
                .spawn(command(&["bash", "-c", script], streams))
                .await
                .unwrap();
            let text = read_until(&child.outputs[0], ".").await;
            let background: u32 = text.trim().trim_end_matches('.').parse().unwrap();
            assert!(child.leader.signal_group(Signal::Kill).unwrap());
            child.leader.exited().await.unwrap();
            assert!(child.tree.signal(Signal::Continue).unwrap());
            child.tree.kill().unwrap();
            until(|| matches!(state(background), None | Some('Z'))).await;
            assert!(!child.tree.signal(Signal::Continue).unwrap());
            child.tree.emptied().await.unwrap();
        }
    });
}

#[test]
fn every_signal_is_the_one_it_says() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        for (signal, number) in [
            (Signal::Interrupt, 2),
            (Signal::Terminate, 15),
            (Signal::Kill, 9),
            (Signal::Hangup, 1),
            (Signal::Quit, 3),
            (Signal::User1, 10),
            (Signal::User2, 12),
        ] {
            let child = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
            assert!(child.leader.signal_group(signal).unwrap());
            assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(number));
        }
    });
}

#[test]
fn a_stopped_child_goes_on_when_it_is_continued() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner.spawn(command(&["sleep", "60"], PIPES)).await.unwrap();
        child.leader.signal_group(Signal::Stop).unwrap();
        until(|| state(child.leader.pid()) == Some('T')).await;
        child.leader.signal_group(Signal::Continue).unwrap();
        until(|| state(child.leader.pid()) == Some('S')).await;
    });
}

#[test]
fn a_foreground_signal_reaches_the_foreground_job_only() {
    beside(async {
        for (signal, code) in [
            (Signal::Interrupt, 130),
            (Signal::Quit, 131),
            (Signal::Terminate, 143),
            (Signal::User1, 138),
        ] {
            let spawner = Spawner::new().unwrap();
            // With job control each job is a group of its own. The trap keeps the shell from ending itself
            // because its job was interrupted; the job does not inherit it.
            let script = "set -m; trap : INT; sleep 60 & sh -c 'echo ready; exec sleep 60'; echo code $?; \
                          kill -0 $! && echo background lives; kill -9 $!";
            let child = spawner.spawn(sh(script, TERMINAL)).await.unwrap();
            read_until(&child.outputs[0], "ready").await;
            assert!(
                child
                    .terminal
                    .as_ref()
                    .unwrap()
                    .signal_foreground(signal)
                    .unwrap()
            );
            let text = end(child).await.text();
            assert!(text.contains(&format!("code {code}")), "{text}");
            assert!(text.contains("background lives"), "{text}");
        }
    });
}

#[test]
fn there_is_no_foreground_after_the_session() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner.spawn(command(&["true"], TERMINAL)).await.unwrap();
        child.leader.exited().await.unwrap();
        let terminal = child.terminal.as_ref().unwrap();
        for signal in [Signal::Interrupt, Signal::Terminate] {
            assert!(!terminal.signal_foreground(signal).unwrap());
        }
    });
}
