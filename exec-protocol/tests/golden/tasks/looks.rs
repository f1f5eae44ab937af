//! What is asked of tasks.

use exec_protocol::process::WaitMode;
use exec_protocol::task::{
    Get, List, ListParams, ListResult, Summary, SummaryResult, TaskParams, TaskRef, TaskState, Wait,
    WaitParams, WaitResult,
};

use super::{ended, group, id, in_other_states, lane, parent, scopes, some, waiting};
use crate::file::method;
use crate::variables;

pub(crate) fn get() -> &'static str {
    let mut results = vec![waiting(), ended()];
    results.extend(in_other_states());
    method::<Get>(&[TaskParams { task_id: some() }], &results)
}

pub(crate) fn list() -> &'static str {
    let few = ListParams {
        group: Some(group()),
        parent: Some(parent()),
        lane: Some(lane()),
        states: TaskState::ALL.into(),
        labels: variables(&[("ci", "1"), ("job", "x=y")]),
        title: Some("ALL".into()),
        after: Some(id("t1")),
        limit: Some(1),
    };
    let last = ListResult {
        records: Vec::new(),
        next: None,
    };
    let page = ListResult {
        records: vec![waiting(), ended()],
        next: Some(id("t1")),
    };
    method::<List>(&[ListParams::default(), few], &[last, page])
}

pub(crate) fn summary() -> &'static str {
    let busy = SummaryResult {
        counts: TaskState::ALL.into_iter().zip(1..).collect(),
        active: vec![waiting()],
        latest_ended: vec![ended()],
    };
    method::<Summary>(&scopes(), &[busy])
}

pub(crate) fn wait() -> &'static str {
    let one = WaitParams {
        task_ids: vec![some()],
        ..WaitParams::default()
    };
    let all = WaitParams {
        task_ids: vec![some(), TaskRef::new("t1").unwrap()],
        group: Some(group()),
        parent: Some(parent()),
        mode: WaitMode::All,
        wait_ms: 60_000,
    };
    let nothing = WaitResult {
        settled: Vec::new(),
        pending: vec![id("t1")],
        removed: Vec::new(),
        timed_out: true,
    };
    let everything = WaitResult {
        settled: vec![ended()],
        pending: Vec::new(),
        removed: vec![id("t2")],
        timed_out: false,
    };
    method::<Wait>(&[one, all], &[nothing, everything])
}
