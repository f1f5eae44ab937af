//! `process/resize`

use exec_protocol::process::ResizeParams;
use exec_protocol::{Empty, RpcError};

use super::{Caller, error};
use crate::process::{Phase, terminal_size};

pub(super) async fn resize(caller: Caller, params: ResizeParams) -> Result<Empty, RpcError> {
    let process = caller.process(&params.process)?;
    if process.started().await == Phase::Gone {
        return Err(error::unknown_process());
    }
    process.resize(terminal_size(params.size))?;
    Ok(Empty {})
}
