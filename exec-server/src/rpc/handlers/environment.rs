//! `environment/info`

use exec_protocol::environment::EnvironmentInfo;
use exec_protocol::{Empty, RpcError};

use super::Caller;

pub(super) async fn info(caller: Caller, _params: Empty) -> Result<EnvironmentInfo, RpcError> {
    Ok(caller.server.environment_info().clone())
}
