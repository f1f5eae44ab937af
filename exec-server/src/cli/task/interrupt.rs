//! Ctrl-C while something is waited for: this program ends, and no task.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::STOPPED;
use crate::cli::Failure;

/// Does the work unless Ctrl-C comes. The work is dropped then, with whatever it has on the terminal.
pub(super) async fn unless_interrupted(
    work: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Ok(ExitCode::from(STOPPED)),
    }
}
