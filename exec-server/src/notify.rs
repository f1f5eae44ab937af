//! From what happens to a process to the notifications a client gets.

use exec_protocol::envelope::{self, Output};
use exec_protocol::process::{ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, GapNotice, GapParams};
use exec_protocol::{Notice, ProcessId};

use crate::output::{Entry, Event};
use crate::rpc::Batch;

/// JSON around the process's name and the payload of a notification, in bytes, rounded up.
const NOTICE_JSON_BYTES: usize = 200;

/// What the end of a process adds to its notification, in bytes, unless its client has an unusual name.
const END_JSON_BYTES: usize = 500;

/// A process's id, escaped once instead of once per notification.
#[derive(Debug)]
pub(crate) struct ProcessName {
    id: ProcessId,
    json: String,
}

impl ProcessName {
    pub(crate) fn new(id: &ProcessId) -> Self {
        let json = serde_json::to_string(id).expect("a string is always JSON");
        Self { id: id.clone(), json }
    }
}

/// How long the notification for an event is at most, in bytes.
pub(crate) fn length(name: &ProcessName, event: &Event<'_>) -> usize {
    let payload = match event {
        Event::Output(entry) => entry.bytes.len().div_ceil(3) * 4,
        Event::Gap(_) => 0,
        Event::Exited(_) => END_JSON_BYTES,
        Event::Closed(closed) => {
            let held_by = closed.facts.held_by.iter();
            END_JSON_BYTES + held_by.map(|holder| holder.command.len() + 40).sum::<usize>()
        }
    };
    payload + name.json.len() + NOTICE_JSON_BYTES
}

/// Appends the notification for one event.
pub(crate) fn write(batch: &mut Batch, name: &ProcessName, event: Event<'_>) {
    let style = batch.style();
    let process_id = || name.id.clone();
    batch.push(|out| match event {
        Event::Output(Entry {
            seq, stream, bytes, ..
        }) => {
            let output = Output {
                process_id_json: &name.json,
                seq,
                stream,
                bytes,
            };
            envelope::write_output(out, style, output);
        }
        Event::Gap(gap) => {
            let params = GapParams {
                process_id: process_id(),
                gap,
            };
            envelope::write_notice(out, style, GapNotice::NAME, &params);
        }
        Event::Exited(exit) => {
            let params = ExitedParams {
                process_id: process_id(),
                seq: exit.seq,
                exit_code: exit.status.code,
                sandbox_denied: false,
                signal: exit.status.signal.clone(),
                end_reason: Some(exit.status.reason),
                ended_by: exit.status.asked_by.as_deref().map(str::to_owned),
                exited_at_ms: Some(exit.status.at_ms),
            };
            envelope::write_notice(out, style, ExitedNotice::NAME, &params);
        }
        Event::Closed(closed) => {
            let facts = &closed.facts;
            let params = ClosedParams {
                process_id: process_id(),
                seq: closed.seq,
                closed_at_ms: Some(facts.at_ms),
                bytes: Some(closed.bytes),
                cpu: facts.cpu,
                max_rss_bytes: facts.max_rss_bytes,
                incomplete: facts.incomplete,
                held_by: facts.held_by.clone(),
            };
            envelope::write_notice(out, style, ClosedNotice::NAME, &params);
        }
    });
}
