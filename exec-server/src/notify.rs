//! From what happens to a process to the notifications a client gets.

use exec_protocol::envelope::{self, Output};
use exec_protocol::process::{ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, GapNotice, GapParams};
use exec_protocol::{Notice, ProcessId};

use crate::output::{Entry, Event};
use crate::rpc::Batch;

/// JSON around the process's name and the payload of a notification, in bytes, rounded up.
const NOTICE_JSON_BYTES: usize = 200;

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
        Event::Gap(_) | Event::Exited(_) | Event::Closed(_) => 0,
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
                exit_code: exit.code,
                sandbox_denied: false,
            };
            envelope::write_notice(out, style, ExitedNotice::NAME, &params);
        }
        Event::Closed(seq) => {
            let params = ClosedParams {
                process_id: process_id(),
                seq,
            };
            envelope::write_notice(out, style, ClosedNotice::NAME, &params);
        }
    });
}
