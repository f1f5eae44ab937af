//! Children on pipes.
use crate::support::{PIPED, PIPES, beside, command, end, read_to_end, run, sh, write_all};
use pty_utils::{ExitStatus, Read, Spawner, Stream};

#[test]
fn each_output_comes_on_its_own_pipe_and_then_the_exit_code() {
    beside(async {
        let end = run(sh("echo out; echo err >&2; exit 7", PIPES)).await;
        assert_eq!((&*end.stdout, &*end.stderr), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(end.status, ExitStatus::Code(7));
    });
}

#[test]
fn a_null_stdin_is_at_its_end() {
    beside(async {
        let end = run(sh("cat; readlink /proc/self/fd/0", PIPES)).await;
        assert_eq!(end.text(), "/dev/null\n");
    });
}

#[test]
fn dropping_the_input_is_end_of_file() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let mut child = spawner.spawn(command(&["cat"], PIPED)).await.unwrap();
        write_all(&child.input.take().unwrap(), b"typed").await.unwrap();
        assert_eq!(end(child).await.text(), "typed");
    });
}

#[test]
fn more_than_a_pipe_holds_goes_through_in_both_directions() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let mut child = spawner.spawn(command(&["cat"], PIPED)).await.unwrap();
        let sent: Vec<u8> = (0..4 << 20).map(|n: u32| (n % 251) as u8).collect();
        let input = child.input.take().unwrap();
        let write = async {
            write_all(&input, &sent).await.unwrap();
            drop(input);
        };
        let ((), received) = tokio::join!(write, read_to_end(&child.outputs[0]));
        assert!(received == sent, "{} bytes came back", received.len());
    });
}

#[test]
fn writing_to_a_child_that_closed_its_stdin_is_a_broken_pipe() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner.spawn(command(&["true"], PIPED)).await.unwrap();
        child.leader.exited().await.unwrap();
        let input = child.input.unwrap();
        // A child that another test's spawner creates just now has a copy of the other end for a moment.
        let error = loop {
            input.writable().await.unwrap();
            match input.try_write(b"x") {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn what_the_pipe_holds_at_the_exit_is_pending_and_can_be_read_at_once() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner
            .spawn(sh("printf 12345; sleep 60 & exit", PIPES))
            .await
            .unwrap();
        child.leader.exited().await.unwrap();
        let stdout = &child.outputs[0];
        assert_eq!(stdout.stream(), Stream::Stdout);
        assert_eq!(stdout.pending().unwrap(), 5);
        let mut buffer = [0; 64];
        assert_eq!(stdout.read_now(&mut buffer).unwrap(), Read::Bytes(5));
        assert_eq!(stdout.read_now(&mut buffer).unwrap(), Read::WouldBlock);
    });
}

#[test]
fn arg0_is_what_the_child_sees_as_its_name() {
    beside(async {
        let mut command = command(&["/bin/sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline"], PIPES);
        command.arg0 = Some("-login".into());
        assert!(run(command).await.text().starts_with("-login -c "));
    });
}

#[test]
fn the_child_runs_in_its_cwd_with_its_environment_and_nothing_else() {
    beside(async {
        let directory = tempfile::tempdir().unwrap();
        let mut command = sh("pwd -P; tr '\\0' '\\n' < /proc/$$/environ", PIPES);
        command.cwd = directory.path().canonicalize().unwrap();
        command.env = vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("A".into(), "b=c d".into()),
        ];
        let expected = format!("{}\nPATH=/usr/bin:/bin\nA=b=c d\n", command.cwd.display());
        assert_eq!(run(command).await.text(), expected);
    });
}
