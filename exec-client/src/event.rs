//! What happens to a process.

use bytes::Bytes;
use exec_protocol::Seq;
use exec_protocol::process::{Gap, Stream};

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
    },
    /// No output will follow. The last one.
    Closed {
        /// The event's number.
        seq: Seq,
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

/// An event as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its number; of a gap the first.
    pub(crate) seq: Seq,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Output { stream: Stream, bytes: Bytes },
    Exited { exit_code: i32 },
    Closed,
    Gap(Gap),
}
