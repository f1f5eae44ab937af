//! Caps of the log.

use std::time::Duration;

/// Lines that one place in the code may log at once, and afterwards one for each [`LOG_LINE_EVERY`]. What is left out is
/// counted, and told with the next line of that place, or by itself after as long a quiet.
///
/// A few things that happen together are all seen.
pub const LOG_BURST: u32 = 5;

/// How often a place in the code may log again and again.
///
/// A flood shows as long as it goes on, and an hour of it makes 3,600 lines, however much it is.
pub const LOG_LINE_EVERY: Duration = Duration::from_secs(1);

/// Longest message in the log, and longest value beside it, in bytes. A longer one is cut, and ends with `…`.
///
/// The longest path that Linux knows is of that length.
pub const MAX_LOG_VALUE_BYTES: usize = 4 << 10;

/// Lines of the log that were not yet written, in bytes. Beyond it lines are lost, which is counted, and told later.
///
/// What every place in the code says in a minute, at usual lengths.
pub const LOG_QUEUE_BYTES: usize = 256 << 10;

/// How long the end of the program may be held up by what is left of its log.
pub const LOG_FLUSH: Duration = Duration::from_millis(500);

// What must hold between them is checked by the compiler.
