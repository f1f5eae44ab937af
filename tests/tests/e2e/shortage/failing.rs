//! Calls of the system that fail: each is told for what it is, and costs nobody else anything.

use exec_protocol::task::LogStopped;
use exec_tests::failing::{self, Failing, OUTPUT_READ_BYTES};
use exec_tests::wait::until;
use exec_tests::{Peer, TestServer, on_program};
use rustix::io::Errno;
use serde_json::{Value, json};

use super::{files, is_told_by_the_system};
use crate::commands::{on_pipes, on_terminal, script, with, with_stdin};

/// Runs a test on a server in which such a call fails.
async fn on_failing(failing: Failing, errno: Errno, test: impl AsyncFnOnce(&mut Peer)) {
    // The way to create a child that can be told from everybody else's.
    let command = failing::server(["--containment", "group"], failing, errno);
    on_program(command, async |server| {
        let process = server.process().unwrap();
        let mut peer = server.session().await;
        peer.call("environment/info", Value::Null).await;
        let before = files(process);
        test(&mut peer).await;
        peer.call("environment/info", Value::Null).await;
        until("the files are where they were", || files(process) <= before).await;
        until("no child is left", || process.descendants().is_empty()).await;
        peer.finish().await;
    })
    .await;
}

/// Checks that this start is refused, ten times, and that its id stays free.
async fn is_refused(peer: &mut Peer, params: Value, kind: &str, errno: Errno) {
    for _ in 0..10 {
        let error = peer.refused("process/start", params.clone()).await;
        is_told_by_the_system(&error, kind, errno.raw_os_error());
        let unknown = peer
            .refused("process/read", json!({"processId": params["processId"]}))
            .await;
        assert_eq!(unknown.data.kind, "unknownProcess");
    }
}

#[tokio::test]
async fn a_child_that_cannot_be_created_is_refused_by_its_cause() {
    for (errno, kind) in [
        (Errno::NOMEM, "memoryLimit"),
        (Errno::AGAIN, "tooManyProcesses"),
        (Errno::MFILE, "tooManyFiles"),
        (Errno::IO, "internal"),
    ] {
        on_failing(Failing::Clone, errno, async |peer| {
            is_refused(peer, on_pipes("p", ["exit", "0"]), kind, errno).await;
            is_refused(peer, on_terminal("p", ["exit", "0"]), kind, errno).await;
        })
        .await;
    }
}

#[tokio::test]
async fn without_pipes_there_are_still_terminals_and_the_other_way_round() {
    for (errno, kind) in [
        (Errno::MFILE, "tooManyFiles"),
        (Errno::NFILE, "tooManyFiles"),
        (Errno::NOMEM, "memoryLimit"),
        (Errno::IO, "internal"),
    ] {
        on_failing(Failing::Pipe, errno, async |peer| {
            is_refused(peer, with_stdin("p", ["exit", "3"]), kind, errno).await;
            assert_eq!(peer.run(on_terminal("p", ["exit", "3"])).await.exit_code, Some(3));
        })
        .await;
        on_failing(Failing::Terminal, errno, async |peer| {
            is_refused(peer, on_terminal("p", ["exit", "3"]), kind, errno).await;
            assert_eq!(peer.run(with_stdin("p", ["exit", "3"])).await.exit_code, Some(3));
        })
        .await;
    }
}

/// What was told of a process that has closed.
async fn told_at_the_end(peer: &mut Peer, params: Value) -> (Value, Value, Value) {
    peer.start(params).await;
    peer.output_until_closed("p").await;
    let read = peer.call("process/read", json!({"processId": "p"})).await;
    let record = peer.call("process/get", json!({"processId": "p"})).await;
    peer.call("process/forget", json!({"processId": "p"})).await;
    (
        read["failure"].clone(),
        read["incomplete"].clone(),
        record["incomplete"].clone(),
    )
}

#[tokio::test]
async fn output_that_cannot_be_read_is_no_clean_end() {
    for errno in [Errno::IO, Errno::NOMEM] {
        on_failing(Failing::Read(OUTPUT_READ_BYTES), errno, async |peer| {
            let mut cases = vec![script("p", "while echo line; do :; done")];
            if errno != Errno::IO {
                // A terminal says that if nobody holds it, which is its end.
                cases.push(on_terminal("p", ["records", "10", "stdout"]));
            }
            for params in cases {
                let (failure, read, record) = told_at_the_end(peer, params).await;
                let failure = failure.as_str().expect("it is told why");
                assert!(failure.starts_with("output could not be read: "), "{failure}");
                assert_eq!((read, record), (json!(true), json!(true)));
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_log_of_a_task_whose_output_cannot_be_read_says_so() {
    let state_dir = tempfile::tempdir().unwrap();
    let arguments = ["--state-dir", state_dir.path().to_str().unwrap()];
    let command = failing::server(arguments, Failing::Read(OUTPUT_READ_BYTES), Errno::IO);
    let server = TestServer::of_program(command).await;
    let mut peer = server.session().await;
    let lines = ["/bin/sh", "-c", "while echo line; do :; done"];
    let record = peer.run_task(json!({"taskId": "t", "argv": lines})).await;
    let stopped = record.attempts[0].log.stopped.as_ref();
    let Some(LogStopped::Failed { message }) = stopped else {
        panic!("{record:?}")
    };
    assert!(message.starts_with("output could not be read: "), "{message}");
    peer.finish().await;
    server.finish().await;
}

/// At the exit what is left is read, by as much as there is. That it was the end cannot be known then.
#[tokio::test]
async fn output_for_which_a_read_always_has_to_wait_comes_at_the_exit() {
    on_failing(Failing::Read(OUTPUT_READ_BYTES), Errno::AGAIN, async |peer| {
        let params = on_pipes("p", ["records", "100", "stdout"]);
        peer.start(with(params, json!({"drainGraceMs": 0}))).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text().lines().count(), 100, "{:?}", transcript.text());
        assert_eq!(transcript.exit_code, Some(0));
        let record = peer.call("process/get", json!({"processId": "p"})).await;
        assert_eq!(record["incomplete"], true, "{record}");
    })
    .await;
}

#[tokio::test]
async fn stdin_that_cannot_be_written_is_closed_and_one_that_can_is_not() {
    /// Bytes that cannot be written at once.
    const FATAL: usize = 4242;

    for errno in [Errno::IO, Errno::NOMEM] {
        on_failing(Failing::Write(FATAL as u64), errno, async |peer| {
            peer.start(with_stdin("p", ["echo"])).await;
            peer.start(with_stdin("other", ["echo"])).await;
            peer.write("p", "first\n").await;
            peer.output_until("p", "first\n").await;
            assert_eq!(peer.write("p", vec![b'x'; FATAL]).await, "accepted");
            // The child finds the end of its input, and comes to its own.
            let transcript = peer.output_until_closed("p").await;
            assert_eq!(
                (transcript.text(), transcript.exit_code),
                ("first\n".into(), Some(0))
            );
            peer.write("other", "goes on\n").await;
            peer.output_until("other", "goes on\n").await;
            peer.terminate("other").await;
        })
        .await;
    }
}
