//! `environment/info` and `environment/status`

use exec_protocol::environment::{EnvironmentInfo, EnvironmentStatus, Readiness};
use exec_protocol::{Empty, RpcError};

use super::Caller;

pub(super) async fn info(caller: Caller, _params: Empty) -> Result<EnvironmentInfo, RpcError> {
    Ok(caller.server.environment_info().clone())
}

pub(super) async fn status(_caller: Caller, _params: Empty) -> Result<EnvironmentStatus, RpcError> {
    Ok(EnvironmentStatus {
        status: Readiness::Ready,
    })
}
