//! `process/list`

use exec_protocol::process::{ListParams, ListResult, ProcessRecord, Scope};
use exec_protocol::{ErrorKind, RpcError};
use futures_util::future::join_all;

use super::Caller;
use crate::limits::MAX_MESSAGE_BYTES;

/// JSON around the texts of a record, in bytes, rounded up.
const RECORD_JSON_BYTES: usize = 1 << 10;

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
    // Nothing is longer than its text escaped.
    let length: usize = records
        .iter()
        .map(|record| text_bytes(record) * 6 + RECORD_JSON_BYTES)
        .sum();
    if length > MAX_MESSAGE_BYTES
        && serde_json::to_vec(&records).map_or(0, |json| json.len()) > MAX_MESSAGE_BYTES
    {
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

fn text_bytes(record: &ProcessRecord) -> usize {
    let labels = record.labels.iter().map(|(name, value)| name.len() + value.len());
    let argv = record.argv.iter().map(String::len);
    let metadata = record
        .metadata
        .as_ref()
        .map_or(0, |metadata| metadata.to_string().len());
    labels.chain(argv).sum::<usize>() + metadata + record.title.as_ref().map_or(0, String::len)
}
