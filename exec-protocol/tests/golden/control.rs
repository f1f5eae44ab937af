//! What is done to a process.

use exec_protocol::process::{
    CloseStdin, CloseStdinParams, CloseStdinResult, EndReason, Forget, ForgetParams, ForgetResult, Resize,
    ResizeParams, Signal, SignalName, SignalParams, SignalResult, Size, Terminate, TerminateParams,
    TerminateResult, Write, WriteParams, WriteResult, WriteStatus,
};
use exec_protocol::{Blob, Empty, WriteId};

use crate::file::method;
use crate::process;

pub(crate) fn write() -> &'static str {
    let bytes = WriteParams {
        process_id: process(),
        chunk: Blob::from(&b"\x00\xff\n"[..]),
        write_id: None,
        eof: false,
        offset: None,
    };
    let end = WriteParams {
        process_id: process(),
        chunk: Blob::default(),
        write_id: Some(WriteId::new("w1").unwrap()),
        eof: true,
        offset: None,
    };
    let positioned = WriteParams {
        offset: Some(0),
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
    method::<Write>(&[bytes, end, positioned], &results)
}

pub(crate) fn close_stdin() -> &'static str {
    method::<CloseStdin>(
        &[CloseStdinParams {
            process_id: process(),
        }],
        &[
            CloseStdinResult { closed: true },
            CloseStdinResult { closed: false },
        ],
    )
}

pub(crate) fn resize() -> &'static str {
    let size = Size::new(1, 10_000).unwrap();
    method::<Resize>(
        &[ResizeParams {
            process_id: process(),
            size,
        }],
        &[Empty {}],
    )
}

pub(crate) fn signal() -> &'static str {
    let params = [
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
        process_id: process(),
        signal,
    });
    method::<Signal>(
        &params,
        &[
            SignalResult { delivered: true },
            SignalResult { delivered: false },
        ],
    )
}

pub(crate) fn terminate() -> &'static str {
    let params = [None, Some(0), Some(2_500)].map(|grace_ms| TerminateParams {
        process_id: process(),
        grace_ms,
    });
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
        &[ForgetParams {
            process_id: process(),
        }],
        &[
            ForgetResult { forgotten: true },
            ForgetResult { forgotten: false },
        ],
    )
}
