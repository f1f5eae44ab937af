//! The fallback for all systems but Linux: `portable-pty` for terminals, `std::process` for pipes, and blocking
//! threads behind bounded channels for the waiting.
//!
//! It compiles, and on Linux its tests pass; it has not been run elsewhere. What it does not keep of the public
//! promises, as the libraries have no way to it:
//!
//! - Of the signals there is `SIGKILL`, and it reaches the leader, not its group; the others are `Unsupported`.
//! - There is no containment but the group, and the group is its leader: a tree has one member, nothing is ever left
//!   over, its use of CPU and memory is not told, nor is who holds an output. A helper is not started.
//! - A leader is reaped at its exit, and it outlives this process.
//! - Inherited descriptors, ignored signals and, on a terminal, `SHELL` in the environment are the libraries'.
//! - Output that was written before the exit can come after it.
//! - On a terminal `arg0` is `Unsupported`, and `argv[0]` is the path that was found.
//! - On a terminal, a program that is there but cannot be executed is no error, or one without a name: the
//!   library closes the pipe that would tell, and the child exits with a code of its own.
//! - A child is not hung up on while it runs, since a thread reads from its terminal. Letting go of the terminal
//!   types a line feed and an end of file.
//! - Of the [`Restrictions`](crate::Restrictions), soft limits are not set; all others are `Unsupported`.
//! - Running out of descriptors, terminals or the like is a [`SpawnError::Os`](crate::SpawnError::Os).
mod input;
mod leader;
mod output;
mod program;
mod start;
mod terminal;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use input::Input;
pub(crate) use leader::Leader;
pub(crate) use output::{HoldersQuery, Output};
pub(crate) use start::{Parts, Started, Starter};
pub(crate) use terminal::Terminal;
pub(crate) use tree::{Leftovers, Tree};

use std::{
    io,
    process::ExitCode,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// There are no control groups to make room in.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(crate) fn make_room() -> io::Result<bool> {
    Ok(false)
}

/// Nobody starts a helper here.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    None
}

/// How much is read or written at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// How many chunks wait in each direction, so that it is 64 KiB, as in a pipe.
const QUEUED_CHUNKS: usize = 4;

/// Starts a thread that ends by itself, when its child or our other end of its queue does.
fn detach(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// No state here is broken by a panic halfway.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
