//! `process/list`

use exec_protocol::process::{ListParams, ListResult, ProcessRecord, Scope};
use exec_protocol::{ErrorKind, RpcError};
use futures_util::future::join_all;
use tokio::task::yield_now;

use super::{Caller, is_too_long};

/// Records that are put together before others have their turn: each may have some 20 KiB.
const RECORDS_IN_A_TURN: usize = 64;

pub(super) async fn list(caller: Caller, params: ListParams) -> Result<ListResult, RpcError> {
    let mut processes = caller.session.processes();
    if params.scope == Scope::Server {
        let mut others = caller.server.kept().processes_of(caller.session.identity());
        others.retain(|other| !caller.session.has(other));
        processes.extend(others);
    }
    processes.sort_by_key(|process| process.asked_at());
    // Which there are is decided when it is asked; what is known of them takes room, and waits until the list before is done.
    let _turn = caller.lists.lock().await;
    let mut records = Vec::new();
    for some in processes.chunks(RECORDS_IN_A_TURN) {
        let found = join_all(some.iter().map(|process| process.record())).await;
        let found = found.into_iter().flatten();
        records.extend(found.filter(|record| is_chosen(&params, record)));
        yield_now().await;
    }
    if is_too_long(&records, records.len()) {
        let message = format!(
            "{} records are more than a message can hold; ask for fewer",
            records.len()
        );
        return Err(RpcError::new(ErrorKind::MessageTooLarge, message));
    }
    Ok(ListResult { records })
}

fn is_chosen(params: &ListParams, record: &ProcessRecord) -> bool {
    let is_in_group = params.group.is_none() || params.group == record.group;
    let is_in_state = params.state.is_none_or(|state| state == record.state);
    is_in_group
        && is_in_state
        && params
            .labels
            .iter()
            .all(|(name, value)| record.labels.get(name) == Some(value))
}
