//! `process/start`

use exec_protocol::RpcError;
use exec_protocol::process::{StartParams, StartResult};

use super::Caller;

/// What a process without a sandbox runs in.
const NO_SANDBOX: &str = "none";

/// The process is the session's from the first poll on: it starts even if nobody waits for the
/// answer any more.
pub(super) async fn start(caller: Caller, params: StartParams) -> Result<StartResult, RpcError> {
    let process_id = params.process_id.clone();
    caller.server.start(&caller.session, params).await?;
    Ok(StartResult {
        process_id,
        sandbox_type: NO_SANDBOX.to_owned(),
    })
}
