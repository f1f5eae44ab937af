//! `process/get`

use exec_protocol::RpcError;
use exec_protocol::process::{GetParams, ProcessRecord};

use super::{Caller, error};

pub(super) async fn get(caller: Caller, params: GetParams) -> Result<ProcessRecord, RpcError> {
    let process = caller.process(&params.process_id)?;
    process.record().await.ok_or_else(error::unknown_process)
}
