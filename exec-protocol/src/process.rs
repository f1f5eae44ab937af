//! Processes: one file per method, and the notifications.

mod ack;
mod close_stdin;
mod end;
mod forget;
mod gap;
mod get;
mod limits;
mod list;
mod notices;
mod read;
mod record;
mod resize;
mod signal;
mod start;
mod stream;
mod target;
mod terminate;
mod umask;
mod wait;
mod write;

pub use ack::{Ack, AckParams};
pub use close_stdin::{CloseStdin, CloseStdinParams, CloseStdinResult};
pub use end::{EndReason, Holder, StreamBytes, Usage};
pub use forget::{Forget, ForgetParams, ForgetResult};
pub use gap::Gap;
pub use get::{Get, GetParams};
pub use limits::{ProcessLimits, TreeLimits};
pub use list::{List, ListParams, ListResult, Scope};
pub use notices::{
    ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, GapNotice, GapParams, OutputNotice, OutputParams,
};
pub use read::{Chunk, DEFAULT_MAX_BYTES, Read, ReadParams, ReadResult};
pub use record::{Containment, ProcessRecord, ProcessState};
pub use resize::{MAX_SIZE_CELLS, Resize, ResizeParams, Size, SizeOutOfRange};
pub use signal::{Signal, SignalName, SignalParams, SignalResult};
pub use start::{EnvPolicy, Inherit, OnDisconnect, OnSlowClient, Start, StartParams, StartResult};
pub use stream::Stream;
pub use target::Target;
pub(crate) use target::TargetError;
pub use terminate::{Terminate, TerminateParams, TerminateResult};
pub use umask::{InvalidUmask, Umask};
pub use wait::{Fired, Unmet, UnmetReason, Until, UntilKind, Wait, WaitMode, WaitParams, WaitResult};
pub use write::{Write, WriteParams, WriteResult, WriteStatus};
