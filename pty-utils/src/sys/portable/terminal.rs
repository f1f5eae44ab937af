//! A terminal by its master.
use super::lock;
use crate::{signal::Signal, terminal::Size};
use portable_pty::{MasterPty, PtySize};
use std::{
    fmt,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
};

#[derive(Clone)]
pub(crate) struct Terminal {
    master: Arc<Mutex<Box<dyn MasterPty + Send>>>,
    name: Arc<Path>,
    /// Held because dropping it types an end of file.
    _writer: Writer,
}

pub(super) type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

impl Terminal {
    pub(super) fn new(master: Box<dyn MasterPty + Send>, writer: Writer) -> Self {
        Self {
            name: name(&*master).into(),
            master: Arc::new(Mutex::new(master)),
            _writer: writer,
        }
    }

    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        lock(&self.master).resize(size.into()).map_err(io::Error::other)
    }

    pub(crate) fn size(&self) -> io::Result<Size> {
        let PtySize { rows, cols, .. } = lock(&self.master).get_size().map_err(io::Error::other)?;
        Ok(Size { rows, cols })
    }

    #[cfg(unix)]
    pub(crate) fn end_of_file_char(&self) -> io::Result<Option<u8>> {
        let modes = lock(&self.master).get_termios();
        let modes = modes.ok_or(io::ErrorKind::Unsupported)?;
        let char = modes.control_chars[libc::VEOF];
        let canonical = modes.local_flags.bits() & libc::ICANON != 0;
        Ok((canonical && char != libc::_POSIX_VDISABLE).then_some(char))
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        reason = "where there are no modes, nobody can look at them"
    )]
    pub(crate) fn end_of_file_char(&self) -> io::Result<Option<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, reason = "the group can be asked for, but not signalled")]
    pub(crate) fn signal_foreground(&self, _: Signal) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn name(&self) -> &Path {
        &self.name
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl From<Size> for PtySize {
    fn from(Size { rows, cols }: Size) -> Self {
        Self {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        }
    }
}

#[cfg(unix)]
fn name(master: &dyn MasterPty) -> std::path::PathBuf {
    master.tty_name().unwrap_or_default()
}

#[cfg(not(unix))]
fn name(_: &dyn MasterPty) -> std::path::PathBuf {
    std::path::PathBuf::new()
}
