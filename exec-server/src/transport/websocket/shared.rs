//! A socket that can still be read when the websocket over it no longer can.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A handle on a socket. Cloning gives another one on the same socket.
#[derive(Debug, Clone)]
pub(super) struct SharedStream(Arc<TcpStream>);

impl SharedStream {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    /// Takes note that a read got less than it had room for: nothing is left, and a look at the socket can be saved. What
    /// comes from now on makes it ready again.
    fn is_drained(&self) {
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(Interest::READABLE, nothing);
    }

    /// Says that nothing more will be sent, then takes in and drops what the peer still sends, until
    /// it hangs up.
    ///
    /// A socket that is closed with unread input is reset, and the peer loses what it has not read
    /// yet: the goodbye, and the reason in it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn drain(&self, scratch: &mut [u8]) {
        if shutdown(&self.0, Shutdown::Write).is_err() {
            return;
        }
        while self.0.readable().await.is_ok() {
            match self.0.try_read(scratch) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

impl AsyncRead for SharedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            let room = buf.remaining();
            match self.0.try_read(buf.initialize_unfilled()) {
                Ok(bytes) => {
                    if bytes < room {
                        self.is_drained();
                    }
                    buf.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.0.try_write(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has no buffer of its own that could be flushed.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The websocket says goodbye in its own way; the socket closes with its last handle.
        Poll::Ready(Ok(()))
    }
}
