//! Waiting for processes.

use std::collections::BTreeMap;

use exec_protocol::process::{
    Fired, Stream, Unmet, UnmetReason, Until, UntilKind, Wait, WaitMode, WaitParams, WaitResult,
};
use exec_protocol::{Group, ProcessId, Seq};

use crate::file::method;
use crate::process;

pub(crate) fn wait() -> &'static str {
    let one = WaitParams {
        process_ids: vec![process()],
        group: None,
        until: Until::new(UntilKind::Exited),
        mode: WaitMode::Any,
        from_offsets: BTreeMap::new(),
        wait_ms: 0,
    };
    let prompt = WaitParams {
        process_ids: vec![process(), ProcessId::new("q").unwrap()],
        until: Until {
            stream: Some(Stream::Pty),
            ..Until::pattern("password: $")
        },
        mode: WaitMode::All,
        from_offsets: BTreeMap::from([(process(), 0), (ProcessId::new("q").unwrap(), 70_000)]),
        wait_ms: 60_000,
        ..one.clone()
    };
    let of_group = |until| WaitParams {
        process_ids: Vec::new(),
        group: Some(Group::new("g").unwrap()),
        until,
        ..one.clone()
    };
    let params = [
        one.clone(),
        prompt,
        of_group(Until::silent(500)),
        of_group(Until::new(UntilKind::Closed)),
        of_group(Until::new(UntilKind::Output)),
    ];
    let fired = |kind, text: Option<&str>| Fired {
        process_id: process(),
        kind,
        seq: Seq(3),
        offset: 70_000,
        text: text.map(str::to_owned),
    };
    let unmet = |reason| Unmet {
        process_id: process(),
        reason,
    };
    let nothing = WaitResult {
        fired: Vec::new(),
        unmet: Vec::new(),
        timed_out: true,
    };
    let everything = WaitResult {
        fired: vec![
            fired(UntilKind::Exited, None),
            fired(UntilKind::Pattern, Some("password: ")),
        ],
        unmet: vec![unmet(UnmetReason::Closed), unmet(UnmetReason::Evicted)],
        timed_out: false,
    };
    method::<Wait>(&params, &[nothing, everything])
}
