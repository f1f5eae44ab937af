//! What an owner does with its child's streams.

use std::io;
use std::time::Duration;

use pty_utils::{Input, Output, Read, Terminal};
use tokio::time::Instant;

use super::Owner;
use crate::process::lifecycle::{Close, Event};
use crate::process::stdin::{Next, StdinQueue};

/// How long a terminal is left alone at first that nobody holds. Most often its leader is about to exit.
pub(super) const FIRST_DESERTION: Duration = Duration::from_millis(1);

/// How long it is left alone at most.
const LONGEST_DESERTION: Duration = Duration::from_millis(100);

/// Most that is read from a terminal at its leader's exit, in bytes. A terminal cannot tell how much
/// it holds, and somebody else may go on writing to it.
const TERMINAL_DRAIN_BYTES: usize = 64 << 10;

/// Most that is read from an output before it is given up, in bytes: more than a pipe holds, or its end would not be seen.
const LAST_BYTES: usize = 320 << 10;

impl Owner {
    pub(super) fn write_stdin(&mut self) {
        let mut mailbox = self.process.lock();
        let stdin = &mut mailbox.stdin;
        let Some(input) = &self.input else { return };
        while let Some(next) = stdin.next() {
            let written = match next {
                Next::Bytes(bytes) => {
                    let written = input.try_write(bytes);
                    written.map(|bytes| bytes.map(|bytes| stdin.advance(bytes)))
                }
                Next::EndOfFile => write_end_of_file(stdin, input, self.terminal.as_ref()),
            };
            match written {
                Ok(Some(())) => {}
                Ok(None) => return,
                Err(error) => {
                    // The pipe was to be closed, or nobody holds its other end. A terminal says either.
                    if self.terminal.is_none() && error.kind() != io::ErrorKind::BrokenPipe {
                        tracing::warn!(%error, "stdin cannot be written, and is closed");
                    }
                    stdin.close();
                    self.input = None;
                    return;
                }
            }
        }
    }

    /// Reads what is there, and says how much that was, in bytes, and whether it was the last.
    pub(super) fn read_output(&mut self, at: usize) -> (usize, Option<Close>) {
        let output = &self.outputs[at];
        let log = &self.process.log;
        match log.push_read(stream(output), usize::MAX, |buffer| output.try_read(buffer)) {
            Ok(Read::Bytes(bytes)) => {
                self.desertion = FIRST_DESERTION;
                return (bytes, None);
            }
            Ok(Read::WouldBlock) => {}
            // Nobody holds the terminal now, but its leader may open it again. The system does not tell when: a
            // terminal that was hung up once counts as readable ever after.
            Ok(Read::EndOfFile) if self.terminal.is_some() && !self.has_exited => {
                self.deserted_until = Some(Instant::now() + self.desertion);
                self.desertion = LONGEST_DESERTION.min(2 * self.desertion);
            }
            Ok(Read::EndOfFile) => return (0, self.end_output(at)),
            Err(error) => {
                take_note(&mut self.failure, &error);
                return (0, self.end_output(at));
            }
        }
        (0, None)
    }

    fn end_output(&mut self, at: usize) -> Option<Close> {
        self.outputs.remove(at);
        if self.outputs.is_empty() {
            self.step(Event::OutputEnded)
        } else {
            None
        }
    }

    /// Publishes what there is, and lets go of outputs that came to their end. As far as [`LAST_BYTES`]: somebody may go
    /// on writing. Without room nothing is published, and only the end is looked for.
    pub(super) fn read_to_the_end(&mut self) {
        let has_room = self.process.log.has_room();
        self.publish(|output| match output.pending() {
            _ if has_room => LAST_BYTES,
            Ok(0) => 1,
            _ => 0,
        });
    }

    /// Publishes what was written so far, whether or not there is room for it: that is at most what a
    /// pipe holds.
    pub(super) fn read_what_is_left(&mut self) {
        self.publish(|output| match output.stream() {
            pty_utils::Stream::Pty => TERMINAL_DRAIN_BYTES,
            pty_utils::Stream::Stdout | pty_utils::Stream::Stderr => output.pending().unwrap_or(0),
        });
    }

    /// Publishes so much of each output.
    fn publish(&mut self, bytes: impl Fn(&Output) -> usize) {
        let (process, failure) = (&self.process, &mut self.failure);
        self.outputs.retain(|output| {
            let mut left = bytes(output);
            while left > 0 {
                let read = |buffer: &mut [u8]| output.read_now(buffer);
                match process.log.push_read(stream(output), left, read) {
                    Ok(Read::Bytes(bytes)) => left -= bytes,
                    Ok(Read::WouldBlock) => return true,
                    Ok(Read::EndOfFile) => return false,
                    Err(error) => {
                        take_note(failure, &error);
                        return false;
                    }
                }
            }
            true
        });
    }
}

/// What is given up now must not look like an end.
fn take_note(failure: &mut Option<String>, error: &io::Error) {
    tracing::warn!(%error, "output cannot be read, and is given up");
    failure.get_or_insert_with(|| format!("output could not be read: {error}"));
}

/// Waits until one of the outputs has something to read, and says which.
pub(super) async fn readable(outputs: &[Output]) -> usize {
    // What made waiting fail makes reading fail too, which is where it is dealt with.
    match outputs {
        [] => std::future::pending().await,
        [only] => {
            let _ = only.readable().await;
            0
        }
        [first, second, ..] => tokio::select! {
            _ = first.readable() => 0,
            _ = second.readable() => 1,
        },
    }
}

pub(super) async fn writable(input: Option<&Input>) {
    match input {
        Some(input) => {
            // What made waiting fail makes writing fail too.
            let _ = input.writable().await;
        }
        None => std::future::pending().await,
    }
}

/// Types the end of file on a terminal. A pipe has no such character: it is to be closed, and the
/// error is the one that a closed pipe gives. None if the terminal takes nothing now.
fn write_end_of_file(
    stdin: &mut StdinQueue,
    input: &Input,
    terminal: Option<&Terminal>,
) -> io::Result<Option<()>> {
    // Without canonical mode there is no character that means the end, and nothing to type.
    if let Some(char) = terminal.ok_or(io::ErrorKind::BrokenPipe)?.end_of_file_char()? {
        if stdin.is_in_mid_line() {
            // The first one hands the line on, and only the second is the end.
            if input.try_write(&[char])?.is_none() {
                return Ok(None);
            }
            stdin.hand_line_on();
        }
        if input.try_write(&[char])?.is_none() {
            return Ok(None);
        }
    }
    stdin.pass_end();
    Ok(Some(()))
}

fn stream(output: &Output) -> exec_protocol::process::Stream {
    match output.stream() {
        pty_utils::Stream::Stdout => exec_protocol::process::Stream::Stdout,
        pty_utils::Stream::Stderr => exec_protocol::process::Stream::Stderr,
        pty_utils::Stream::Pty => exec_protocol::process::Stream::Pty,
    }
}
