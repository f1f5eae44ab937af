//! `process/wait`

mod outcomes;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::{UnmetReason, Until, UntilKind, WaitMode, WaitParams, WaitResult};
use exec_protocol::{ErrorKind, Group, ProcessId, RpcError};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::{Caller, error};
use crate::limits::{
    MAX_MATCH_TEXT_BYTES, MAX_MATCH_TEXTS_BYTES, MAX_READ_WAIT, MAX_WAIT_PROCESSES, WAITS_MEMORY_BYTES,
};
use crate::output::{Condition, Pattern, Watch};
use crate::process::{Phase, Process};
use outcomes::Outcomes;

/// What it takes to wait for one process beside its pattern, in bytes, rounded up.
const WATCH_BYTES: usize = 1 << 10;

pub(super) async fn wait(caller: Caller, params: WaitParams) -> Result<WaitResult, RpcError> {
    let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(MAX_READ_WAIT);
    let named = named(&caller, &params)?;
    let condition = condition(&params.until, named.len())?;
    let room = caller.waits.acquire_many(cost_kib(&condition, named.len()));
    let Ok(room) = timeout_at(deadline, room).await else {
        // The other waits of this connection have all of it.
        return Ok(WaitResult {
            fired: Vec::new(),
            unmet: Vec::new(),
            timed_out: true,
        });
    };
    let _room = room.map_err(|_| error::shutting_down())?;
    let text_bytes = MAX_MATCH_TEXT_BYTES.min(MAX_MATCH_TEXTS_BYTES / named.len().max(1));
    let own = own(&caller, &named);
    let (ids, watches) = watch(named, &condition, &params.from_offsets, text_bytes).await?;
    let mut outcomes = Outcomes::new(params.mode, watches.len());
    let waiting = look(watches, &mut outcomes, params.mode, &condition).await;
    // What is there by now is told also when the time is up.
    let timed_out = timeout_at(deadline, wait_for_enough(waiting, &mut outcomes))
        .await
        .is_err();
    let result = outcomes
        .into_result(ids, params.until.kind, text_bytes, timed_out)
        .await;
    for process in told_of_the_close(&result).filter_map(|id| own.get(id)) {
        process.log().tell_close();
    }
    Ok(result)
}

/// The caller's own processes among them.
fn own(caller: &Caller, named: &[Named]) -> HashMap<ProcessId, Arc<Process>> {
    let own = named.iter().filter(|named| caller.session.has(&named.process));
    own.map(|named| (named.id.clone(), Arc::clone(&named.process)))
        .collect()
}

/// Those whose close the result tells.
fn told_of_the_close(result: &WaitResult) -> impl Iterator<Item = &ProcessId> {
    let fired = result
        .fired
        .iter()
        .filter(|fired| fired.kind == UntilKind::Closed);
    let unmet = result
        .unmet
        .iter()
        .filter(|unmet| unmet.reason == UnmetReason::Closed);
    fired
        .map(|fired| &fired.process_id)
        .chain(unmet.map(|unmet| &unmet.process_id))
}

/// Room for what one connection waits for, in KiB.
pub(crate) fn room_for_waits() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(WAITS_MEMORY_BYTES >> 10))
}

/// What a wait may come to take, in KiB.
fn cost_kib(condition: &Condition, processes: usize) -> u32 {
    let pattern = match condition {
        Condition::Pattern(pattern, _) => pattern.memory(),
        Condition::Exited | Condition::Closed | Condition::Output(_) | Condition::Silent(_) => 0,
    };
    let kib = ((WATCH_BYTES + pattern) * processes).div_ceil(1 << 10);
    u32::try_from(kib).expect("patterns and processes are bounded to less")
}

/// A process to wait for, and the member of the params that names it, if it is not a group.
struct Named {
    process: Arc<Process>,
    /// As the client calls it.
    id: ProcessId,
    field: Option<String>,
}

/// The processes to wait for, each once.
fn named(caller: &Caller, params: &WaitParams) -> Result<Vec<Named>, RpcError> {
    let (field, named) = match &params.group {
        Some(_) if !params.process_ids.is_empty() => {
            return Err(invalid("group", "processIds and a group exclude each other"));
        }
        Some(group) => ("group", of_group(caller, group)),
        None if params.process_ids.is_empty() => {
            return Err(invalid("processIds", "there is no process to wait for"));
        }
        None => ("processIds", by_id(caller, &params.process_ids)?),
    };
    if named.len() > MAX_WAIT_PROCESSES {
        let too_many = format!("{} processes are more than {MAX_WAIT_PROCESSES}", named.len());
        return Err(invalid(field, &too_many));
    }
    Ok(named)
}

fn of_group(caller: &Caller, group: &Group) -> Vec<Named> {
    let named = |process: Arc<Process>| Named {
        id: process.id().clone(),
        process,
        field: None,
    };
    caller.in_group(group).into_iter().map(named).collect()
}

fn by_id(caller: &Caller, ids: &[ProcessId]) -> Result<Vec<Named>, RpcError> {
    let mut known = HashSet::new();
    let mut named = Vec::new();
    for (at, id) in ids.iter().enumerate().filter(|(_, id)| known.insert(*id)) {
        let field = format!("processIds[{at}]");
        let process = caller.process(id).map_err(|unknown| unknown.with_field(&field))?;
        named.push(Named {
            process,
            id: id.clone(),
            field: Some(field),
        });
    }
    Ok(named)
}

/// What is to be waited for, in so many processes.
fn condition(until: &Until, processes: usize) -> Result<Condition, RpcError> {
    if until.stream.is_some() && !matches!(until.kind, UntilKind::Output | UntilKind::Pattern) {
        return Err(invalid("until.stream", "only output and patterns have a stream"));
    }
    Ok(match until.kind {
        UntilKind::Exited => Condition::Exited,
        UntilKind::Closed => Condition::Closed,
        UntilKind::Output => Condition::Output(until.stream),
        UntilKind::Pattern => {
            let missing = || invalid("until.regex", "a pattern needs a regex");
            let regex = until.regex.as_deref().ok_or_else(missing)?;
            Condition::Pattern(Arc::new(Pattern::new(regex, processes)?), until.stream)
        }
        UntilKind::Silent => {
            let missing = || invalid("until.silentMs", "silence needs a duration");
            Condition::Silent(Duration::from_millis(until.silent_ms.ok_or_else(missing)?))
        }
    })
}

fn invalid(field: &str, message: &str) -> RpcError {
    RpcError::new(ErrorKind::InvalidParams, message).with_field(field)
}

/// Those that wait for the processes, with their ids, as soon as all of them have been started. Of a group, a process whose start
/// fails is no part.
async fn watch(
    named: Vec<Named>,
    condition: &Condition,
    from_offsets: &BTreeMap<ProcessId, u64>,
    text_bytes: usize,
) -> Result<(Vec<ProcessId>, Vec<Watch>), RpcError> {
    // What is new from the call on is new also while others are still being started.
    let mut begun = Vec::with_capacity(named.len());
    for Named { process, id, field } in named {
        let from = from_offsets.get(&id).copied();
        match process.log().watch(condition, from, text_bytes) {
            Ok(watch) => begun.push((process, id, field, watch)),
            Err(ahead) => {
                let field = format!("fromOffsets.{id}");
                return Err(RpcError::from(ahead).with_field(&field));
            }
        }
    }
    let (mut ids, mut watches) = (Vec::new(), Vec::new());
    for (process, id, field, watch) in begun {
        match (process.started().await, field) {
            (Phase::Gone, Some(field)) => return Err(error::unknown_process().with_field(&field)),
            (Phase::Gone, None) => {}
            (Phase::Starting | Phase::Open | Phase::Closing | Phase::Closed | Phase::Outlived, _) => {
                ids.push(id);
                watches.push(watch);
            }
        }
    }
    Ok((ids, watches))
}

/// Looks at what there is, and returns those that may still fire, with their places.
///
/// One after the other: each may have much to look at.
async fn look(
    watches: Vec<Watch>,
    outcomes: &mut Outcomes,
    mode: WaitMode,
    condition: &Condition,
) -> Vec<(usize, Watch)> {
    let mut waiting = Vec::new();
    for (place, mut watch) in watches.into_iter().enumerate() {
        match watch.look().await {
            Some(outcome) => outcomes.put(place, outcome),
            None => waiting.push((place, watch)),
        }
        // The others would be looked through for nothing.
        if mode == WaitMode::Any && matches!(condition, Condition::Pattern(..)) && outcomes.are_enough() {
            break;
        }
    }
    waiting
}

/// Waits until enough have come.
async fn wait_for_enough(waiting: Vec<(usize, Watch)>, outcomes: &mut Outcomes) {
    let mut waiting: FuturesUnordered<_> = waiting
        .into_iter()
        .map(|(place, mut watch)| async move { (place, watch.outcome().await) })
        .collect();
    while !outcomes.are_enough() {
        match waiting.next().await {
            Some((place, outcome)) => outcomes.put(place, outcome),
            None => return,
        }
    }
}
