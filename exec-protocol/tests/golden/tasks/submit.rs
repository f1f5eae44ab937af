//! The submission of a task.

use exec_protocol::StartKey;
use exec_protocol::process::{EnvPolicy, Inherit, Size};
use exec_protocol::task::{OnOutputLimit, RetryOn, RetryPolicy, Submit, SubmitParams};

use super::{ended, group, id, in_other_states, lane, parent, retry, waiting};
use crate::file::method;
use crate::{path, strings, variables};

pub(crate) fn submit() -> &'static str {
    let plain = SubmitParams {
        command: Some("make test".into()),
        ..SubmitParams::default()
    };
    let full = SubmitParams {
        task_id: Some(id("build-2026.11_x")),
        title: Some("build \"all\"".into()),
        command: None,
        argv: Some(strings(&["/bin/sh", "-c", "echo ü"])),
        cwd: Some(path("/srv/a b")),
        env: variables(&[("A", "1"), ("B", "x=y")]),
        env_policy: Some(EnvPolicy {
            inherit: Inherit::Core,
            ignore_default_excludes: true,
            exclude: strings(&["AWS_*"]),
            set: variables(&[("C", "2")]),
            include_only: strings(&["A", "C"]),
        }),
        tty: true,
        pipe_stdin: true,
        size: Some(Size::new(50, 132).unwrap()),
        group: Some(group()),
        parent: Some(parent()),
        labels: variables(&[("ci", "1"), ("job", "x=y")]),
        timeout_ms: Some(60_000),
        idle_timeout_ms: Some(5_000),
        grace_ms: Some(0),
        max_output_bytes: Some(65_536),
        on_output_limit: OnOutputLimit::Kill,
        retry: Some(retry()),
        lane: lane(),
        priority: -2,
        not_before: Some(1_763_700_000_000),
        submit_key: Some(StartKey::new("k1").unwrap()),
    };
    let stopping = SubmitParams {
        on_output_limit: OnOutputLimit::Stop,
        retry: Some(RetryPolicy {
            max_attempts: 1,
            backoff_ms: 0,
            on: vec![RetryOn::Failure],
        }),
        ..plain.clone()
    };
    // That one of them is missing is not seen while it is read.
    let nothing = SubmitParams::default();
    let mut results = vec![waiting(), ended()];
    results.extend(in_other_states());
    method::<Submit>(&[plain, full, stopping, nothing], &results)
}
