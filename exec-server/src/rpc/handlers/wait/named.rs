//! For which processes it is waited.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use exec_protocol::process::WaitParams;
use exec_protocol::{Group, ProcessId, RpcError};

use super::{Caller, error};
use crate::limits::MAX_WAIT_PROCESSES;
use crate::process::Process;

/// A process to wait for, and the member of the params that names it, if it is not a group.
pub(super) struct Named {
    pub(super) process: Arc<Process>,
    /// As the client calls it.
    pub(super) id: ProcessId,
    pub(super) field: Option<String>,
    pub(super) from: Option<Beginning>,
}

/// Where to begin to look.
pub(super) struct Beginning {
    /// The name under which it was given.
    pub(super) id: ProcessId,
    pub(super) offset: u64,
}

/// The processes to wait for, each once.
pub(super) fn named(caller: &Caller, params: &WaitParams) -> Result<Vec<Named>, RpcError> {
    let (field, named) = match &params.group {
        Some(_) if !params.process_ids.is_empty() => {
            return Err(error::invalid_param(
                "group",
                "processIds and a group exclude each other",
            ));
        }
        Some(group) => ("group", of_group(caller, group, &params.from_offsets)),
        None if params.process_ids.is_empty() => {
            return Err(error::invalid_param(
                "processIds",
                "there is no process to wait for",
            ));
        }
        None => (
            "processIds",
            by_id(caller, &params.process_ids, &params.from_offsets)?,
        ),
    };
    if named.len() > MAX_WAIT_PROCESSES {
        let too_many = format!("{} processes are more than {MAX_WAIT_PROCESSES}", named.len());
        return Err(error::invalid_param(field, too_many));
    }
    Ok(named)
}

fn of_group(caller: &Caller, group: &Group, from_offsets: &BTreeMap<ProcessId, u64>) -> Vec<Named> {
    let named = |process: Arc<Process>| Named {
        id: process.id().clone(),
        field: None,
        from: beginning(caller, &process, process.id(), from_offsets),
        process,
    };
    caller.in_group(group).into_iter().map(named).collect()
}

fn by_id(
    caller: &Caller,
    ids: &[ProcessId],
    from_offsets: &BTreeMap<ProcessId, u64>,
) -> Result<Vec<Named>, RpcError> {
    let (mut seen, mut known) = (HashSet::new(), HashSet::new());
    let mut named = Vec::new();
    for (at, id) in ids.iter().enumerate().filter(|(_, id)| seen.insert(*id)) {
        let field = format!("processIds[{at}]");
        let process = caller
            .process_called(id)
            .map_err(|unknown| unknown.with_field(&field))?;
        if known.insert(process.uid().clone()) {
            named.push(Named {
                from: beginning(caller, &process, id, from_offsets),
                process,
                id: id.clone(),
                field: Some(field),
            });
        }
    }
    Ok(named)
}

/// Where to begin with a process, given under what the client calls it, or else under its other name.
fn beginning(
    caller: &Caller,
    process: &Arc<Process>,
    id: &ProcessId,
    from_offsets: &BTreeMap<ProcessId, u64>,
) -> Option<Beginning> {
    // To this client its other name may be that of another process.
    let is_its_name = |other: &ProcessId| {
        let meant = caller.process_called(other);
        meant.is_ok_and(|meant| Arc::ptr_eq(&meant, process))
    };
    let (id, offset) = from_offsets.get_key_value(id).or_else(|| {
        [process.id().as_str(), process.uid().as_str()]
            .into_iter()
            .filter_map(|other| from_offsets.get_key_value(other))
            .find(|(other, _)| is_its_name(other))
    })?;
    Some(Beginning {
        id: id.clone(),
        offset: *offset,
    })
}
