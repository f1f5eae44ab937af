//! What is done to a process.

use exec_protocol::process::{
    CloseStdin, CloseStdinParams, CloseStdinResult, EndReason, Forget, ForgetParams, ForgetResult, Resize,
    ResizeParams, Signal, SignalName, SignalParams, SignalResult, Size, Target, Terminate, TerminateParams,
    TerminateResult, Write, WriteParams, WriteResult, WriteStatus,
};
use exec_protocol::{Blob, Empty, WriteId};

use crate::file::method;
use crate::{process, targets, uid};

pub(crate) fn write() -> &'static str {
    let bytes = WriteParams {
        process: process().into(),
        chunk: Blob::from(&b"\x00\xff\n"[..]),
        write_id: None,
        eof: false,
        offset: None,
    };
    let end = WriteParams {
        process: process().into(),
        chunk: Blob::default(),
        write_id: Some(WriteId::new("w1").unwrap()),
        eof: true,
        offset: None,
    };
    let positioned = WriteParams {
        offset: Some(0),
        ..bytes.clone()
    };
    let by_uid = WriteParams {
        process: uid().into(),
        ..bytes.clone()
    };
    let result = |status, accepted_bytes| WriteResult {
        status,
        accepted_bytes,
    };
    let results = [
        result(WriteStatus::Accepted, None),
        result(WriteStatus::UnknownProcess, None),
        result(WriteStatus::StdinClosed, None),
        result(WriteStatus::Accepted, Some(3)),
        result(WriteStatus::Full, Some(0)),
    ];
    method::<Write>(&[bytes, end, positioned, by_uid], &results)
}

pub(crate) fn close_stdin() -> &'static str {
    method::<CloseStdin>(
        &targets().map(|process| CloseStdinParams { process }),
        &[
            CloseStdinResult { closed: true },
            CloseStdinResult { closed: false },
        ],
    )
}

pub(crate) fn resize() -> &'static str {
    let size = Size::new(1, 10_000).unwrap();
    method::<Resize>(
        &targets().map(|process| ResizeParams { process, size }),
        &[Empty {}],
    )
}

pub(crate) fn signal() -> &'static str {
    let by_name = [
        SignalName::Interrupt,
        SignalName::Terminate,
        SignalName::Kill,
        SignalName::Hangup,
        SignalName::Quit,
        SignalName::Stop,
        SignalName::Continue,
        SignalName::User1,
        SignalName::User2,
        SignalName::WindowChange,
    ]
    .map(|signal| SignalParams {
        process: process().into(),
        signal,
    });
    let by_uid = SignalParams {
        process: uid().into(),
        signal: SignalName::Interrupt,
    };
    let params: Vec<_> = by_name.into_iter().chain([by_uid]).collect();
    method::<Signal>(
        &params,
        &[
            SignalResult { delivered: true },
            SignalResult { delivered: false },
        ],
    )
}

pub(crate) fn terminate() -> &'static str {
    let params = |process, grace_ms| TerminateParams { process, grace_ms };
    let name = || Target::Name(process());
    let params = [
        params(name(), None),
        params(name(), Some(0)),
        params(name(), Some(2_500)),
        params(uid().into(), Some(0)),
    ];
    let result = |running, end_reason| TerminateResult { running, end_reason };
    method::<Terminate>(
        &params,
        &[
            result(true, None),
            result(false, None),
            result(false, Some(EndReason::Timeout)),
        ],
    )
}

pub(crate) fn forget() -> &'static str {
    method::<Forget>(
        &targets().map(|process| ForgetParams { process }),
        &[
            ForgetResult { forgotten: true },
            ForgetResult { forgotten: false },
        ],
    )
}
