//! Caps of work on files.

use super::{MAX_MESSAGE_BYTES, MAX_REQUESTS_IN_FLIGHT};

/// Longest file that is read or written in one message, in bytes. A longer one is refused, and read or written in parts.
///
/// With base64 and what stands around it, it makes a message.
pub const MAX_FILE_BYTES: usize = (MAX_MESSAGE_BYTES - (64 << 10)) / 4 * 3;

/// Longest part of a file that is read or written at once through a handle, in bytes. A longer one is refused.
pub const MAX_FILE_BLOCK_BYTES: usize = 1 << 20;

/// Open files of one session. Beyond it `fs/open` is refused.
pub const MAX_FILE_HANDLES: usize = 128;

/// Open files of all sessions. Beyond it `fs/open` is refused.
///
/// As many as eight sessions may have. Each takes a descriptor, and so does whatever else a server does.
pub const MAX_FILE_HANDLES_IN_ALL: usize = 1024;

/// Pieces of file work of one session that are under way at a time. Others wait for their turn.
///
/// Each takes a thread, and memory for one message. More gain nothing where the disk is quick; a few may hang on a
/// network's disk, and the rest gets on.
pub const MAX_FILE_JOBS: usize = 8;

/// As many of them at a time have an answer that may be as long as a message. An answer counts until it is handed to the
/// connection.
pub const MAX_LONG_FILE_JOBS: usize = 4;

/// Longest list of files in one answer, in bytes as it goes out. A walk ends there; a directory with more is refused.
pub const MAX_FILE_LIST_BYTES: usize = 24 << 20;

/// Levels of directories that a walk goes down.
pub const MAX_WALK_DEPTH: usize = 64;

/// Directories that a walk looks into.
pub const MAX_WALK_DIRECTORIES: usize = 10_000;

/// Entries that a walk gives.
///
/// As many as the sources of a large project.
pub const MAX_WALK_ENTRIES: usize = 50_000;

/// Errors that a walk tells. With more it is truncated.
pub const MAX_WALK_ERRORS: usize = 1_000;

/// Pieces of file work of one session that are asked for and not done. When it is reached, reading pauses; when nothing gets
/// done meanwhile, more are refused.
///
/// Half of the requests that may be in flight: a disk that hangs leaves room for everything else.
pub const MAX_FILE_WORK: usize = MAX_REQUESTS_IN_FLIGHT / 2;

/// What all of them are to write, in bytes. As for [`MAX_FILE_WORK`]; the last one may exceed it, by at most one message.
pub const MAX_FILE_WORK_BYTES: usize = 64 << 20;

/// Threads for file work, of all sessions.
///
/// Some thirty sessions may have nothing but work that hangs, before it holds up that of others.
pub const MAX_FILE_THREADS: usize = 256;
