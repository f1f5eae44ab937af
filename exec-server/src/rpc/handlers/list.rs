//! `process/list`

use exec_protocol::process::{ListParams, ListResult, ProcessRecord, Scope};
use exec_protocol::{ErrorKind, RpcError};
use futures_util::future::join_all;

use super::{Caller, is_too_long};

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
    let records = processes.iter().map(|process| process.record());
    let records: Vec<_> = join_all(records)
        .await
        .into_iter()
        .flatten()
        .filter(|record| is_chosen(&params, record))
        .collect();
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
