//! `server/info` and `server/stats`

use exec_protocol::server::{InfoResult, StatsResult};
use exec_protocol::{Empty, RpcError};

use super::Caller;
use crate::stats;

pub(super) async fn info(caller: Caller, _params: Empty) -> Result<InfoResult, RpcError> {
    Ok(stats::info(&caller.server))
}

pub(super) async fn stats(caller: Caller, _params: Empty) -> Result<StatsResult, RpcError> {
    Ok(stats::stats(&caller.server))
}
