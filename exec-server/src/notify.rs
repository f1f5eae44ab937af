//! From the entries of a ring to the notifications a client gets.

use exec_protocol::envelope::{self, Output};
use exec_protocol::process::{ClosedNotice, ClosedParams, ExitedNotice, ExitedParams};
use exec_protocol::{Notice, ProcessId};

use crate::output::{Entry, Kind};
use crate::rpc::Batch;

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

/// Appends the notification for one entry.
pub(crate) fn write(batch: &mut Batch, name: &ProcessName, entry: Entry<'_>, exit_code: Option<i32>) {
    let style = batch.style();
    let Entry { seq, kind, bytes } = entry;
    batch.push(|out| match kind {
        Kind::Output(stream) => {
            let output = Output {
                process_id_json: &name.json,
                seq,
                stream,
                bytes,
            };
            envelope::write_output(out, style, output);
        }
        Kind::Exited => {
            let params = ExitedParams {
                process_id: name.id.clone(),
                seq,
                exit_code: exit_code.expect("the code is set with the mark"),
                sandbox_denied: false,
            };
            envelope::write_notice(out, style, ExitedNotice::NAME, &params);
        }
        Kind::Closed => {
            let params = ClosedParams {
                process_id: name.id.clone(),
                seq,
            };
            envelope::write_notice(out, style, ClosedNotice::NAME, &params);
        }
    });
}
