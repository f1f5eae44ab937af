//! What requests leave with a process, for its owner to carry out.

use exec_protocol::WriteId;
use pty_utils::{Signal, Usage};
use tokio::sync::oneshot;

use super::{Accepted, Phase, Process, SignalRequest, StdinKind, StdinRefusal};

/// Why a terminal did not get its size.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResizeError {
    /// The process runs on pipes.
    #[error("the process has no terminal")]
    NoTerminal,
    /// The operating system refused.
    #[error("the terminal did not take the size")]
    Os(#[from] std::io::Error),
}

impl Process {
    /// Leaves bytes for stdin, and an end of file behind them if `eof`. Written in order of arrival.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write(&self, id: Option<WriteId>, bytes: &[u8], eof: bool) -> Result<(), StdinRefusal> {
        self.lock().stdin.write(id, bytes, eof)?;
        self.mail.notify_one();
        Ok(())
    }

    /// Leaves as many bytes for stdin as there is room for, the first of which belongs at `offset`, and an end of
    /// file behind them if `eof` and all were taken.
    ///
    /// # Errors
    ///
    /// A [`StdinRefusal`]; nothing was taken then.
    pub(crate) fn write_at(
        &self,
        id: Option<WriteId>,
        offset: u64,
        bytes: &[u8],
        eof: bool,
    ) -> Result<Accepted, StdinRefusal> {
        let accepted = self.lock().stdin.write_at(id, offset, bytes, eof)?;
        self.mail.notify_one();
        Ok(accepted)
    }

    /// Leaves an end of file behind what was written so far. False if there is no stdin to end, or a
    /// terminal that is not in canonical mode, where no character means the end.
    ///
    /// # Errors
    ///
    /// [`StdinRefusal::Full`] if it would overtake a write that was refused, or has no room.
    pub(crate) fn end_stdin(&self) -> Result<bool, StdinRefusal> {
        let mut mailbox = self.lock();
        if let Some(terminal) = &mailbox.terminal
            && !matches!(terminal.end_of_file_char(), Ok(Some(_)))
        {
            return Ok(false);
        }
        let ended = mailbox.stdin.end();
        drop(mailbox);
        self.mail.notify_one();
        ended
    }

    /// Leaves a signal for the process. The answer is whether there was something to get it; none
    /// comes if there is no such process any more.
    pub(crate) fn signal(&self, signal: Signal) -> oneshot::Receiver<bool> {
        let (delivered, answer) = oneshot::channel();
        // Looked at under the lock that the close takes: a later signal would never be answered.
        let mut mailbox = self.lock();
        match *self.phase.borrow() {
            Phase::Starting | Phase::Open => mailbox.signals.push_back(SignalRequest { signal, delivered }),
            Phase::Closing | Phase::Outlived | Phase::Closed | Phase::Gone => drop(delivered),
        }
        drop(mailbox);
        self.mail.notify_one();
        answer
    }

    /// Gives the terminal a new size. Once the process is closed nothing is left to get it.
    ///
    /// # Errors
    ///
    /// [`ResizeError`] on a process without a terminal, or when the operating system refuses.
    pub(crate) fn resize(&self, size: pty_utils::Size) -> Result<(), ResizeError> {
        if self.stdin != StdinKind::Terminal {
            return Err(ResizeError::NoTerminal);
        }
        let mut mailbox = self.lock();
        if let Some(terminal) = &mailbox.terminal {
            terminal.resize(size)?;
            mailbox.size = Some(size);
        }
        Ok(())
    }

    /// Asks how much it has computed so far. No answer comes once it is closed: then it was told.
    pub(crate) fn usage(&self) -> oneshot::Receiver<Usage> {
        let (usage, answer) = oneshot::channel();
        let mut mailbox = self.lock();
        // Looked at under the lock that the close takes.
        if matches!(*self.phase.borrow(), Phase::Starting | Phase::Open) {
            mailbox.usage.push_back(usage);
        }
        drop(mailbox);
        self.mail.notify_one();
        answer
    }
}
