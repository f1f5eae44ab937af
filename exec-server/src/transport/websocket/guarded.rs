//! A wire whose frames are counted before they are put together.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::fragments::Fragments;
use crate::transport::shared::give_way;
use crate::transport::wire::Wire;

/// A wire on which a message in too small fragments is an error. Cloning gives another handle on the same wire, for who says
/// goodbye behind the last frame.
///
/// The library that puts frames together says nothing before a message is complete, and lets nobody get at what is below it.
#[derive(Debug, Clone)]
pub(super) struct GuardedWire(Arc<Mutex<Guarded>>);

/// Locked for the length of a call that does not wait. The library takes turns already, so nobody else wants it meanwhile.
#[derive(Debug)]
struct Guarded {
    wire: Wire,
    fragments: Fragments,
    pace: Pace,
    /// Whether the others have their turn before anything else is read.
    turn_is_over: bool,
}

/// How much is read at a time.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// As much as the library wants.
    Usual,
    /// No more than is worked off in some ten microseconds: what was read last were short fragments. They cost by their
    /// number, and the library stops for nobody before it is through with those that it has.
    ShortFragments,
}

/// What is read of short fragments in one turn, in bytes.
const READ_IN_FRAGMENTS_BYTES: usize = 2 << 10;

/// How long short fragments are on average at most, in bytes, with their heads.
const SHORT_FRAGMENT_BYTES: usize = 64;

/// What there is of a message has less in it than the heads of its fragments are long.
#[derive(Debug, thiserror::Error)]
#[error("the fragments of a message are too small")]
pub(super) struct SmallFragments;

impl GuardedWire {
    /// Over a wire on which so much has come already.
    pub(super) fn new(wire: Wire, received: &[u8]) -> Self {
        let mut fragments = Fragments::default();
        fragments.came(received);
        Self(Arc::new(Mutex::new(Guarded {
            wire,
            fragments,
            pace: Pace::Usual,
            turn_is_over: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}

impl AsyncRead for GuardedWire {
    /// Fails with [`SmallFragments`] behind what makes them too small, so that nothing is lost that came before.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self.lock();
        if this.fragments.are_too_small() {
            return Poll::Ready(Err(io::Error::other(SmallFragments)));
        }
        if std::mem::take(&mut this.turn_is_over) {
            return give_way(cx).map(Ok);
        }
        let room = match this.pace {
            Pace::Usual => buf.remaining(),
            Pace::ShortFragments => buf.remaining().min(READ_IN_FRAGMENTS_BYTES),
        };
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.wire).poll_read(cx, &mut part))?;
        let read = part.filled();
        this.fragments.came(read);
        let bytes = read.len();
        this.turn_is_over = this.fragments.begun() * SHORT_FRAGMENT_BYTES > bytes;
        this.pace = if this.turn_is_over {
            Pace::ShortFragments
        } else {
            Pace::Usual
        };
        buf.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for GuardedWire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.lock().wire).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().wire).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().wire).poll_shutdown(cx)
    }
}
