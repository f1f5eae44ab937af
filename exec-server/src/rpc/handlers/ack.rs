//! `process/ack`

use exec_protocol::parse_params;
use exec_protocol::process::AckParams;

use super::Caller;

/// Nobody waits for an answer, so one that makes no sense is only logged.
pub(crate) fn ack(caller: &Caller, params: Option<&str>) {
    match parse_params::<AckParams>(params) {
        Ok(params) => {
            // Only the client that a process belongs to can say what it has.
            let living = caller.living(&params.process);
            if let Some(process) = living.filter(|process| caller.session.has(process)) {
                process.log().ack(params.seq);
            }
        }
        // Its message may quote whatever was sent.
        Err(error) => tracing::debug!(
            kind = error.kind.as_str(),
            field = error.field,
            "an acknowledgement makes no sense"
        ),
    }
}
