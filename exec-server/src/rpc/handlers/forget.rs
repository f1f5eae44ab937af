//! `process/forget`

use exec_protocol::RpcError;
use exec_protocol::process::{ForgetParams, ForgetResult};

use super::Caller;

/// The id is free when this is answered.
pub(super) async fn forget(caller: Caller, params: ForgetParams) -> Result<ForgetResult, RpcError> {
    let process = caller
        .living(&params.process)
        .filter(|process| process.is_closed());
    let Some(process) = process else {
        return Ok(ForgetResult { forgotten: false });
    };
    let of_session = caller.session.remove(&process);
    let of_server = caller.server.kept().remove(&process);
    process.forget();
    Ok(ForgetResult {
        forgotten: of_session || of_server,
    })
}
