//! What a client is told of a process.

use bytes::Bytes;
use exec_protocol::process::{ClosedParams, ExitedParams, Gap, GapParams, OutputParams, Stream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::log::shown;

/// An event that was told, and the numbers that it accounts for.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) what: What,
}

/// What an event says.
#[derive(Debug)]
pub(super) enum What {
    Output(Stream, Bytes),
    Gap(Gap),
    Exited(Exit),
    Closed,
}

/// How a process has exited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) code: i32,
    pub(super) reason: String,
}

impl Told {
    /// Of a notification.
    pub(super) fn new(method: &str, params: &Value) -> Self {
        let (first, last, what) = match method {
            "process/output" => {
                let output: OutputParams = parse(params);
                assert!(!output.chunk.0.is_empty(), "output of nothing");
                let seq = output.seq.0;
                (seq, seq, What::Output(output.stream, output.chunk.0))
            }
            "process/gap" => {
                let GapParams { gap, .. } = parse(params);
                (gap.from_seq.0, gap.to_seq.0, What::Gap(gap))
            }
            "process/exited" => {
                let exited: ExitedParams = parse(params);
                let exit = Exit::new(exited.exit_code, &params["endReason"]);
                (exited.seq.0, exited.seq.0, What::Exited(exit))
            }
            "process/closed" => {
                let closed: ClosedParams = parse(params);
                (closed.seq.0, closed.seq.0, What::Closed)
            }
            other => panic!("{other} is no notification of a process"),
        };
        Self { first, last, what }
    }
}

impl Exit {
    pub(super) fn new(code: i32, reason: &Value) -> Self {
        Self {
            code,
            reason: reason.as_str().expect("an exit has a reason").to_owned(),
        }
    }
}

/// A message, or a part of one, as what it should be.
pub(super) fn parse<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error} in {}", shown(value)))
}
