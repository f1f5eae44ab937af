//! `process/terminate`

use exec_protocol::RpcError;
use exec_protocol::process::{TerminateParams, TerminateResult};

use super::Caller;
use crate::process::Phase;

/// The wish is left with the process in the first poll: it is carried out even if the client hangs
/// up before the answer.
pub(super) async fn terminate(caller: Caller, params: TerminateParams) -> Result<TerminateResult, RpcError> {
    let Some(process) = caller.session.process(&params.process_id) else {
        return Ok(TerminateResult { running: false });
    };
    let has_exited = process.log().exit_code().is_some();
    process.terminate(caller.server.config().terminate_grace);
    let phase = process.started().await;
    Ok(TerminateResult {
        running: !has_exited && phase != Phase::Gone,
    })
}
