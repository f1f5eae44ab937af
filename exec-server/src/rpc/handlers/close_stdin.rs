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
    let process = caller.process(&params.process_id)?;
    let is_queued = process.end_stdin();
    match process.started().await {
        Phase::Starting | Phase::Open => Ok(CloseStdinResult {
            closed: is_queued && process.heeds_end_of_file(),
        }),
        Phase::Closed => Ok(CloseStdinResult { closed: is_queued }),
        Phase::Gone => Err(error::unknown_process()),
    }
}
