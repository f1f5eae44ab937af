//! `process/write`

use exec_protocol::RpcError;
use exec_protocol::process::{WriteParams, WriteResult, WriteStatus};

use super::{Caller, error};
use crate::process::{Accepted, Phase};

/// The bytes are queued in the first poll, so writes keep their order of arrival; only the answer
/// waits, for a start that is under way.
pub(super) async fn write(caller: Caller, params: WriteParams) -> Result<WriteResult, RpcError> {
    let WriteParams {
        process,
        chunk,
        write_id,
        eof,
        offset,
    } = params;
    let Some(process) = caller.living(&process) else {
        return Ok(refused(WriteStatus::UnknownProcess));
    };
    let taken = match offset {
        Some(offset) => process.write_at(write_id, offset, &chunk.0, eof),
        None => process.write(write_id, &chunk.0, eof).map(|()| Accepted {
            bytes: chunk.0.len(),
            is_all: true,
        }),
    };
    if process.started().await == Phase::Gone {
        return Ok(refused(WriteStatus::UnknownProcess));
    }
    match taken {
        Ok(Accepted { bytes, is_all }) => Ok(WriteResult {
            status: if is_all {
                WriteStatus::Accepted
            } else {
                WriteStatus::Full
            },
            accepted_bytes: Some(bytes as u64),
        }),
        Err(refusal) => match error::stdin(refusal) {
            Some(error) => Err(error),
            None => Ok(refused(WriteStatus::StdinClosed)),
        },
    }
}

fn refused(status: WriteStatus) -> WriteResult {
    WriteResult {
        status,
        accepted_bytes: None,
    }
}
