//! A terminal by its master.
use super::type_signal::type_signal;
use crate::{signal::Signal, terminal::Size};
use rustix::{
    io::Errno,
    process::{Pid, kill_process_group},
    termios::{LocalModes, SpecialCodeIndex, Winsize, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetwinsize},
};
use std::{io, os::fd::OwnedFd, path::Path, sync::Arc};
use tokio::io::unix::AsyncFd;

impl From<Size> for Winsize {
    fn from(Size { rows, cols }: Size) -> Self {
        // A size in pixels would be a claim about a screen that we know nothing of.
        Self {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    master: Arc<AsyncFd<OwnedFd>>,
    name: Arc<Path>,
}

impl Terminal {
    pub(super) fn new(master: Arc<AsyncFd<OwnedFd>>, name: Arc<Path>) -> Self {
        Self { master, name }
    }

    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        Ok(tcsetwinsize(&*self.master, size.into())?)
    }

    pub(crate) fn size(&self) -> io::Result<Size> {
        let size = tcgetwinsize(&*self.master)?;
        Ok(Size {
            rows: size.ws_row,
            cols: size.ws_col,
        })
    }

    pub(crate) fn end_of_file_char(&self) -> io::Result<Option<u8>> {
        /// What a terminal has in place of a character that is disabled.
        const DISABLED: u8 = 0;

        let modes = tcgetattr(&*self.master)?;
        let char = modes.special_codes[SpecialCodeIndex::VEOF];
        let canonical = modes.local_modes.contains(LocalModes::ICANON);
        Ok((canonical && char != DISABLED).then_some(char))
    }

    pub(crate) fn signal_foreground(&self, signal: Signal) -> io::Result<bool> {
        let Some(group) = self.foreground()? else {
            return Ok(false);
        };
        let sent = match signal {
            // The kernel finds the group by itself, so there is no moment in which its id could be given to
            // another one, and it reaches a group that runs as somebody else (`sudo`). It takes only what can
            // be typed.
            Signal::Interrupt | Signal::Quit => type_signal(&*self.master, signal.into()),
            Signal::Terminate
            | Signal::Kill
            | Signal::Hangup
            | Signal::Stop
            | Signal::Continue
            | Signal::User1
            | Signal::User2
            | Signal::WindowChange => kill_process_group(group, signal.into()),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    fn foreground(&self) -> io::Result<Option<Pid>> {
        match tcgetpgrp(&*self.master) {
            Ok(group) => Ok(Some(group)),
            // So rustix reports group 0, which is what the kernel says once the session is over.
            Err(Errno::OPNOTSUPP) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}
