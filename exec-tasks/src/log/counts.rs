//! How much was written.

use exec_protocol::Seq;
use exec_protocol::process::{Stream, StreamBytes};
use exec_protocol::task::LogState;

/// What is known of a log without a look into it. It counts what is not kept, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LogTotals {
    /// What is kept.
    pub(crate) state: LogState,
    /// How much was written, in bytes.
    pub(crate) total_bytes: u64,
    /// How many lines that is; the last of them may have no line feed.
    pub(crate) total_lines: u64,
    /// How much was written to each stream.
    pub(crate) bytes: StreamBytes,
    /// The number of the last chunk; 0 if there was none.
    pub(crate) last_seq: Seq,
    /// When that was written, in Unix milliseconds.
    pub(crate) last_output_at_ms: Option<u64>,
}

/// What was counted while it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// How much was written to each stream.
    pub(super) bytes: StreamBytes,
    /// How many line feeds.
    pub(super) line_feeds: u64,
    /// Whether something follows the last of them.
    pub(super) is_unfinished: bool,
    /// The number of the last chunk.
    pub(super) last_seq: Seq,
    /// When that was written.
    pub(super) last_at_ms: Option<u64>,
}

impl Counts {
    /// What it comes to for a log of which this is kept.
    pub(super) fn totals(&self, state: LogState) -> LogTotals {
        LogTotals {
            total_bytes: self.bytes.total().max(state.end_offset),
            state,
            total_lines: self.line_feeds.saturating_add(u64::from(self.is_unfinished)),
            bytes: self.bytes,
            last_seq: self.last_seq,
            last_output_at_ms: self.last_at_ms,
        }
    }
}

/// How many line feeds there are.
pub(super) fn line_feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Adds, stream by stream.
pub(super) fn add(to: &mut StreamBytes, more: StreamBytes) {
    to.stdout = to.stdout.saturating_add(more.stdout);
    to.stderr = to.stderr.saturating_add(more.stderr);
    to.pty = to.pty.saturating_add(more.pty);
}

/// So many bytes of this stream.
pub(super) fn of_stream(stream: Stream, bytes: u64) -> StreamBytes {
    let mut result = StreamBytes::default();
    *result.of_mut(stream) = bytes;
    result
}
