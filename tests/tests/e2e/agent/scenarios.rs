//! What the agent is used to, one recording each.

use std::fs;

use exec_tests::on_program;

use super::folders::Folders;
use super::replay::{Replay, patched_file, prepare};

/// Says a recording again, to a new server in new folders, which are returned.
async fn replay(recording: &str) -> Folders {
    let folders = Folders::new();
    prepare(&folders);
    on_program(folders.program(), async |server| {
        Replay::run(recording, &folders, server).await;
    })
    .await;
    folders
}

/// A test for each recording, and one that there are no others.
macro_rules! recordings {
    ($($(#[$meta:meta])* $recording:literal: $name:ident;)+) => {
        $($(#[$meta])* #[tokio::test]
        async fn $name() {
            replay($recording).await;
        })+

        #[test]
        fn every_recording_is_said_again() {
            let mut all = vec!["apply_patch", $($recording),+];
            all.sort_unstable();
            assert_eq!(super::recording::names(), all);
        }
    };
}

recordings! {
    "bad_cwd": a_folder_that_is_not_there_is_refused_and_the_next_command_runs;
    "cancel": a_command_in_the_background_ends_with_the_one_that_is_cancelled;
    "env_vars": a_command_has_the_variables_that_the_policy_leaves_and_those_that_are_set;
    "exec_basic": a_command_prints_on_both_streams_and_another_follows;
    "exit_codes": commands_end_with_codes_and_by_signals;
    "interrupt_without_pty": an_interrupt_reaches_commands_without_a_terminal;
    "late_output": what_is_left_behind_prints_after_the_exit_and_before_the_close;
    "pty_control_keys": control_keys_act_on_a_terminal;
    "pty_interaction": a_command_on_a_terminal_answers_what_is_typed;
    "resume_running": a_command_runs_on_while_the_connection_is_cut;
    "stdin_is_empty": a_command_without_a_stdin_finds_the_end_of_a_file;
    "write_not_repeated": a_write_that_comes_again_behind_a_cut_is_typed_once;
}

#[tokio::test]
async fn files_are_made_changed_and_removed_around_a_command() {
    let folders = replay("apply_patch").await;
    let big = fs::read(folders.work().join("big.txt")).expect("it is there");
    assert!(big == patched_file(), "{} bytes", big.len());
    for (removed, folder) in [("a/deep er/b.txt", "a/deep er"), ("new/c.txt", "new")] {
        assert!(!folders.work().join(removed).exists(), "{removed}");
        assert!(folders.work().join(folder).is_dir(), "{folder}");
    }
}
