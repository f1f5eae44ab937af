//! Everything there is to say of a process.

use exec_protocol::process::{
    Containment, EndReason, Get, GetParams, Holder, List, ListParams, ListResult, ProcessRecord,
    ProcessState, Scope, Size, StreamBytes, Usage,
};
use exec_protocol::{ErrorKind, Group, ProcessId, RpcError, StringMap, Uid};

use crate::file::method;
use crate::{path, process, strings, targets, uid, variables};

pub(crate) fn get() -> &'static str {
    let params = targets().map(|process| GetParams { process });
    let other_states = [
        (ProcessState::Exited, Containment::Supervisor),
        (ProcessState::Closed, Containment::Cgroup),
    ]
    .map(|(state, containment)| ProcessRecord {
        state,
        containment,
        ..just_started()
    });
    let [exited, closed] = other_states;
    method::<Get>(&params, &[just_started(), full(), exited, closed])
}

pub(crate) fn list() -> &'static str {
    let all = ListParams::default();
    let few = ListParams {
        group: Some(Group::new("g").unwrap()),
        state: Some(ProcessState::Running),
        labels: variables(&[("ci", "1"), ("job", "x=y")]),
        scope: Scope::Server,
    };
    let [exited, closed] = [ProcessState::Exited, ProcessState::Closed].map(|state| ListParams {
        state: Some(state),
        ..ListParams::default()
    });
    let results = [Vec::new(), vec![just_started(), full()]].map(|records| ListResult { records });
    method::<List>(&[all, few, exited, closed], &results)
}

#[test]
fn an_expired_process_takes_its_record_along_in_the_error() {
    let error = RpcError::new(ErrorKind::ExpiredProcess, "gone").with_record(full());
    let text = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<RpcError>(&text).unwrap(), error);
    let record = serde_json::to_string(&full()).unwrap();
    assert_eq!(
        text,
        format!(r#"{{"code":-32600,"message":"gone","data":{{"kind":"expiredProcess","record":{record}}}}}"#)
    );
}

/// What is known at the least.
fn just_started() -> ProcessRecord {
    ProcessRecord {
        process_id: process(),
        uid: uid(),
        title: None,
        group: None,
        labels: StringMap::new(),
        metadata: None,
        argv: strings(&["true"]),
        cwd: path("/"),
        pid: 4_711,
        tty: false,
        size: None,
        containment: Containment::Group,
        state: ProcessState::Running,
        started_at_ms: 1_763_700_000_000,
        exited_at_ms: None,
        closed_at_ms: None,
        exit_code: None,
        signal: None,
        end_reason: None,
        ended_by: None,
        bytes: StreamBytes::default(),
        retained_bytes: 0,
        last_output_at_ms: None,
        cpu: None,
        max_rss_bytes: None,
        incomplete: false,
        held_by: Vec::new(),
    }
}

/// Everything there can be.
fn full() -> ProcessRecord {
    ProcessRecord {
        process_id: ProcessId::new("p \"1\"").unwrap(),
        uid: Uid::new("u8").unwrap(),
        title: Some("build".into()),
        group: Some(Group::new("g").unwrap()),
        labels: variables(&[("ci", "1"), ("job", "x=y")]),
        metadata: Some(serde_json::json!({"note": [1, 2.5, null]})),
        argv: strings(&["/bin/sh", "-c", "echo ü"]),
        cwd: path("/srv/a b"),
        pid: 4_712,
        tty: true,
        size: Some(Size::new(50, 132).unwrap()),
        containment: Containment::Cgroup,
        state: ProcessState::Closed,
        started_at_ms: 1_763_700_000_000,
        exited_at_ms: Some(1_763_700_000_250),
        closed_at_ms: Some(1_763_700_000_500),
        exit_code: Some(137),
        signal: Some("SIGKILL".into()),
        end_reason: Some(EndReason::Terminated),
        ended_by: Some("golden".into()),
        bytes: StreamBytes {
            stdout: 1,
            stderr: 2,
            pty: 3,
        },
        retained_bytes: 6,
        last_output_at_ms: Some(1_763_700_000_125),
        cpu: Some(Usage {
            user_ms: 120,
            system_ms: 30,
        }),
        max_rss_bytes: Some(4_096),
        incomplete: true,
        held_by: vec![Holder {
            pid: 4_713,
            command: "sleep 60".into(),
        }],
    }
}
