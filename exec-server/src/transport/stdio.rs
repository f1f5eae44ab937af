//! One message per line over standard input and output.

use std::io;
use std::os::fd::OwnedFd;

use async_trait::async_trait;
use rustix::fs::{FileType, fstat};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::{Batch, CloseReason, Connection, MessageSink, MessageSource, Received};
use crate::framing::{Frame, LineDecoder};
use crate::limits::MAX_MESSAGE_BYTES;

/// How much is read at a time, in bytes: what a pipe holds by default.
const READ_BYTES: usize = 64 << 10;

/// What the pipe to the peer is to hold, in bytes: the smallest power of two that a batch fits into.
///
/// An answer waits for what it holds, so it is no larger.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = crate::limits::WRITE_BATCH_BYTES.next_power_of_two();

/// A connection over this program's standard input and output.
///
/// Pipes and sockets are read and written without a thread in between; they become non-blocking
/// for everyone who shares them. A terminal or a file is left as it is, and served by a thread.
///
/// # Errors
///
/// When one of the two is closed or cannot be registered for readiness.
pub(crate) fn stdio() -> io::Result<Connection> {
    let stdin = rustix::stdio::stdin().try_clone_to_owned()?;
    let stdout = rustix::stdio::stdout().try_clone_to_owned()?;
    Ok(Connection::new(
        Lines {
            input: reader(stdin)?,
            decoder: LineDecoder::new(MAX_MESSAGE_BYTES),
            is_finished: false,
        },
        LineSink {
            output: writer(stdout)?,
        },
    ))
}

fn reader(stdin: OwnedFd) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
    Ok(match file_type(&stdin)? {
        FileType::Fifo => Box::new(pipe::Receiver::from_owned_fd(stdin)?),
        FileType::Socket => Box::new(socket(stdin)?),
        _ => Box::new(tokio::io::stdin()),
    })
}

fn writer(stdout: OwnedFd) -> io::Result<Box<dyn AsyncWrite + Send + Unpin>> {
    Ok(match file_type(&stdout)? {
        FileType::Fifo => {
            grow(&stdout);
            Box::new(pipe::Sender::from_owned_fd(stdout)?)
        }
        FileType::Socket => Box::new(socket(stdout)?),
        _ => Box::new(tokio::io::stdout()),
    })
}

/// Makes the pipe large enough for a whole batch, if the system lets us.
///
/// Else each message of a flood takes two writes, and the peer is woken to read a part of it.
#[cfg(target_os = "linux")]
fn grow(stdout: &OwnedFd) {
    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

    if fcntl_getpipe_size(stdout).is_ok_and(|bytes| bytes < PIPE_BYTES)
        && let Err(error) = fcntl_setpipe_size(stdout, PIPE_BYTES)
    {
        tracing::debug!(%error, "stdout stays as small as it is");
    }
}

#[cfg(not(target_os = "linux"))]
fn grow(_stdout: &OwnedFd) {}

fn file_type(fd: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(fd);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

struct Lines {
    input: Box<dyn AsyncRead + Send + Unpin>,
    decoder: LineDecoder,
    is_finished: bool,
}

#[async_trait]
impl MessageSource for Lines {
    async fn next(&mut self) -> Received {
        loop {
            let frame = if self.is_finished {
                self.decoder.finish()
            } else {
                self.decoder.next()
            };
            match frame {
                Some(Frame::Message(message)) => return Received::Message(message),
                Some(Frame::TooLong) => return Received::too_long(),
                None if self.is_finished => return Received::Finished,
                None => {}
            }
            let buffer = self.decoder.buffer();
            buffer.reserve(READ_BYTES);
            match self.input.read_buf(buffer).await {
                Ok(0) => self.is_finished = true,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "stdin cannot be read");
                    self.is_finished = true;
                }
            }
        }
    }
}

struct LineSink {
    output: Box<dyn AsyncWrite + Send + Unpin>,
}

#[async_trait]
impl MessageSink for LineSink {
    async fn send(&mut self, batch: &mut Batch) -> io::Result<()> {
        self.output.write_all(batch.lines()).await?;
        self.output.flush().await
    }

    async fn close(&mut self, _reason: CloseReason) {
        // The peer sees the end of file when this program leaves.
    }
}
