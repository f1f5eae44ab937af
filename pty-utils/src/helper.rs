//! The program that ends trees when this one cannot any more.
use crate::sys;
use std::process::ExitCode;

/// Some(code) if this program was started as a helper and has done its work: `main` returns it at once.
///
/// Call it first in `main`, before there is a thread: it costs a comparison of `argv[0]` when it was not asked. A
/// helper watches over children of another process (see [`SpawnerOptions::helper`](crate::SpawnerOptions::helper)),
/// and kills and reaps what is left of them when that one is gone.
pub fn run_if_asked() -> Option<ExitCode> {
    sys::run_if_asked()
}
