//! What a process says, and what is said of it.

use exec_protocol::process::{
    Ack, AckParams, Chunk, ClosedNotice, ClosedParams, EndReason, ExitedNotice, ExitedParams, Gap, GapNotice,
    GapParams, Holder, OutputNotice, OutputParams, Read, ReadParams, ReadResult, Stream, StreamBytes, Usage,
};
use exec_protocol::{Blob, Seq};

use crate::file::{method, notice};
use crate::{process, targets, uid};

pub(crate) fn read() -> &'static str {
    let from_the_start = ReadParams {
        after_seq: None,
        ..ReadParams::after_seq(process(), Seq::ZERO)
    };
    let largest = ReadParams {
        max_bytes: Some(0),
        wait_ms: 60_000,
        ..ReadParams::after_seq(process(), Seq(u64::MAX))
    };
    let exact = ReadParams {
        after_offset: Some(70_000),
        max_bytes: Some(1),
        peek: true,
        ..ReadParams::after_seq(process(), Seq(2))
    };
    let by_uid = ReadParams::after_seq(uid(), Seq(2));
    let nothing_yet = ReadResult {
        chunks: Vec::new(),
        next_seq: Seq(1),
        exited: false,
        exit_code: None,
        closed: false,
        failure: None,
        sandbox_denied: false,
        next_offset: None,
        first_seq: None,
        first_offset: None,
        end_offset: None,
        gap: None,
        signal: None,
        end_reason: None,
        incomplete: false,
    };
    let chunk = |seq, stream, bytes: &'static [u8]| Chunk {
        seq: Seq(seq),
        stream,
        offset: None,
        chunk: Blob::from(bytes),
    };
    let ended = ReadResult {
        chunks: vec![
            chunk(3, Stream::Stdout, b"\x00\xff\n"),
            chunk(4, Stream::Stderr, b"a"),
            chunk(5, Stream::Pty, b""),
        ],
        next_seq: Seq(8),
        exited: true,
        exit_code: Some(143),
        closed: true,
        ..nothing_yet.clone()
    };
    let torn = ReadResult {
        chunks: vec![Chunk {
            offset: Some(70_000),
            ..chunk(4, Stream::Stdout, b"a")
        }],
        next_seq: Seq(4),
        next_offset: Some(70_001),
        first_seq: Some(Seq(4)),
        first_offset: Some(65_536),
        end_offset: Some(131_072),
        gap: Some(Gap::new(Seq(3), Seq(3), 1_000, 65_536)),
        ..nothing_yet.clone()
    };
    let given_up = ReadResult {
        signal: Some("SIGKILL".into()),
        end_reason: Some(EndReason::IdleTimeout),
        incomplete: true,
        ..ended.clone()
    };
    method::<Read>(
        &[from_the_start, largest, exact, by_uid],
        &[nothing_yet, ended, torn, given_up],
    )
}

pub(crate) fn output() -> &'static str {
    let params = |seq, stream, bytes: &'static [u8]| OutputParams {
        process_id: process(),
        seq: Seq(seq),
        stream,
        chunk: Blob::from(bytes),
    };
    notice::<OutputNotice>(&[
        params(1, Stream::Stdout, b"\x00\xff\n"),
        params(2, Stream::Stderr, b"a"),
        params(3, Stream::Pty, b"ab"),
    ])
}

pub(crate) fn ack() -> &'static str {
    notice::<Ack>(&targets().map(|process| AckParams { process, seq: Seq(4) }))
}

pub(crate) fn gap() -> &'static str {
    notice::<GapNotice>(&[GapParams {
        process_id: process(),
        gap: Gap::new(Seq(2), Seq(9), 10, 131_072),
    }])
}

pub(crate) fn exited() -> &'static str {
    let core_only = |exit_code, sandbox_denied| ExitedParams {
        process_id: process(),
        seq: Seq(4),
        exit_code,
        sandbox_denied,
        signal: None,
        end_reason: None,
        ended_by: None,
        exited_at_ms: None,
    };
    let ended = |end_reason| ExitedParams {
        end_reason: Some(end_reason),
        ..core_only(0, false)
    };
    let killed = ExitedParams {
        signal: Some("SIGKILL".into()),
        ended_by: Some("golden \"1\"".into()),
        exited_at_ms: Some(1_763_700_000_250),
        exit_code: 137,
        ..ended(EndReason::Terminated)
    };
    notice::<ExitedNotice>(&[
        core_only(0, false),
        core_only(143, true),
        killed,
        ended(EndReason::Exited),
        ended(EndReason::Signaled),
        ended(EndReason::Oom),
        ended(EndReason::Timeout),
        ended(EndReason::IdleTimeout),
        ended(EndReason::Disconnected),
        ended(EndReason::ServerShutdown),
        // The set is open: its other lines are reasons that nobody has thought of yet.
        ended(EndReason::Other),
    ])
}

pub(crate) fn closed() -> &'static str {
    let full = ClosedParams {
        closed_at_ms: Some(1_763_700_000_500),
        bytes: Some(StreamBytes {
            stdout: 1 << 40,
            stderr: 7,
            pty: 0,
        }),
        cpu: Some(Usage {
            user_ms: 120,
            system_ms: 30,
        }),
        max_rss_bytes: Some(4_096),
        incomplete: true,
        held_by: vec![Holder {
            pid: 4_711,
            command: "sleep 60".into(),
        }],
        ..closed_core_only()
    };
    notice::<ClosedNotice>(&[closed_core_only(), full])
}

/// What a server says that knows the core only.
pub(crate) fn closed_core_only() -> ClosedParams {
    ClosedParams {
        process_id: process(),
        seq: Seq(5),
        closed_at_ms: None,
        bytes: None,
        cpu: None,
        max_rss_bytes: None,
        incomplete: false,
        held_by: Vec::new(),
    }
}
