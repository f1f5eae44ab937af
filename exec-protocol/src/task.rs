//! `task/*`: background work that outlives the connection, and the server, that it was submitted to.
//!
//! A task is a durable record of work, server-wide. It has one attempt or more, each of which is a process of the
//! server whose output is kept on disk.

mod control;
mod id;
mod lanes;
mod list;
mod logs;
mod notices;
mod record;
mod submit;
mod subscribe;
mod summary;
mod wait;

pub use control::{
    Clean, CleanParams, CleanResult, Remove, RemoveResult, Resize, ResizeParams, Retry, Signal, SignalParams,
    Stop, StopGroup, StopGroupParams, StopGroupResult, StopParams, StopResult, Write, WriteParams,
};
pub use id::{InvalidTaskId, MAX_TASK_ID_BYTES, TaskId, TaskRef};
pub use lanes::{Lane, LaneName, Lanes, LanesParams, LanesResult};
pub use list::{Get, List, ListParams, ListResult, TaskParams};
pub use logs::{Grep, LogPart, LogUnit, LogView, Logs, LogsParams, LogsResult, Omitted, Range, RangeUnit};
pub use notices::{Ack, AckParams, AckResult, Notice, Notices, NoticesParams, NoticesResult};
pub use record::{Attempt, LogState, LogStopped, StartFailure, TaskRecord, TaskServer, TaskState};
pub use submit::{OnOutputLimit, RetryOn, RetryPolicy, Submit, SubmitParams};
pub use subscribe::{Settled, SettledParams, Subscribe, SubscribeParams, Updated, UpdatedParams};
pub use summary::{Scope, Summary, SummaryResult};
pub use wait::{Wait, WaitParams, WaitResult};
