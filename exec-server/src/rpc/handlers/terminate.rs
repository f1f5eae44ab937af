//! `process/terminate`

use exec_protocol::RpcError;
use exec_protocol::process::{EndReason, TerminateParams, TerminateResult};

use super::Caller;
use crate::process::{Phase, Stop, time};
use crate::session::Entry;

/// The wish is left with the process in the first poll: it is carried out even if the client hangs
/// up before the answer.
pub(super) async fn terminate(caller: Caller, params: TerminateParams) -> Result<TerminateResult, RpcError> {
    let process = match caller.find(&params.process) {
        Some(Entry::Process(process)) => process,
        Some(Entry::Expired(tombstone)) => return Ok(gone(tombstone.record.end_reason)),
        None => return Ok(gone(None)),
    };
    let exit = process.log().exit();
    process.stop(&Stop::by_client(caller.client, params.grace_ms.map(time)));
    let phase = process.started().await;
    Ok(TerminateResult {
        running: exit.is_none() && phase != Phase::Gone,
        end_reason: exit.map(|exit| exit.reason),
    })
}

fn gone(end_reason: Option<EndReason>) -> TerminateResult {
    TerminateResult {
        running: false,
        end_reason,
    }
}
