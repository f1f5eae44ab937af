//! `process/read`

use std::time::Duration;

use exec_protocol::process::{DEFAULT_MAX_BYTES, ReadParams};
use exec_protocol::{RpcError, parse_params};

use super::{Caller, error};
use crate::limits::{MAX_READ_BYTES, MAX_READ_WAIT};
use crate::output::{ReadError, ReadRequest};
use crate::process::Phase;

/// Appends the result to `out`. Not in the table: output is encoded once, into the message that goes out.
pub(crate) async fn read(caller: Caller, params: Option<&str>, out: &mut Vec<u8>) -> Result<(), RpcError> {
    let params: ReadParams = parse_params(params)?;
    let process = caller.process(&params.process)?;
    if process.started().await == Phase::Gone {
        return Err(error::unknown_process());
    }
    let is_own = caller.session.has(&process);
    let max_bytes = params.max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
    let request = ReadRequest {
        after_seq: params.after_seq,
        after_offset: params.after_offset,
        max_bytes: usize::try_from(max_bytes)
            .unwrap_or(usize::MAX)
            .min(MAX_READ_BYTES),
        wait: Duration::from_millis(params.wait_ms).min(MAX_READ_WAIT),
        // Who reads another session's process does not speak for the client that it belongs to.
        is_peek: params.peek || !is_own,
        is_own,
    };
    match process.log().read(request, out).await {
        // It was given up while it was waited for.
        Err(ReadError::Released) => Err(match (caller.process(&params.process), process.last_record()) {
            (Err(error), _) => error,
            (Ok(_), Some(record)) => error::expired_process(record),
            (Ok(_), None) => error::unknown_process(),
        }),
        outcome => Ok(outcome?),
    }
}
