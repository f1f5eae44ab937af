//! A child starts clean, whatever this process is like.
use crate::{
    marked::all,
    support::{PIPED, PIPES, TERMINAL, alone, beside, command, end, run, sh},
};
use std::process::Command;

#[test]
fn a_child_has_its_standard_streams_and_no_other_descriptor() {
    beside(async {
        // Not close-on-exec, as a careless library would open it.
        let leak = rustix::io::dup(std::io::stderr()).unwrap();
        for (containment, spawner) in all() {
            for streams in [PIPES, PIPED, TERMINAL] {
                // The fourth is the directory that is listed.
                let child = spawner.spawn(command(&["ls", "/proc/self/fd"], streams)).await;
                assert_eq!(
                    end(child.unwrap())
                        .await
                        .text()
                        .split_whitespace()
                        .collect::<Vec<_>>(),
                    ["0", "1", "2", "3"],
                    "{containment}"
                );
            }
        }
        drop(leak);
    });
}

/// Set in the process that a test starts to run itself in.
const PREPARED: &str = "PTY_UTILS_TEST_PREPARED";

#[test]
fn ignored_and_blocked_signals_are_not_inherited() {
    if std::env::var_os(PREPARED).is_some() {
        return signals_are_clean_in_a_process_that_ignores_and_blocks_some();
    }
    beside(async {
        let output = Command::new("env")
            .args(["--ignore-signal=TERM,HUP,USR2", "--block-signal=USR1,INT,RTMAX"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "clean::ignored_and_blocked_signals_are_not_inherited"])
            .env(PREPARED, "")
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && report.contains("1 passed"), "{report}");
    });
}

fn signals_are_clean_in_a_process_that_ignores_and_blocks_some() {
    alone(async {
        let ours = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        assert!(!ours.contains("SigBlk:\t0000000000000000"), "it was prepared");
        for (containment, spawner) in all() {
            for streams in [PIPES, TERMINAL] {
                let command = command(&["grep", "^Sig[BI]", "/proc/self/status"], streams);
                let end = end(spawner.spawn(command).await.unwrap()).await;
                for line in end.text().lines() {
                    assert!(line.ends_with(":\t0000000000000000"), "{containment}: {line}");
                }
                assert_eq!(end.text().lines().count(), 2);
            }
        }
    });
}

#[test]
fn pid_group_and_session_are_one_number() {
    beside(async {
        for streams in [PIPES, TERMINAL] {
            let end = run(sh("echo $$; cut -d' ' -f5,6 /proc/$$/stat", streams)).await;
            let numbers: Vec<_> = end.text().split_whitespace().map(str::to_owned).collect();
            assert!(
                numbers.len() == 3 && numbers.iter().all(|n| *n == numbers[0]),
                "{numbers:?}"
            );
        }
    });
}
