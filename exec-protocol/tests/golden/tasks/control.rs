//! What is done to tasks.

use exec_protocol::process::{SignalName, SignalResult, Size, WriteResult, WriteStatus};
use exec_protocol::task::{
    Clean, CleanParams, CleanResult, Lane, LaneName, Lanes, LanesParams, LanesResult, Remove, RemoveResult,
    Resize, ResizeParams, Retry, Signal, SignalParams, Stop, StopGroup, StopGroupParams, StopGroupResult,
    StopParams, StopResult, TaskParams, Write, WriteParams,
};
use exec_protocol::{Blob, Empty, WriteId};

use super::{ended, group, id, lane, some, waiting};
use crate::file::method;

fn how_to_stop() -> [StopParams; 3] {
    [None, Some(0), Some(2_500)].map(|grace_ms| StopParams {
        task_id: some(),
        grace_ms,
    })
}

pub(crate) fn stop() -> &'static str {
    let result = |stopped, task| StopResult { stopped, task };
    method::<Stop>(&how_to_stop(), &[result(true, waiting()), result(false, ended())])
}

pub(crate) fn remove() -> &'static str {
    method::<Remove>(&how_to_stop(), &[RemoveResult { task_id: id("t1") }])
}

pub(crate) fn retry() -> &'static str {
    method::<Retry>(&[TaskParams { task_id: some() }], &[waiting()])
}

pub(crate) fn write() -> &'static str {
    let bytes = WriteParams {
        task_id: some(),
        chunk: Blob::from(&b"\x00\xff\n"[..]),
        write_id: None,
        eof: false,
    };
    let end = WriteParams {
        chunk: Blob::default(),
        write_id: Some(WriteId::new("w1").unwrap()),
        eof: true,
        ..bytes.clone()
    };
    let results = [WriteStatus::Accepted, WriteStatus::StdinClosed].map(|status| WriteResult {
        status,
        accepted_bytes: None,
    });
    method::<Write>(&[bytes, end], &results)
}

pub(crate) fn resize() -> &'static str {
    let params = ResizeParams {
        task_id: some(),
        size: Size::new(1, 10_000).unwrap(),
    };
    method::<Resize>(&[params], &[Empty {}])
}

pub(crate) fn signal() -> &'static str {
    let params = [SignalName::Interrupt, SignalName::WindowChange].map(|signal| SignalParams {
        task_id: some(),
        signal,
    });
    let results = [true, false].map(|delivered| SignalResult { delivered });
    method::<Signal>(&params, &results)
}

pub(crate) fn clean() -> &'static str {
    let all = CleanParams {
        group: Some(group()),
        older_than_ms: Some(0),
        keep_per_group: Some(0),
    };
    let result = CleanResult {
        removed: 1,
        freed_bytes: 2,
    };
    method::<Clean>(&[CleanParams::default(), all], &[result])
}

pub(crate) fn stop_group() -> &'static str {
    let params = [None, Some(0)].map(|grace_ms| StopGroupParams {
        group: group(),
        grace_ms,
    });
    let result = StopGroupResult {
        stopped: 1,
        cancelled: 2,
    };
    method::<StopGroup>(&params, &[result])
}

pub(crate) fn lanes() -> &'static str {
    let change = LanesParams {
        lane: Some(lane()),
        max_parallel: Some(0),
    };
    let lanes = [(LaneName::default(), 4), (lane(), 0)].map(|(lane, max_parallel)| Lane {
        lane,
        max_parallel,
        running: 1,
        queued: 2,
    });
    let results = [Vec::new(), lanes.into()].map(|lanes| LanesResult { lanes });
    method::<Lanes>(&[LanesParams::default(), change], &results)
}
