//! The fallback, on a system that has it for its tests only.
use super::{
    HoldersQuery, Input, Leader, Leftovers, Output, Parts, Started, Starter, Terminal, Tree, make_room,
    run_if_asked,
};
use crate::{
    command::{Command, Stdin, Streams},
    containment::{Containment, SpawnerError},
    error::{Field, SpawnError},
    exit::ExitStatus,
    output::{Read, Stream},
    restrictions::{Controllers, Limit, Privileges, Resource, Restrictions, Strength, TreeLimits},
    signal::Signal,
    step::Step,
    terminal::Size,
    usage::Usage,
};
use std::{io, time::Duration};
use tokio::time::timeout;

/// Long enough for a loaded machine: it is reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(10);
const PIPES: Streams = Streams::Pipes { stdin: Stdin::Null };
const PIPED: Streams = Streams::Pipes { stdin: Stdin::Piped };
const TERMINAL: Streams = Streams::Terminal {
    size: Size { rows: 24, cols: 80 },
};

fn sh(script: &str, streams: Streams) -> Command {
    Command {
        argv: ["sh", "-c", script].map(Into::into).into(),
        arg0: None,
        cwd: "/".into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        streams,
        restrictions: Restrictions::default(),
    }
}

fn start(command: &Command) -> Result<Parts, SpawnError> {
    let started = Starter::new(None, None).unwrap().start(command);
    Ok(started.map(Started::register)?.unwrap())
}

async fn exit(leader: &Leader) -> ExitStatus {
    timeout(PATIENCE, leader.exited())
        .await
        .expect("it exits in time")
        .unwrap()
}

/// Reads until `text` has come, or to the end of file.
async fn read(output: &Output, text: Option<&str>) -> String {
    let mut all = String::new();
    let mut buffer = [0; 100];
    while text.is_none_or(|text| !all.contains(text)) {
        timeout(PATIENCE, output.readable())
            .await
            .expect("it writes in time")
            .unwrap();
        match output.try_read(&mut buffer).unwrap() {
            Read::Bytes(count) => all.push_str(str::from_utf8(&buffer[..count]).unwrap()),
            Read::WouldBlock => {}
            Read::EndOfFile => break,
        }
    }
    all
}

async fn write(input: &Input, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        timeout(PATIENCE, input.writable())
            .await
            .expect("it reads in time")
            .unwrap();
        if let Some(count) = input.try_write(bytes).unwrap() {
            bytes = &bytes[count..];
        }
    }
}

#[tokio::test]
async fn pipes_carry_both_outputs_and_the_code() {
    let parts = start(&sh("echo out; echo err >&2; exit 3", PIPES)).unwrap();
    let [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] = &parts.outputs[..] else {
        panic!("{:?}", parts.outputs);
    };
    assert_eq!(read(stdout, None).await, "out\n");
    assert_eq!(read(stderr, None).await, "err\n");
    assert_eq!(exit(&parts.leader).await, ExitStatus::Code(3));
    assert_eq!(exit(&parts.leader).await, ExitStatus::Code(3));
    assert!(parts.input.is_none() && parts.terminal.is_none());
    drop(parts.leader);
}

#[tokio::test]
async fn a_terminal_carries_its_output_and_the_code() {
    let parts = start(&sh("tty; stty size; exit 4", TERMINAL)).unwrap();
    let terminal = parts.terminal.unwrap();
    let [(Stream::Pty, output)] = &parts.outputs[..] else {
        panic!("{:?}", parts.outputs);
    };
    let expected = format!("{}\r\n24 80\r\n", terminal.name().display());
    assert_eq!(read(output, None).await, expected);
    assert_eq!(exit(&parts.leader).await, ExitStatus::Code(4));
}

#[tokio::test]
async fn a_terminal_can_be_resized() {
    let parts = start(&sh("read line; stty size", TERMINAL)).unwrap();
    let terminal: &Terminal = parts.terminal.as_ref().unwrap();
    let size = Size { rows: 30, cols: 100 };
    terminal.resize(size).unwrap();
    assert_eq!(terminal.size().unwrap(), size);
    write(parts.input.as_ref().unwrap(), b"\n").await;
    assert!(read(&parts.outputs[0].1, None).await.ends_with("30 100\r\n"));
}

#[tokio::test]
async fn dropping_the_input_is_end_of_file_on_pipes() {
    let mut parts = start(&sh("cat; echo end", PIPED)).unwrap();
    let input = parts.input.take().unwrap();
    // Both ways at once: more than the pipes and the queues hold.
    let text = "0123456789".repeat(50_000);
    let writing = async {
        write(&input, text.as_bytes()).await;
        drop(input);
    };
    let (written, ()) = tokio::join!(read(&parts.outputs[0].1, None), writing);
    assert_eq!(written, text + "end\n");
    assert_eq!(exit(&parts.leader).await, ExitStatus::Code(0));
}

#[tokio::test]
async fn end_of_file_is_typed_at_a_terminal() {
    let mut parts = start(&sh("echo on; cat; echo end", TERMINAL)).unwrap();
    let output = &parts.outputs[0].1;
    read(output, Some("on")).await;
    let char = parts
        .terminal
        .as_ref()
        .unwrap()
        .end_of_file_char()
        .unwrap()
        .unwrap();
    let input = parts.input.take().unwrap();
    write(&input, b"line\n").await;
    write(&input, &[char]).await;
    drop(input);
    assert!(read(output, None).await.ends_with("line\r\nline\r\nend\r\n"));
    assert_eq!(exit(&parts.leader).await, ExitStatus::Code(0));
}

#[tokio::test]
async fn what_nobody_reads_fills_a_bounded_queue() {
    let mut parts = start(&sh("read line; echo; read line", PIPED)).unwrap();
    let input = parts.input.take().unwrap();
    let filling = async { while input.try_write(&[b' '; 10_000]).unwrap().is_some() {} };
    timeout(PATIENCE, filling).await.unwrap();
    assert!(parts.leader.signal_group(Signal::Kill).unwrap());
    exit(&parts.leader).await;
    let broken = async {
        while input.try_write(b" ").is_ok() {
            input.writable().await.unwrap();
        }
    };
    timeout(PATIENCE, broken).await.expect("the queue closes in time");
    assert_eq!(
        input.try_write(b" ").unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
}

#[tokio::test]
async fn what_was_written_can_be_counted_and_read_at_once() {
    let parts = start(&sh("printf 12345", PIPES)).unwrap();
    let output = &parts.outputs[0].1;
    timeout(PATIENCE, output.readable()).await.unwrap().unwrap();
    assert_eq!(output.pending().unwrap(), 5);
    let mut buffer = [0; 3];
    assert_eq!(output.read_now(&mut buffer).unwrap(), Read::Bytes(3));
    assert_eq!(output.pending().unwrap(), 2);
}

#[tokio::test]
async fn a_leader_can_be_killed_and_not_otherwise_signalled() {
    for streams in [PIPES, TERMINAL] {
        let parts = start(&sh("trap '' HUP; echo on; exec sleep 60", streams)).unwrap();
        let output = &parts.outputs[0].1;
        read(output, Some("on")).await;
        assert!(parts.leader.pid() > 0);
        let polite = parts.leader.signal_group(Signal::Terminate).unwrap_err();
        assert_eq!(polite.kind(), io::ErrorKind::Unsupported);
        assert!(parts.leader.signal_group(Signal::Kill).unwrap());
        assert_eq!(exit(&parts.leader).await, ExitStatus::Signal(9));
        assert!(!parts.leader.signal_group(Signal::Kill).unwrap());
        read(output, None).await;
        if let Some(terminal) = parts.terminal {
            let foreground = terminal.signal_foreground(Signal::Interrupt).unwrap_err();
            assert_eq!(foreground.kind(), io::ErrorKind::Unsupported);
        }
    }
}

#[tokio::test]
async fn a_leader_that_is_dropped_is_killed() {
    for streams in [PIPES, TERMINAL] {
        let parts = start(&sh("exec sleep 60", streams)).unwrap();
        drop(parts.leader);
        read(&parts.outputs[0].1, None).await;
    }
}

#[test]
fn what_cannot_start_has_the_error_of_its_cause() {
    for streams in [PIPES, TERMINAL] {
        let refused = |change: &dyn Fn(&mut Command)| {
            let mut command = sh("exit", streams);
            change(&mut command);
            start(&command).unwrap_err()
        };
        for program in ["/no/such/program", "no-such-program", ""] {
            let error = refused(&|command| command.argv[0] = program.into());
            assert!(matches!(error, SpawnError::ProgramNotFound { .. }), "{error:?}");
        }
        let error = refused(&|command| command.cwd = "/no/such/cwd".into());
        assert!(matches!(error, SpawnError::CwdNotFound { .. }), "{error:?}");
        let error = refused(&|command| command.argv.clear());
        assert!(matches!(error, SpawnError::EmptyArgv), "{error:?}");
        let error = refused(&|command| command.env.push(("A".into(), "a\0b".into())));
        assert!(
            matches!(error, SpawnError::NulByte { field: Field::Env }),
            "{error:?}"
        );
    }
}

#[test]
fn what_cannot_be_executed_has_the_error_of_its_cause_on_pipes() {
    let mut command = sh("exit", PIPES);
    command.argv.push("x".repeat(200_000).into());
    let error = start(&command).unwrap_err();
    assert!(
        matches!(error, SpawnError::ArgumentListTooLong { .. }),
        "{error:?}"
    );
    command.argv = vec!["/etc/passwd".into()];
    let error = start(&command).unwrap_err();
    assert!(matches!(error, SpawnError::PermissionDenied { .. }), "{error:?}");
}

#[tokio::test]
async fn arg0_is_kept_on_pipes_and_refused_on_a_terminal() {
    let mut command = sh("echo $0", PIPES);
    command.arg0 = Some("name".into());
    let parts = start(&command).unwrap();
    assert_eq!(read(&parts.outputs[0].1, None).await, "name\n");
    command.streams = TERMINAL;
    let error = start(&command).unwrap_err();
    assert!(matches!(error, SpawnError::Os { source, .. } if source.kind() == io::ErrorKind::Unsupported));
}

#[tokio::test]
async fn restrictions_that_cannot_be_kept_are_refused_and_soft_limits_are_not_set() {
    let limit = |strength| Limit {
        resource: Resource::OpenFiles,
        value: 40,
        strength,
    };
    let none = Restrictions::default;
    let tree = TreeLimits {
        memory_bytes: None,
        processes: Some(1),
    };
    for (step, restrictions) in [
        (
            Step::Limit(Resource::OpenFiles),
            Restrictions {
                limits: vec![limit(Strength::Soft), limit(Strength::Hard)],
                ..none()
            },
        ),
        (Step::TreeLimits, Restrictions { tree, ..none() }),
        (
            Step::Umask,
            Restrictions {
                umask: Some(0),
                ..none()
            },
        ),
        (
            Step::Privileges,
            Restrictions {
                privileges: Privileges::NoNew,
                ..none()
            },
        ),
    ] {
        let command = Command {
            restrictions,
            ..sh("exit", PIPES)
        };
        let error = start(&command).unwrap_err();
        assert!(
            matches!(&error, SpawnError::Os { step: found, source }
                if *found == step && source.kind() == io::ErrorKind::Unsupported),
            "{error:?}"
        );
    }
    let mut command = sh("ulimit -Sn", PIPES);
    command.restrictions.limits = vec![limit(Strength::Soft)];
    let parts = start(&command).unwrap();
    assert_ne!(read(&parts.outputs[0].1, None).await, "40\n");
    assert!(!parts.tree.ran_out_of_memory());
}

#[tokio::test]
async fn a_tree_is_its_leader_and_is_released_with_it() {
    let parts = start(&sh("exec sleep 60", PIPES)).unwrap();
    let tree: &Tree = &parts.tree;
    let polite = tree.signal(Signal::Terminate).unwrap_err();
    assert_eq!(polite.kind(), io::ErrorKind::Unsupported);
    assert_eq!(tree.usage(), Usage::default());
    tree.kill().unwrap();
    timeout(PATIENCE, tree.emptied()).await.unwrap().unwrap();
    assert!(!tree.signal(Signal::Kill).unwrap());
    let left: Option<Leftovers> = parts.tree.release(parts.leader).await;
    if let Some(left) = left {
        // Unreachable, but with the same methods as elsewhere.
        left.signal(Signal::Kill).unwrap();
        left.kill().unwrap();
        left.emptied().await.unwrap();
    }
    let holders: HoldersQuery = parts.outputs[0].1.holders();
    assert_eq!(
        holders.run(|_| ()).unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
}

#[test]
fn there_is_no_containment_but_the_group_and_no_helper() {
    for containment in [Containment::Cgroup, Containment::Supervisor] {
        let error = Starter::new(Some(containment), None).unwrap_err();
        assert!(matches!(error, SpawnerError::Unavailable { .. }), "{error:?}");
    }
    let starter = Starter::new(None, None).unwrap();
    assert_eq!(starter.containment(), Containment::Group);
    assert_eq!(starter.controllers(), Controllers::default());
    assert!(run_if_asked().is_none());
    assert!(!make_room().unwrap());
}
