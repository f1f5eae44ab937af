//! The server's caps: for each its unit, the reason for its value, and what happens when it is reached.
//!
//! `initialize` tells those that a client can run into. Caps of the wire itself (batches, nesting, ids)
//! stand in exec-protocol, and what only shapes one module's work stands in that module.

mod connections;
mod files;
mod logs;

use std::time::Duration;

use exec_protocol::process;

pub use connections::*;
pub use files::*;
pub use logs::*;

/// Longest message in either direction, in bytes.
///
/// A write of 16 MiB fits after base64. Longer on stdio: an error, and the line is skipped without
/// being kept. Longer on a websocket: the connection is closed with 1009.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// Most output in one answer to a read, in bytes before base64.
///
/// With base64 it makes a third of a message. A client that asks for more gets this much and
/// reads on.
pub const MAX_READ_BYTES: usize = 8 << 20;

/// Longest list of chunks in one answer to a read, in bytes as it goes out.
///
/// Chunks may be single bytes, each of which costs some fifty in the answer.
pub const MAX_READ_REPLY_BYTES: usize = 24 << 20;

/// Longest wait of a read, or of a `process/wait`. A longer one is shortened: the client asks again.
pub const MAX_READ_WAIT: Duration = Duration::from_mins(1);

/// Output of one attempt of a task that is kept on disk, in bytes, where its submission does not say.
///
/// A build that says everything writes some 20 MiB. Beyond it the oldest goes, unless its submission says otherwise.
pub const TASK_OUTPUT_BYTES: u64 = 256 << 20;

/// Output of all tasks together that is kept on disk, in bytes, where nobody says otherwise. Beyond it, output is counted and
/// not kept, and the record says so.
pub const TASK_STORAGE_BYTES: u64 = 10 << 30;

/// Processes that one `process/wait` may wait for. More are refused.
///
/// As many as can run at a time.
pub const MAX_WAIT_PROCESSES: usize = 4096;

/// Longest pattern to wait for, in bytes. A longer one is refused.
///
/// A list of a hundred messages; a prompt takes twenty bytes.
pub const MAX_PATTERN_BYTES: usize = 4 << 10;

/// Levels in which a pattern may be nested: groups, alternatives and repetitions count one each. A deeper one is refused.
///
/// Each takes stack while the automaton is made: 2 KiB, and 12 KiB where nothing is optimized, of the 2 MiB of a thread. What
/// people write has ten.
pub const MAX_PATTERN_NESTING: u32 = 64;

/// Largest automaton of a pattern, in bytes. A pattern that needs a larger one is refused.
///
/// It bounds what one byte of output costs at worst, some 20 µs. `.{1000}` fits, `.{10000}` does not.
pub const MAX_AUTOMATON_BYTES: usize = 128 << 10;

/// Memory in which one `process/wait` keeps the states of its pattern, for all of its processes together, in bytes.
///
/// 16 KiB for each of 4,096, where a prompt takes 1 KiB. A pattern that does not fit is refused; one whose states outgrow
/// their part makes some of them again.
pub const PATTERN_MEMORY_BYTES: usize = 64 << 20;

/// Memory that all waits of one connection take together, in bytes.
///
/// Each counts with what it may come to: 1 KiB for a process, and some 80 KiB if a usual pattern is looked for, with the text
/// that it may find. One that has no room waits for others to end, a minute at most.
pub const WAITS_MEMORY_BYTES: usize = 256 << 20;

/// Longest text of one match in the answer to a `process/wait`, in bytes.
pub const MAX_MATCH_TEXT_BYTES: usize = 64 << 10;

/// Longest texts of all matches together in the answer to a `process/wait`, in bytes. Each process has an equal part.
///
/// JSON may make six bytes of one, and the answer is to fit a message.
pub const MAX_MATCH_TEXTS_BYTES: usize = 4 << 20;

/// Requests of one connection that were read and whose answers were not yet written.
///
/// A thousand long polls beside everything else. When it is reached, reading pauses. It is what bounds those that wait: long
/// polls, `process/wait` and `task/wait`. While they do, nothing of their answers is there: of the long ones, a connection has one
/// list and one `task/logs` made at a time, from the asking until it is handed over, and neither is longer than a message.
pub const MAX_REQUESTS_IN_FLIGHT: usize = 4096;

/// Answers of one connection that wait to be written, in bytes, before reads are put off.
///
/// The last one may exceed it, by at most one message. Other requests go on: their answers are
/// short, and a client that does not read may still want to terminate something.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Answers of one connection that wait to be written, in bytes, before it is not read any more.
///
/// As many short ones as may be in flight. Some are not short, such as long lists: the last may exceed it, by at most
/// one message.
pub const MAX_UNREAD_BYTES: usize = 8 << 20;

/// Requests of one connection that wait for something, in bytes as they came. When it is reached, reading pauses; the last
/// may exceed it, by at most one message.
///
/// Far more than a thousand long polls. It leaves room for [`MAX_FILE_WORK_BYTES`] in base64 and a message beyond it, so
/// that a disk that hangs does not make a connection deaf.
pub const MAX_WAITING_BYTES: usize = 128 << 20;

/// Answers to elements of one connection's batches whose last element is not done, in bytes. One that has no room becomes
/// `messageTooLarge`.
///
/// Two batches with as much as fits into an answer.
pub const MAX_BATCHED_BYTES: usize = 2 * MAX_MESSAGE_BYTES;

/// What the writer puts together before it writes, in bytes.
///
/// An answer waits for what was put together before it, so this is kept small: one chunk of 64 KiB
/// after base64 fits, and no second.
pub const WRITE_BATCH_BYTES: usize = 96 << 10;

/// Stdin of one process that was accepted and not yet written, in bytes.
///
/// Beyond it a write is refused with `stdinFull`. One write that finds the queue empty is taken
/// whatever its length, or a message could be legal and yet never acceptable.
pub const MAX_STDIN_QUEUE_BYTES: usize = 1 << 20;

/// Write ids that are remembered for each process. Older ones are forgotten.
pub const REMEMBERED_WRITE_IDS: usize = 1024;

/// Output of one process that is kept, in bytes of payload; memory for it is at most a quarter more.
///
/// A full build log. Beyond it the oldest goes, or, while a client is attached and has not been
/// sent it, the process is no longer read until it has.
pub const RETAIN_BYTES: usize = 1 << 20;

/// Least output of one process that is kept, in bytes. Who asks for less gets this much.
pub const MIN_RETAIN_BYTES: usize = crate::output::MIN_CAPACITY;

/// What the output of a running process may take beyond its ring, in bytes: one read that was begun while there was
/// still room, and what two pipes of 256 KiB hold at its leader's exit, with the index for it.
const BEYOND_RETAIN_BYTES: usize = 640 << 10;

/// The most memory that the output of one running process takes, in bytes.
///
/// Its ring is never more than a quarter larger than its payload. The sum of this over all running processes, and of
/// what is really held for those that have ended, never exceeds the server's cap: a start that would exceed it gives up
/// ended processes, oldest first, and is refused with `memoryLimit` if that is not enough.
pub const fn output_memory(retain_bytes: usize) -> usize {
    retain_bytes
        .saturating_add(retain_bytes / 4)
        .saturating_add(BEYOND_RETAIN_BYTES)
}

/// The default of the server's cap on output of all processes, in bytes: half of what this program may use of the
/// machine's memory.
///
/// It is a bound and no need: a process that says little takes little. On a machine with 16 GiB, 4,096 processes
/// fit with the default for each.
pub fn default_output_memory() -> usize {
    crate::machine::memory_bytes() / 2
}

/// From the polite signal to the kill.
///
/// A shell's exit trap needs milliseconds; a database that flushes needs a second.
pub const TERMINATE_GRACE: Duration = Duration::from_secs(2);

/// How long is waited after a kill until nobody is left, and, where nobody will read it, for the end of output.
///
/// Killed processes are gone in milliseconds. Whoever is left then cannot be killed, or has escaped.
pub const KILLED_DRAIN: Duration = Duration::from_millis(500);

/// How long an ended process can still be read, from when its close was told.
pub const RETAIN_ENDED: Duration = Duration::from_mins(1);

/// How long a session lives without a connection.
///
/// Twice as long as a coding agent's client keeps trying.
pub const DETACHED_SESSION: Duration = Duration::from_secs(90);

/// How long requests that were read before the end of stdin may take to be answered.
pub const ANSWER_AFTER_END: Duration = Duration::from_secs(2);

/// How long a connection that ends may take for each part of what is left to write, and for its
/// goodbye. A peer that reads nothing for so long is hung up on.
pub const GOODBYE: Duration = Duration::from_secs(1);

/// How long a connection that ends may take to write what is left, if its peer reads on.
pub const LONGEST_GOODBYE: Duration = Duration::from_secs(10);

/// Processes that run at a time, in all sessions. Beyond it a start is refused.
///
/// Each may hold [`RETAIN_BYTES`] of output and 64 KiB of pipe for each stream.
pub const MAX_PROCESSES: usize = 4096;

/// Processes of one session that run at a time. Beyond it a start is refused.
///
/// Half of all: one client, however mad, leaves as much to the others.
pub const MAX_SESSION_PROCESSES: usize = MAX_PROCESSES / 2;

/// Processes of one session that ended and can still be read. Beyond it the oldest is forgotten.
pub const MAX_ENDED_PROCESSES: usize = 4096;

/// Processes of one session of which only the end is still known. Beyond it the oldest is forgotten.
///
/// Each takes less than a KiB, unless its command line is long.
pub const MAX_EXPIRED_PROCESSES: usize = 16_384;

/// How long the end of a process is known after it can no longer be read.
pub const RETAIN_EXPIRED: Duration = Duration::from_hours(1);

/// Title and labels of one process together, in bytes. Longer ones are refused.
///
/// As much of its command line is kept for its record, and of its metadata all or nothing: they are told in lists of
/// thousands.
pub const MAX_RECORD_BYTES: usize = 4 << 10;

/// What it may take to match the names of variables with the globs of an `envPolicy`, in steps: for a glob with a `*` its length times
/// that of all names, in bytes; for another its length times their number. A start that could take more is refused.
///
/// Some 20 ms. A large environment has some thousands of bytes of names, and a long list of globs with a `*` a thousand.
pub const MAX_GLOB_STEPS: usize = 1 << 23;

/// Longest time that a client can set for a process. A longer one is shortened: it is for ever.
pub const MAX_TIME: Duration = Duration::from_hours(24 * 365);

/// How long it may take to find out who holds the output of a process. Those are told who were found by then.
pub const HOLDERS_WAIT: Duration = Duration::from_secs(1);

/// Longest name of a client that is kept, in bytes. A longer one is cut.
pub const MAX_CLIENT_NAME_BYTES: usize = 256;

/// Sessions at a time. Beyond it the one goes that has had no connection for longest and whose processes
/// have all ended; without such a one `initialize` is refused.
pub const MAX_SESSIONS: usize = 1024;

/// Open files that the server takes for itself, if its hard limit has so many.
///
/// Every process that runs takes up to six, and every connection one. It is as many as Linux gives a process by default, and
/// bounds what a system costs that has no limit: before Linux 5.9 a child tries to close each of them.
pub const MAX_OPEN_FILES: u64 = 1 << 20;

// A peer that pings at the rate that is allowed may do so while nobody reads.
const _: () =
    assert!(CONTROL_FRAMES_AT_ONCE as u64 >= CONTROL_FRAMES_PER_SECOND as u64 * SILENT_PEER.as_secs());
const _: () = assert!(MAX_READ_BYTES as u64 >= process::DEFAULT_MAX_BYTES);
const _: () = assert!(MAX_READ_REPLY_BYTES < MAX_MESSAGE_BYTES);
const _: () = assert!(MAX_FILE_LIST_BYTES < MAX_MESSAGE_BYTES / 8 * 7);
const _: () = assert!(MAX_FILE_HANDLES < MAX_FILE_HANDLES_IN_ALL);
const _: () = assert!(MAX_FILE_BLOCK_BYTES < MAX_FILE_BYTES);
const _: () = assert!(MAX_FILE_WORK_BYTES / 3 * 4 + MAX_MESSAGE_BYTES < MAX_WAITING_BYTES);
const _: () = assert!(MAX_REQUESTS_IN_FLIGHT * 2048 <= MAX_UNREAD_BYTES);
const _: () = assert!(PATTERN_MEMORY_BYTES + MAX_MATCH_TEXTS_BYTES < WAITS_MEMORY_BYTES / 2);
const _: () = assert!(
    (MAX_MATCH_TEXTS_BYTES + MAX_WAIT_PROCESSES * exec_protocol::MAX_ID_BYTES) * 6 + MAX_WAIT_PROCESSES * 128
        < MAX_MESSAGE_BYTES
);
const _: () = assert!(MAX_STDIN_QUEUE_BYTES < MAX_MESSAGE_BYTES / 4 * 3);
const _: () =
    assert!(MIN_SECRET_BYTES < MAX_SECRET_FILE_BYTES && MAX_SECRET_FILE_BYTES < MAX_HTTP_HEAD_BYTES);
