//! Processes: one file per method, and the notifications.

mod close_stdin;
mod notices;
mod read;
mod resize;
mod signal;
mod start;
mod stream;
mod terminate;
mod write;

pub use close_stdin::{CloseStdin, CloseStdinParams, CloseStdinResult};
pub use notices::{ClosedNotice, ClosedParams, ExitedNotice, ExitedParams, OutputNotice, OutputParams};
pub use read::{Chunk, DEFAULT_MAX_BYTES, Read, ReadParams, ReadResult};
pub use resize::{MAX_SIZE_CELLS, Resize, ResizeParams, Size, SizeOutOfRange};
pub use signal::{Signal, SignalName, SignalParams, SignalResult};
pub use start::{EnvPolicy, Inherit, Start, StartParams, StartResult};
pub use stream::Stream;
pub use terminate::{Terminate, TerminateParams, TerminateResult};
pub use write::{Write, WriteParams, WriteResult, WriteStatus};
