//! `session/close`

use exec_protocol::{Empty, RpcError};

use tokio::time::timeout;

use super::Caller;
use crate::limits::KILLED_DRAIN;
use crate::process::Stop;

/// The session is over in the first poll, even if the client hangs up before the answer.
pub(super) async fn close(caller: Caller, _params: Empty) -> Result<Empty, RpcError> {
    let grace = caller.server.config().terminate_grace;
    caller.session.end(&Stop::with_session(grace));
    // Who cannot be killed is not waited for.
    let settled = async {
        caller.session.ended().await;
        caller.session.files().settled().await;
    };
    if timeout(grace + 2 * KILLED_DRAIN, settled).await.is_err() {
        tracing::warn!("a process, or work on a file, outlives its session");
    }
    Ok(Empty {})
}
