//! `process/wait`

mod named;
mod outcomes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use exec_protocol::process::{UnmetReason, Until, UntilKind, WaitMode, WaitParams, WaitResult};
use exec_protocol::{ProcessId, RpcError};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::{Caller, error};
use crate::limits::{MAX_MATCH_TEXT_BYTES, MAX_MATCH_TEXTS_BYTES, MAX_READ_WAIT, WAITS_MEMORY_BYTES};
use crate::output::{Condition, Pattern, Watch};
use crate::process::{Phase, Process};
use named::{Beginning, Named, named};
use outcomes::Outcomes;

/// What it takes to wait for one process beside its pattern, in bytes, rounded up.
const WATCH_BYTES: usize = 1 << 10;

pub(super) async fn wait(caller: Caller, params: WaitParams) -> Result<WaitResult, RpcError> {
    let deadline = Instant::now() + Duration::from_millis(params.wait_ms).min(MAX_READ_WAIT);
    let named = named(&caller, &params)?;
    let condition = condition(&params.until, named.len())?;
    let text_bytes = MAX_MATCH_TEXT_BYTES.min(MAX_MATCH_TEXTS_BYTES / named.len().max(1));
    let room = caller
        .waits
        .acquire_many(cost_kib(&condition, named.len(), text_bytes));
    let Ok(room) = timeout_at(deadline, room).await else {
        // The other waits of this connection have all of it.
        return Ok(WaitResult {
            fired: Vec::new(),
            unmet: Vec::new(),
            timed_out: true,
        });
    };
    let _room = room.map_err(|_| error::shutting_down())?;
    let own = own(&caller, &named);
    let (ids, watches) = watch(named, &condition, text_bytes).await?;
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

/// What a wait may come to take, in KiB, if the text of a match has at most `text_bytes`.
fn cost_kib(condition: &Condition, processes: usize, text_bytes: usize) -> u32 {
    let pattern = match condition {
        Condition::Pattern(pattern, _) => pattern.memory() + text_bytes,
        Condition::Exited | Condition::Closed | Condition::Output(_) | Condition::Silent(_) => 0,
    };
    let kib = ((WATCH_BYTES + pattern) * processes).div_ceil(1 << 10);
    u32::try_from(kib).expect("patterns and processes are bounded to less")
}

/// What is to be waited for, in so many processes.
fn condition(until: &Until, processes: usize) -> Result<Condition, RpcError> {
    if until.stream.is_some() && !matches!(until.kind, UntilKind::Output | UntilKind::Pattern) {
        return Err(error::invalid_param(
            "until.stream",
            "only output and patterns have a stream",
        ));
    }
    Ok(match until.kind {
        UntilKind::Exited => Condition::Exited,
        UntilKind::Closed => Condition::Closed,
        UntilKind::Output => Condition::Output(until.stream),
        UntilKind::Pattern => {
            let missing = || error::invalid_param("until.regex", "a pattern needs a regex");
            let regex = until.regex.as_deref().ok_or_else(missing)?;
            Condition::Pattern(Arc::new(Pattern::new(regex, processes)?), until.stream)
        }
        UntilKind::Silent => {
            let missing = || error::invalid_param("until.silentMs", "silence needs a duration");
            Condition::Silent(Duration::from_millis(until.silent_ms.ok_or_else(missing)?))
        }
    })
}

/// Those that wait for the processes, with their ids, as soon as all of them have been started. Of a group, a process whose start
/// fails is no part.
async fn watch(
    named: Vec<Named>,
    condition: &Condition,
    text_bytes: usize,
) -> Result<(Vec<ProcessId>, Vec<Watch>), RpcError> {
    // What is new from the call on is new also while others are still being started.
    let mut begun = Vec::with_capacity(named.len());
    for Named {
        process,
        id,
        field,
        from,
    } in named
    {
        let offset = from.as_ref().map(|from| from.offset);
        match process.log().watch(condition, offset, text_bytes) {
            Ok(watch) => begun.push((process, id, field, watch)),
            Err(ahead) => {
                let error = RpcError::from(ahead);
                return Err(match from {
                    Some(Beginning { id, .. }) => error.with_field(&format!("fromOffsets.{id}")),
                    None => error,
                });
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
