//! `process/read`

use std::time::Duration;

use exec_protocol::RpcError;
use exec_protocol::process::{DEFAULT_MAX_BYTES, ReadParams, ReadResult};

use super::{Caller, error};
use crate::limits::{MAX_READ_BYTES, MAX_READ_WAIT};
use crate::output::ReadRequest;
use crate::process::Phase;

pub(super) async fn read(caller: Caller, params: ReadParams) -> Result<ReadResult, RpcError> {
    let process = caller.process(&params.process_id)?;
    if process.started().await == Phase::Gone {
        return Err(error::unknown_process());
    }
    let max_bytes = params.max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
    let request = ReadRequest {
        after: params.after_seq,
        max_bytes: usize::try_from(max_bytes)
            .unwrap_or(usize::MAX)
            .min(MAX_READ_BYTES),
        wait: Duration::from_millis(params.wait_ms).min(MAX_READ_WAIT),
    };
    Ok(process.log().read(request).await?)
}
