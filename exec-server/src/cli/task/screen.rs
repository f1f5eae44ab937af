//! What standard output and standard error can show.

use std::env;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

/// What can be shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Screen {
    /// How wide it is; None if lines may have any length.
    pub(super) columns: Option<usize>,
    /// Whether colours are shown.
    pub(super) has_colours: bool,
}

impl Screen {
    /// Standard output. What is no terminal has no colours, and lines of any length.
    pub(super) fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::default();
        }
        Self {
            columns: columns(io::stdout()),
            has_colours: env::var_os("NO_COLOR").is_none() && !is_dumb(),
        }
    }
}

/// The width of standard error, if it is a terminal on which a line can be rewritten.
pub(super) fn rewritable_stderr() -> Option<usize> {
    let stderr = io::stderr();
    let is_rewritable = stderr.is_terminal() && !is_dumb();
    is_rewritable.then(|| columns(stderr).unwrap_or(80))
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|name| name == "dumb")
}

fn columns(terminal: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(terminal).ok()?;
    // Some terminals do not know.
    (size.ws_col > 0).then_some(size.ws_col.into())
}
