//! A server that is our child: one message per line.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::MAX_MESSAGE_BYTES;

/// What is read from the pipe at once, in bytes: the size of a Linux pipe.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Longest line, in bytes: one message, and its newline.
const MAX_LINE_BYTES: usize = MAX_MESSAGE_BYTES + 1;

/// How long a server may take to leave after its stdin ended.
///
/// It first ends its processes, for which it gives them 2 s by default.
const LEAVE_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Sender {
    stdin: BufWriter<ChildStdin>,
    server: Child,
}

#[derive(Debug)]
pub(super) struct Receiver {
    stdout: BufReader<ChildStdout>,
    /// The beginning of a line whose end has not come yet: a dropped `receive` keeps it.
    line: Vec<u8>,
}

pub(super) fn start(mut command: Command) -> io::Result<(Sender, Receiver)> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let mut server = command.spawn()?;
    let stdin = BufWriter::new(server.stdin.take().expect("stdin is piped"));
    let stdout = server.stdout.take().expect("stdout is piped");
    let stdout = BufReader::with_capacity(READ_BUFFER_BYTES, stdout);
    Ok((
        Sender { stdin, server },
        Receiver {
            stdout,
            line: Vec::new(),
        },
    ))
}

impl Sender {
    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.stdin.write_all(message).await?;
        self.stdin.write_all(b"\n").await?;
        self.stdin.flush().await
    }

    pub(super) async fn close(self) -> Option<ExitStatus> {
        let Self { stdin, mut server } = self;
        drop(stdin);
        if let Ok(status) = timeout(LEAVE_PATIENCE, server.wait()).await {
            return status.ok();
        }
        tracing::warn!("the server did not leave in time and is killed");
        // It may have left just now, and then there is nothing to kill.
        let _ = server.kill().await;
        None
    }
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Option<Bytes> {
        loop {
            let mut limited = (&mut self.stdout).take((MAX_LINE_BYTES - self.line.len()) as u64);
            let read = limited.read_until(b'\n', &mut self.line).await;
            let line = match read {
                Ok(_) if self.line.ends_with(b"\n") => std::mem::take(&mut self.line),
                Ok(_) => return self.end(),
                Err(error) => {
                    tracing::debug!(%error, "reading from the server failed");
                    return None;
                }
            };
            let line = Bytes::from(line);
            let message = line.trim_ascii();
            if !message.is_empty() {
                return Some(line.slice_ref(message));
            }
        }
    }

    /// The pipe has ended, or nothing that comes can be told apart any more.
    fn end(&mut self) -> Option<Bytes> {
        if self.line.len() == MAX_LINE_BYTES {
            tracing::warn!("the server sent a line of more than {MAX_MESSAGE_BYTES} bytes");
            return None;
        }
        let line = Bytes::from(std::mem::take(&mut self.line));
        let message = line.trim_ascii();
        (!message.is_empty()).then(|| line.slice_ref(message))
    }
}
