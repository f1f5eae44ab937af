//! What happens to a process.

use bytes::Bytes;
use exec_protocol::Seq;
use exec_protocol::process::{EndReason, Gap, Holder, Stream, StreamBytes, Usage};

/// What happened to a process, in the order of `seq`: one counter from 1, without a gap but the ones
/// told as [`Event::Gap`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It wrote something.
    Output {
        /// The event's number.
        seq: Seq,
        /// Where it wrote to.
        stream: Stream,
        /// The raw bytes.
        bytes: Bytes,
    },
    /// Its leader ended. Output of what it left behind may follow.
    Exited {
        /// The event's number.
        seq: Seq,
        /// The code, or 128+n for signal n.
        exit_code: i32,
        /// What else is known of it.
        details: Box<ExitDetails>,
    },
    /// No output will follow. The last one.
    Closed {
        /// The event's number.
        seq: Seq,
        /// What it comes to.
        details: Box<CloseDetails>,
    },
    /// The server dropped these before we had them; they are lost.
    ///
    /// A read tells the exit code without its number. If the exit lies somewhere in the gap, so that
    /// its number cannot be told, [`Event::Exited`] follows with the number `to_seq`.
    Gap {
        /// The first that is lost.
        from_seq: Seq,
        /// The last that is lost.
        to_seq: Seq,
        /// How many bytes of output are lost. None if the server does not tell.
        bytes: Option<u64>,
    },
    /// Nothing more can be learned: the connection is gone and was not resumed, or the server does
    /// not know the process any more. The last one.
    Disconnected,
}

/// How a process ended, as far as the server tells it.
///
/// A server with the capability `records` tells all of it, as far as there is any. If the exit was read
/// again because its notification was missed, only the signal and the reason are known;
/// [`ProcessControl::record`](crate::ProcessControl::record) has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExitDetails {
    /// The signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The name of the client that asked for its end, if one did.
    pub ended_by: Option<String>,
    /// When it ended, in Unix milliseconds.
    pub exited_at_ms: Option<u64>,
}

/// What a process comes to, as far as the server tells it.
///
/// A server with the capability `records` tells all of it, as far as the system tells. If the close was
/// read again because its notification was missed, only `incomplete` is known;
/// [`ProcessControl::record`](crate::ProcessControl::record) has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloseDetails {
    /// When it closed, in Unix milliseconds.
    pub closed_at_ms: Option<u64>,
    /// How much it has written.
    pub bytes: Option<StreamBytes>,
    /// How long it has computed, with its descendants.
    pub cpu: Option<Usage>,
    /// The most memory it had at a time, in bytes.
    pub max_rss_bytes: Option<u64>,
    /// Whether its output was given up before its end, as the `drainGraceMs` of its start were over.
    pub incomplete: bool,
    /// Who held the output then, as far as it could be found out.
    pub held_by: Vec<Holder>,
}

/// An event as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its number; of a gap the first.
    pub(crate) seq: Seq,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Output {
        stream: Stream,
        bytes: Bytes,
    },
    Exited {
        exit_code: i32,
        details: Box<ExitDetails>,
    },
    Closed {
        details: Box<CloseDetails>,
    },
    Gap(Gap),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event is moved several times on its way, and nearly all of them are output.
    #[test]
    fn the_rare_events_make_output_no_larger() {
        let output = size_of::<(Seq, Stream, Bytes)>();
        assert_eq!([size_of::<Event>(), size_of::<What>()], [output; 2]);
    }
}
