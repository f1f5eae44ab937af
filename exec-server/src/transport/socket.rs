//! A connected socket, of either family.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// What the system holds for a peer that does not keep up, in bytes.
///
/// An answer waits for it, and a connection that is cut loses it. More did not make anything faster.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// What the system holds and has not begun to send, in bytes, before it takes no more.
#[cfg(target_os = "linux")]
const NOT_SENT_BYTES: u32 = 128 << 10;

/// A connected socket, of either family.
#[derive(Debug)]
pub(super) enum Socket {
    /// Of the network.
    Tcp(TcpStream),
    /// Of this machine.
    Unix(UnixStream),
}

impl Socket {
    /// Makes it fit for keystrokes, and for answers in the middle of a flood.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub(super) fn set_options(&self) -> io::Result<()> {
        SockRef::from(self).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        if let Self::Tcp(stream) = self {
            // A keystroke's echo is a small packet that must not wait for another.
            stream.set_nodelay(true)?;
            #[cfg(target_os = "linux")]
            SockRef::from(stream).set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
        }
        Ok(())
    }

    /// Waits until there is something to read, or the socket is broken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }

    /// Waits until there is room for more, or the socket is broken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Reads what there is. If that is less than there is room for, nothing is left, and a look at the socket is saved: what
    /// comes from now on makes it ready again.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; what the operating system says.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let mut bytes = None;
        // Within the one attempt, so that nothing that comes meanwhile is taken for seen.
        let read = || {
            let read = rustix::io::read(self, &mut *buffer)?;
            bytes = Some(read);
            if 0 < read && read < room {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        };
        let read = match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, read),
            Self::Unix(stream) => stream.try_io(Interest::READABLE, read),
        };
        bytes.map_or(read, Ok)
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}
