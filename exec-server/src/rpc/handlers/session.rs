//! `session/close`

use exec_protocol::{Empty, RpcError};

use super::Caller;
use crate::process::Stop;

/// The session is over in the first poll, even if the client hangs up before the answer.
pub(super) async fn close(caller: Caller, _params: Empty) -> Result<Empty, RpcError> {
    let stop = Stop::with_session(caller.server.config().terminate_grace);
    caller.session.end(&stop);
    caller.session.ended().await;
    Ok(Empty {})
}
