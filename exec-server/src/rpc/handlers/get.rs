//! `process/get`

use exec_protocol::RpcError;
use exec_protocol::process::{GetParams, ProcessRecord, ProcessState};

use super::{Caller, error};

pub(super) async fn get(caller: Caller, params: GetParams) -> Result<ProcessRecord, RpcError> {
    let process = caller.process(&params.process)?;
    let record = process.record().await.ok_or_else(error::unknown_process)?;
    if caller.session.has(&process) && record.state == ProcessState::Closed {
        process.log().tell_close();
    }
    Ok(record)
}
