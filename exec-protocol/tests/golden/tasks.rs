//! Background work, and the values that its messages have in common.

pub(crate) mod control;
pub(crate) mod logs;
pub(crate) mod looks;
pub(crate) mod news;
pub(crate) mod submit;

use exec_protocol::process::{EndReason, Size, StreamBytes};
use exec_protocol::task::{
    Attempt, LaneName, LogState, LogStopped, OnOutputLimit, RetryOn, RetryPolicy, Scope, StartFailure,
    TaskId, TaskRecord, TaskRef, TaskServer, TaskState,
};
use exec_protocol::{ErrorKind, Group, RpcError, StartKey, StringMap};

use crate::{path, strings, uid, variables};

#[test]
fn an_ambiguous_task_takes_those_along_that_may_be_meant() {
    let candidates = vec![id("build-1"), id("build-2")];
    let error = RpcError::new(ErrorKind::AmbiguousTask, "which?").with_candidates(candidates);
    let text = serde_json::to_string(&error).unwrap();
    assert_eq!(
        text,
        r#"{"code":-32600,"message":"which?","data":{"kind":"ambiguousTask","candidates":["build-1","build-2"]}}"#
    );
    assert_eq!(serde_json::from_str::<RpcError>(&text).unwrap(), error);
}

fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

/// The beginning of an id.
fn some() -> TaskRef {
    TaskRef::new("t").unwrap()
}

fn group() -> Group {
    Group::new("g").unwrap()
}

fn parent() -> Group {
    Group::new("c").unwrap()
}

fn lane() -> LaneName {
    LaneName::new("ci").unwrap()
}

/// All there is to choose of a scope.
fn scopes() -> [Scope; 3] {
    let of_group = Scope {
        group: Some(group()),
        parent: None,
    };
    let of_both = Scope {
        parent: Some(parent()),
        ..of_group.clone()
    };
    [Scope::default(), of_group, of_both]
}

fn retry() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 3,
        backoff_ms: 1_000,
        on: vec![RetryOn::Failure, RetryOn::Timeout, RetryOn::Interrupted],
    }
}

/// What is known at the least: it waits.
fn waiting() -> TaskRecord {
    TaskRecord {
        task_id: id("t1"),
        title: "true".into(),
        command: None,
        argv: strings(&["true"]),
        cwd: path("/"),
        tty: false,
        size: None,
        group: None,
        parent: None,
        labels: StringMap::new(),
        lane: LaneName::default(),
        priority: 0,
        submit_key: None,
        max_output_bytes: 1,
        on_output_limit: OnOutputLimit::DropOldest,
        retry: None,
        state: TaskState::Queued,
        position: Some(1),
        not_before_ms: Some(5),
        submitted_at_ms: 2,
        started_at_ms: None,
        ended_at_ms: None,
        end_reason: None,
        exit_code: None,
        signal: None,
        ended_by: None,
        attempts: Vec::new(),
        attempt_count: 0,
        server: TaskServer {
            incarnation: "i1".into(),
            last_seen_ms: 3,
        },
    }
}

/// What is known at most: it was stopped in its second attempt.
fn ended() -> TaskRecord {
    TaskRecord {
        title: "build \"all\"".into(),
        command: Some("make".into()),
        argv: strings(&["/bin/sh", "-c", "make"]),
        tty: true,
        size: Some(Size::new(50, 132).unwrap()),
        group: Some(group()),
        parent: Some(parent()),
        labels: variables(&[("ci", "1")]),
        lane: lane(),
        priority: -2,
        submit_key: Some(StartKey::new("k1").unwrap()),
        on_output_limit: OnOutputLimit::Kill,
        retry: Some(retry()),
        state: TaskState::Stopped,
        position: None,
        not_before_ms: None,
        started_at_ms: Some(6),
        ended_at_ms: Some(7),
        end_reason: Some(EndReason::Terminated),
        exit_code: Some(137),
        signal: Some("SIGKILL".into()),
        ended_by: Some("someone".into()),
        attempts: vec![not_started(), killed()],
        attempt_count: 2,
        ..waiting()
    }
}

/// One in each of the other states.
fn in_other_states() -> [TaskRecord; 4] {
    [
        (TaskState::Running, OnOutputLimit::Stop),
        (TaskState::Completed, OnOutputLimit::DropOldest),
        (TaskState::Failed, OnOutputLimit::DropOldest),
        (TaskState::Interrupted, OnOutputLimit::DropOldest),
    ]
    .map(|(state, on_output_limit)| TaskRecord {
        state,
        on_output_limit,
        position: None,
        not_before_ms: None,
        ..waiting()
    })
}

fn just_begun() -> Attempt {
    Attempt {
        attempt: 1,
        state: TaskState::Running,
        uid: None,
        pid: None,
        started_at_ms: 4,
        ended_at_ms: None,
        end_reason: None,
        exit_code: None,
        signal: None,
        failure: None,
        bytes: StreamBytes::default(),
        last_seq: 0,
        last_output_at_ms: None,
        log: LogState::default(),
    }
}

fn not_started() -> Attempt {
    Attempt {
        state: TaskState::Failed,
        ended_at_ms: Some(5),
        end_reason: Some(EndReason::StartFailed),
        failure: Some(StartFailure {
            kind: "programNotFound".into(),
            message: "no \"x\"".into(),
        }),
        ..just_begun()
    }
}

fn killed() -> Attempt {
    Attempt {
        attempt: 2,
        state: TaskState::Stopped,
        uid: Some(uid()),
        pid: Some(4_194_304),
        started_at_ms: 6,
        ended_at_ms: Some(7),
        end_reason: Some(EndReason::Terminated),
        exit_code: Some(137),
        signal: Some("SIGKILL".into()),
        bytes: StreamBytes {
            stdout: 8,
            stderr: 9,
            pty: 10,
        },
        last_seq: 11,
        last_output_at_ms: Some(12),
        log: log(Some(LogStopped::OutputLimit)),
        ..just_begun()
    }
}

fn log(stopped: Option<LogStopped>) -> LogState {
    LogState {
        first_offset: 13,
        end_offset: 14,
        stopped,
    }
}
