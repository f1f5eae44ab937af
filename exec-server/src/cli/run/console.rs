//! The terminal that this program was started from.

use std::io::{self, IsTerminal as _};

use exec_protocol::process::Size;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The terminal that this program was started from, if the command is to have one too.
///
/// Its keys go to the command as they are: it is in raw mode until this is dropped.
#[derive(Debug)]
pub(super) struct Console {
    /// What to restore. None if nothing was changed.
    before: Option<Termios>,
}

impl Console {
    /// Puts the terminal into raw mode if there is one and the command wants it.
    ///
    /// # Errors
    ///
    /// When the terminal refuses.
    pub(super) fn new(wants_terminal: bool) -> io::Result<Self> {
        if !wants_terminal || !io::stdin().is_terminal() {
            return Ok(Self { before: None });
        }
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Flush, &raw)?;
        Ok(Self { before: Some(before) })
    }

    /// Whether the command's terminal stands for this one.
    pub(super) fn is_terminal(&self) -> bool {
        self.before.is_some()
    }

    /// The size for the command's terminal.
    pub(super) fn size(&self) -> Option<Size> {
        self.before.as_ref().and_then(|_| window_size())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(before) = &self.before
            && let Err(error) = tcsetattr(stdin(), OptionalActions::Drain, before)
        {
            tracing::error!(%error, "the terminal could not be restored");
        }
    }
}

/// The size of this program's terminal, if it has one that says.
pub(super) fn window_size() -> Option<Size> {
    let size = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin())).ok()?;
    Size::new(size.ws_row, size.ws_col).ok()
}
