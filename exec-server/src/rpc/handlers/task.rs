//! `task/*`: what clients ask of background work. Whose turn it is and what is kept is not decided here.

use std::sync::Arc;

use exec_protocol::process::{self, SignalResult, Target, WriteResult};
use exec_protocol::task::{
    Ack, AckParams, AckResult, Clean, CleanParams, CleanResult, Get, Lanes, LanesParams, LanesResult, List,
    ListParams, ListResult, Logs, LogsParams, LogsResult, Notices, NoticesResult, Remove, RemoveResult,
    Resize, ResizeParams, Retry, Scope, Signal, SignalParams, Stop, StopGroup, StopGroupParams,
    StopGroupResult, StopParams, StopResult, Submit, SubmitParams, Subscribe, Summary, SummaryResult,
    TaskParams, TaskRecord, TaskRef, Wait, WaitParams, WaitResult, Write, WriteParams,
};
use exec_protocol::{Empty, RpcError};
use exec_tasks::Tasks;
use jsonrpsee::RpcModule;

use super::{Caller, error, is_too_long, register, resize, signal, write};
use crate::limits::MAX_READ_WAIT;

/// Puts all of them into the table.
pub(super) fn register_all(module: &mut RpcModule<()>) {
    register::<Submit, _, _>(module, submit);
    register::<List, _, _>(module, list);
    register::<Get, _, _>(module, get);
    register::<Summary, _, _>(module, summary);
    register::<Wait, _, _>(module, wait);
    register::<Stop, _, _>(module, stop);
    register::<Remove, _, _>(module, remove);
    register::<Retry, _, _>(module, retry);
    register::<Write, _, _>(module, write_stdin);
    register::<Resize, _, _>(module, resize_terminal);
    register::<Signal, _, _>(module, send_signal);
    register::<Clean, _, _>(module, clean);
    register::<StopGroup, _, _>(module, stop_group);
    register::<Lanes, _, _>(module, lanes);
    register::<Logs, _, _>(module, logs);
    register::<Notices, _, _>(module, notices);
    register::<Ack, _, _>(module, ack);
    register::<Subscribe, _, _>(module, subscribe);
}

async fn submit(caller: Caller, params: SubmitParams) -> Result<TaskRecord, RpcError> {
    tasks(&caller)?.submit(params).await.map_err(error::task)
}

async fn list(caller: Caller, params: ListParams) -> Result<ListResult, RpcError> {
    let _turn = caller.lists.lock().await;
    let list = tasks(&caller)?.list(params).await.map_err(error::task)?;
    if is_too_long(&list, list.records.len()) {
        return Err(error::too_long());
    }
    Ok(list)
}

async fn get(caller: Caller, params: TaskParams) -> Result<TaskRecord, RpcError> {
    tasks(&caller)?.get(params.task_id).await.map_err(error::task)
}

async fn summary(caller: Caller, params: Scope) -> Result<SummaryResult, RpcError> {
    let _turn = caller.lists.lock().await;
    tasks(&caller)?.summary(params).await.map_err(error::task)
}

async fn wait(caller: Caller, params: WaitParams) -> Result<WaitResult, RpcError> {
    let waited = tasks(&caller)?.wait(params, MAX_READ_WAIT, &caller.lists).await;
    let (waited, _turn) = waited.map_err(error::task)?;
    if is_too_long(&waited, waited.settled.len()) {
        return Err(error::too_long());
    }
    Ok(waited)
}

async fn stop(caller: Caller, params: StopParams) -> Result<StopResult, RpcError> {
    let stopped = tasks(&caller)?.stop(caller.client.clone(), params).await;
    stopped.map_err(error::task)
}

async fn remove(caller: Caller, params: StopParams) -> Result<RemoveResult, RpcError> {
    let removed = tasks(&caller)?.remove(caller.client.clone(), params).await;
    removed.map_err(error::task)
}

async fn retry(caller: Caller, params: TaskParams) -> Result<TaskRecord, RpcError> {
    tasks(&caller)?.retry(params.task_id).await.map_err(error::task)
}

/// Who it is for is found out elsewhere, so each takes its turn in the first poll: two of them keep their order.
async fn write_stdin(caller: Caller, params: WriteParams) -> Result<WriteResult, RpcError> {
    let turns = Arc::clone(&caller.task_turns);
    let _turn = turns.lock().await;
    let process = running(&caller, params.task_id).await?;
    let params = process::WriteParams {
        process,
        chunk: params.chunk,
        write_id: params.write_id,
        eof: params.eof,
        offset: None,
    };
    write::write(caller, params).await
}

async fn resize_terminal(caller: Caller, params: ResizeParams) -> Result<Empty, RpcError> {
    let turns = Arc::clone(&caller.task_turns);
    let _turn = turns.lock().await;
    let process = running(&caller, params.task_id).await?;
    let size = params.size;
    resize::resize(caller, process::ResizeParams { process, size }).await
}

async fn send_signal(caller: Caller, params: SignalParams) -> Result<SignalResult, RpcError> {
    let turns = Arc::clone(&caller.task_turns);
    let _turn = turns.lock().await;
    let process = running(&caller, params.task_id).await?;
    let signal = params.signal;
    signal::signal(caller, process::SignalParams { process, signal }).await
}

async fn clean(caller: Caller, params: CleanParams) -> Result<CleanResult, RpcError> {
    tasks(&caller)?.clean(params).await.map_err(error::task)
}

async fn stop_group(caller: Caller, params: StopGroupParams) -> Result<StopGroupResult, RpcError> {
    let stopped = tasks(&caller)?.stop_group(caller.client.clone(), params).await;
    stopped.map_err(error::task)
}

async fn lanes(caller: Caller, params: LanesParams) -> Result<LanesResult, RpcError> {
    tasks(&caller)?.lanes(params).await.map_err(error::task)
}

async fn logs(caller: Caller, params: LogsParams) -> Result<LogsResult, RpcError> {
    let told = tasks(&caller)?.logs(params, MAX_READ_WAIT, &caller.logs).await;
    let (told, _turn) = told.map_err(error::task)?;
    Ok(told)
}

async fn notices(caller: Caller, params: Scope) -> Result<NoticesResult, RpcError> {
    let _turn = caller.lists.lock().await;
    tasks(&caller)?.notices(params).await.map_err(error::task)
}

async fn ack(caller: Caller, params: AckParams) -> Result<AckResult, RpcError> {
    tasks(&caller)?.ack(params).await.map_err(error::task)
}

async fn subscribe(caller: Caller, params: Scope) -> Result<Empty, RpcError> {
    let subscription = tasks(&caller)?.subscribe(params).await.map_err(error::task)?;
    caller.told.tell(&caller.server, subscription).await;
    Ok(Empty {})
}

/// The tasks of the caller's server.
fn tasks(caller: &Caller) -> Result<Tasks, RpcError> {
    let tasks = caller.server.background().cloned();
    tasks.ok_or_else(error::no_tasks)
}

/// The process of a task's running attempt.
async fn running(caller: &Caller, task: TaskRef) -> Result<Target, RpcError> {
    let uid = tasks(caller)?.running(task).await.map_err(error::task)?;
    Ok(Target::Uid(uid))
}
