//! Processes: one file per method, and the notifications.

mod ack;
mod close_stdin;
mod gap;
mod notices;
mod read;
mod resize;
mod signal;
mod start;
mod stream;
mod terminate;
mod write;

pub use ack::{Ack, AckParams};
pub use close_stdin::{CloseStdin, CloseStdinParams, CloseStdinResult};
pub use gap::Gap;
pub use notices::{
    ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, GapNotice, GapParams, OutputNotice, OutputParams,
};
pub use read::{Chunk, DEFAULT_MAX_BYTES, Read, ReadParams, ReadResult};
pub use resize::{MAX_SIZE_CELLS, Resize, ResizeParams, Size, SizeOutOfRange};
pub use signal::{Signal, SignalName, SignalParams, SignalResult};
pub use start::{EnvPolicy, Inherit, OnSlowClient, Start, StartParams, StartResult};
pub use stream::Stream;
pub use terminate::{Terminate, TerminateParams, TerminateResult};
pub use write::{Write, WriteParams, WriteResult, WriteStatus};
