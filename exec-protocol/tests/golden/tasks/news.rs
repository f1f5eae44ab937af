//! What is told of tasks without asking, and what waits to be told.

use exec_protocol::Empty;
use exec_protocol::task::{
    Ack, AckParams, AckResult, Notice, Notices, NoticesResult, Settled, SettledParams, Subscribe, TaskState,
    Updated, UpdatedParams,
};

use super::{ended, group, id, just_begun, killed, parent, scopes, waiting};
use crate::file::{method, notice};

pub(crate) fn notices() -> &'static str {
    let plain = Notice {
        notice_id: 1,
        task_id: id("t1"),
        attempt: 0,
        group: None,
        parent: None,
        state: TaskState::Stopped,
        exit_code: None,
        at_ms: 2,
        summary: "true was cancelled".into(),
    };
    let full = Notice {
        attempt: 2,
        group: Some(group()),
        parent: Some(parent()),
        state: TaskState::Failed,
        exit_code: Some(1),
        summary: "tests failed after 12.3 s (exit code 1): \"x\" failed".into(),
        ..plain.clone()
    };
    let none = NoticesResult {
        notices: Vec::new(),
        more: 0,
    };
    let many = NoticesResult {
        notices: vec![plain, full],
        more: 3,
    };
    method::<Notices>(&scopes(), &[none, many])
}

pub(crate) fn ack() -> &'static str {
    let params = [Vec::new(), vec![1, 7]].map(|notice_ids| AckParams { notice_ids });
    method::<Ack>(&params, &[AckResult { acked: 1 }])
}

pub(crate) fn subscribe() -> &'static str {
    method::<Subscribe>(&scopes(), &[Empty {}])
}

pub(crate) fn updated() -> &'static str {
    let plain = UpdatedParams {
        task_id: id("t1"),
        group: None,
        parent: None,
        state: TaskState::Queued,
        attempt: 0,
        bytes: 0,
        last_output_at_ms: None,
    };
    let full = UpdatedParams {
        group: Some(group()),
        parent: Some(parent()),
        state: TaskState::Running,
        attempt: 2,
        bytes: 27,
        last_output_at_ms: Some(12),
        ..plain.clone()
    };
    notice::<Updated>(&[plain, full])
}

pub(crate) fn settled() -> &'static str {
    let settled = |attempt, task| SettledParams { attempt, task };
    notice::<Settled>(&[
        settled(None, ended()),
        settled(Some(killed()), ended()),
        settled(Some(just_begun()), waiting()),
    ])
}
