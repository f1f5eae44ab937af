//! Sorting what the server says.

use bytes::Bytes;
use exec_protocol::envelope::{EnvelopeError, Incoming, Message, parse};
use exec_protocol::process::{
    ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, GapNotice, GapParams, OutputNotice, OutputParams,
};
use exec_protocol::{Notice as _, ProcessId, parse_params};
use tokio::sync::mpsc;

use crate::acknowledge::discarded;
use crate::driver::Shared;
use crate::event::{CloseDetails, ExitDetails, Notice, What};
use crate::pending::{Pending, Refusal};
use crate::routes::Arrival;

/// An event, and the queue it belongs into.
pub(crate) type Delivery = (mpsc::Sender<Arrival>, Notice);

/// Hands an answer to whoever waits for it, and returns an event for the caller to deliver.
///
/// What is neither (a request, a notification we do not know, an event of a process nobody listens
/// to) is ignored.
pub(crate) fn sort(message: &Bytes, shared: &Shared) -> Option<Delivery> {
    let Shared {
        pending,
        routes,
        acks,
        ..
    } = shared;
    match parse(message) {
        Ok(Incoming::Single(Message::Notification { method, params, .. })) => {
            let (process_id, notice) = event(&method, params)?;
            let queue = routes.queue(&process_id);
            if queue.is_none()
                && acks.are_wanted()
                && let Some(seq) = discarded(&notice)
            {
                acks.put(&process_id, seq);
            }
            Some((queue?, notice))
        }
        Ok(Incoming::Single(Message::Response { id, outcome, .. })) => {
            let result = outcome.map(|text| message.slice_ref(text.as_bytes()));
            // All our ids are numbers.
            if let Some(id) = id.and_then(|id| id.as_json().parse().ok()) {
                pending.answer(id, result.map_err(Refusal::Rpc));
            } else {
                tracing::debug!("the server answered a request that was not ours");
            }
            None
        }
        Ok(Incoming::Single(Message::Request { .. }) | Incoming::Batch(_)) => None,
        Err(error) => {
            refuse(error, pending);
            None
        }
    }
}

fn event(method: &str, params: Option<&str>) -> Option<(ProcessId, Notice)> {
    let event = match method {
        OutputNotice::NAME => parse_params(params).map(|output: OutputParams| {
            let what = What::Output {
                stream: output.stream,
                bytes: output.chunk.0,
            };
            (
                output.process_id,
                Notice {
                    seq: output.seq,
                    what,
                },
            )
        }),
        ExitedNotice::NAME => parse_params(params).map(exited),
        ClosedNotice::NAME => parse_params(params).map(closed),
        GapNotice::NAME => parse_params(params).map(|GapParams { process_id, gap }| {
            let seq = gap.from_seq;
            let what = What::Gap(gap);
            (process_id, Notice { seq, what })
        }),
        _ => return None,
    };
    // The stream of events will notice the hole and read what belongs there.
    event
        .inspect_err(|error| {
            let kind = error.kind.as_str();
            // Its message may quote what the process said.
            tracing::debug!(
                method,
                kind,
                field = error.field,
                "the server told a malformed event"
            );
        })
        .ok()
}

fn exited(exited: ExitedParams) -> (ProcessId, Notice) {
    let details = ExitDetails {
        signal: exited.signal,
        end_reason: exited.end_reason,
        ended_by: exited.ended_by,
        exited_at_ms: exited.exited_at_ms,
    };
    let what = What::Exited {
        exit_code: exited.exit_code,
        details: Box::new(details),
    };
    (
        exited.process_id,
        Notice {
            seq: exited.seq,
            what,
        },
    )
}

fn closed(closed: ClosedParams) -> (ProcessId, Notice) {
    let details = CloseDetails {
        closed_at_ms: closed.closed_at_ms,
        bytes: closed.bytes,
        cpu: closed.cpu,
        max_rss_bytes: closed.max_rss_bytes,
        incomplete: closed.incomplete,
        held_by: closed.held_by,
    };
    let what = What::Closed {
        details: Box::new(details),
    };
    (
        closed.process_id,
        Notice {
            seq: closed.seq,
            what,
        },
    )
}

#[cold]
fn refuse(error: EnvelopeError, pending: &Pending) {
    tracing::debug!(%error, "the server sent a malformed message");
    if let Some(id) = error.id.as_ref().and_then(|id| id.as_json().parse().ok()) {
        pending.answer(id, Err(Refusal::Malformed(error)));
    }
}
