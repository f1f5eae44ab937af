//! `process/closeStdin`

use exec_protocol::RpcError;
use exec_protocol::process::{CloseStdinParams, CloseStdinResult};

use super::{Caller, error};
use crate::process::Phase;

/// The end of file is queued in the first poll, behind what was written before it.
pub(super) async fn close_stdin(
    caller: Caller,
    params: CloseStdinParams,
) -> Result<CloseStdinResult, RpcError> {
    let process = caller.process(&params.process)?;
    let ended = process.end_stdin();
    if process.started().await == Phase::Gone {
        return Err(error::unknown_process());
    }
    match ended {
        Ok(closed) => Ok(CloseStdinResult { closed }),
        Err(refusal) => match error::stdin(refusal) {
            Some(error) => Err(error),
            None => Ok(CloseStdinResult { closed: true }),
        },
    }
}
