//! `process/start`

use exec_protocol::RpcError;
use exec_protocol::process::{StartParams, StartResult};

use super::Caller;

/// The process is the session's from the first poll on: it starts even if nobody waits for the
/// answer any more.
pub(super) async fn start(caller: Caller, params: StartParams) -> Result<StartResult, RpcError> {
    let started = caller.server.start(&caller.session, params).await;
    started.inspect_err(|error| caller.server.stats().failed.add(error))
}
