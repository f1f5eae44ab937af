//! A socket that can still be read when what lies over it no longer can, and that knows when its peer was heard.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::socket::Socket;

/// A handle on a socket. Cloning gives another one on the same socket.
#[derive(Debug, Clone)]
pub(super) struct SharedStream(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    socket: Socket,
    opened: Instant,
    /// When there was the last sign of life, in milliseconds from `opened` on.
    heard_ms: AtomicU64,
    /// Whether something of what was to be written is left.
    is_held_up: AtomicBool,
    /// What was read since others had their turn, in bytes.
    read_in_turn: AtomicUsize,
    /// Whether a turn has ended of which nobody has asked yet.
    has_given_way: AtomicBool,
}

/// What is read in one turn, in bytes. There may be thousands of frames in it that are no messages, so that nobody else gives way.
const TURN_BYTES: usize = 16 << 10;

impl SharedStream {
    pub(super) fn new(socket: Socket) -> Self {
        Self(Arc::new(Shared {
            socket,
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
            is_held_up: AtomicBool::new(false),
            read_in_turn: AtomicUsize::new(0),
            has_given_way: AtomicBool::new(false),
        }))
    }

    /// When the peer was last heard: it sent something, or made room for more when there was none.
    ///
    /// The second is all that is heard of one that is busy with a long message and has nothing to say.
    pub(super) fn heard_at(&self) -> Instant {
        self.0.opened + Duration::from_millis(self.0.heard_ms.load(Ordering::Relaxed))
    }

    /// Whether something waits until the peer makes room for it.
    pub(super) fn is_held_up(&self) -> bool {
        self.0.is_held_up.load(Ordering::Relaxed)
    }

    /// Waits until there is room for more, or the socket is broken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn has_room(&self) {
        // What is wrong with it is seen by whoever writes or reads.
        let _ = self.0.socket.writable().await;
    }

    /// Whether a turn has ended since this was asked: a read of this socket was put off for the others' sake.
    pub(super) fn has_given_way(&self) -> bool {
        self.0.has_given_way.swap(false, Ordering::Relaxed)
    }

    fn hear(&self) {
        let passed = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.heard_ms.store(passed, Ordering::Relaxed);
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    ///
    /// When the socket is broken.
    fn end(&self) -> io::Result<()> {
        Ok(shutdown(&self.0.socket, Shutdown::Write)?)
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
        if self.end().is_err() {
            return;
        }
        while self.0.socket.readable().await.is_ok() {
            match self.0.socket.try_read(scratch) {
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
            ready!(self.0.socket.poll_read_ready(cx))?;
            if self.0.read_in_turn.load(Ordering::Relaxed) >= TURN_BYTES {
                self.0.read_in_turn.store(0, Ordering::Relaxed);
                self.0.has_given_way.store(true, Ordering::Relaxed);
                return give_way(cx).map(Ok);
            }
            match self.0.socket.try_read(buf.initialize_unfilled()) {
                Ok(bytes) => {
                    if bytes > 0 {
                        self.hear();
                    }
                    self.0.read_in_turn.fetch_add(bytes, Ordering::Relaxed);
                    buf.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Has the task woken when the others have had their turn.
pub(super) fn give_way(cx: &mut Context<'_>) -> Poll<()> {
    // It is not kept, as whoever is woken looks again at everything.
    pin!(yield_now()).poll(cx)
}

impl AsyncWrite for SharedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if self.0.socket.poll_write_ready(cx)?.is_pending() {
                self.0.is_held_up.store(true, Ordering::Relaxed);
                return Poll::Pending;
            }
            match self.0.socket.try_write(buf) {
                Ok(bytes) => {
                    if self.is_held_up() {
                        self.hear();
                    }
                    self.0.is_held_up.store(bytes < buf.len(), Ordering::Relaxed);
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has no buffer of its own that could be flushed.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The two ends of a connection.
    pub(in super::super) async fn pair() -> (SharedStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (peer, accepted) = tokio::join!(connecting, listener.accept());
        (SharedStream::new(Socket::Tcp(accepted.unwrap().0)), peer.unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_read_is_a_sign_of_life() {
        let (mut socket, mut peer) = pair().await;
        advance(SECOND).await;
        assert_eq!(socket.heard_at(), Instant::now() - SECOND);
        peer.write_all(b"x").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'x');
        assert_eq!(socket.heard_at(), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_a_sign_of_life_if_there_was_none() {
        let (mut socket, mut peer) = pair().await;
        advance(SECOND).await;
        let opened = socket.heard_at();
        socket.write_all(b"x").await.unwrap();
        assert_eq!(
            socket.heard_at(),
            opened,
            "the system takes it, whether or not there is a peer"
        );
        // Until nobody takes anything any more.
        let chunk = vec![b'x'; 64 << 10];
        let mut written = 1;
        let fill = poll_fn(|cx| {
            loop {
                match Pin::new(&mut socket).poll_write(cx, &chunk) {
                    Poll::Ready(bytes) => written += bytes.unwrap(),
                    Poll::Pending => return Poll::Ready(()),
                }
            }
        });
        fill.await;
        assert!(socket.is_held_up());
        advance(SECOND).await;
        let before = Instant::now();
        assert!(socket.heard_at() < before);
        let mut taken = vec![0; written];
        let (read, wrote) = tokio::join!(peer.read_exact(&mut taken), socket.write_all(&chunk));
        read.unwrap();
        wrote.unwrap();
        assert_eq!(socket.heard_at(), before);
        assert!(!socket.is_held_up());
    }
}
