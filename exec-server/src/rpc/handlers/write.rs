//! `process/write`

use exec_protocol::RpcError;
use exec_protocol::process::{WriteParams, WriteResult, WriteStatus};

use super::{Caller, error};
use crate::process::Phase;

/// The bytes are queued in the first poll, so writes keep their order of arrival; only the answer
/// waits, for a start that is under way.
pub(super) async fn write(caller: Caller, params: WriteParams) -> Result<WriteResult, RpcError> {
    let WriteParams {
        process_id,
        chunk,
        write_id,
        eof,
    } = params;
    let Some(process) = caller.session.process(&process_id) else {
        return Ok(WriteResult {
            status: WriteStatus::UnknownProcess,
        });
    };
    let taken = process.write(write_id, &chunk.0, eof);
    if process.started().await == Phase::Gone {
        return Ok(WriteResult {
            status: WriteStatus::UnknownProcess,
        });
    }
    let status = match taken {
        Ok(()) => WriteStatus::Accepted,
        Err(refusal) => match error::stdin(refusal) {
            Some(error) => return Err(error),
            None => WriteStatus::StdinClosed,
        },
    };
    Ok(WriteResult { status })
}
