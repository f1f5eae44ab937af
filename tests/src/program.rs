//! The real binary as a program that is run: bytes in, bytes out.

use std::io;
use std::process::{ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use crate::fixture;
use crate::os::OsProcess;
use crate::wait::within_patience;

/// The server's binary with these arguments, not yet started.
pub fn server<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(fixture::program("exec-server-under-test"));
    command.args(arguments);
    command
}

/// Starts a program, gives it this input to its end, and waits until it has left.
///
/// # Panics
///
/// If it cannot be started, or does not leave.
///
/// # Cancel safety
///
/// Cancel safe: the program is killed.
pub async fn output(command: Command, input: impl AsRef<[u8]>) -> Output {
    let mut running = Running::start(command);
    running.write(input).await;
    running.close_stdin();
    running.output().await
}

/// The messages that a server wrote, a line each.
pub fn messages(stdout: &[u8]) -> Vec<Value> {
    stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a line is a message"))
        .collect()
}

/// A program that runs, with pipes to it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it has said on standard output.
    pub stdout: Vec<u8>,
    /// What it has said on standard error.
    pub stderr: Vec<u8>,
}

impl Running {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the program can be started");
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    /// The process.
    pub fn process(&self) -> OsProcess {
        let pid = self.child.id().expect("nobody has waited for it");
        OsProcess::with_pid(pid).expect("nobody has waited for it")
    }

    /// Writes to its standard input, and takes in what it says meanwhile. What a program does not
    /// want to read any more is dropped.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been written.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let mut stdin = self.stdin.take().expect("stdin is not closed");
        {
            let writing = async {
                stdin.write_all(bytes.as_ref()).await?;
                stdin.flush().await
            };
            let mut writing = std::pin::pin!(writing);
            let both = async {
                loop {
                    tokio::select! {
                        biased;
                        written = &mut writing => break written,
                        () = self.take_output() => {}
                    }
                }
            };
            match within_patience("the program to read", both).await {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                written => written.expect("a pipe can be written"),
            }
        }
        self.stdin = Some(stdin);
    }

    /// Ends its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process().pid).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid is positive"), signal).expect("it runs");
    }

    /// Waits until its standard output contains this.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stdout_until(&mut self, text: &str) {
        let what = format!("{text:?} on stdout");
        within_patience(&what, async {
            while !String::from_utf8_lossy(&self.stdout).contains(text) {
                self.take_output().await;
            }
        })
        .await;
    }

    /// Waits until its standard error contains this so many times.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stderr_until(&mut self, text: &str, times: usize) {
        let what = format!("{text:?} on stderr, {times} times");
        within_patience(&what, async {
            while String::from_utf8_lossy(&self.stderr).matches(text).count() < times {
                self.take_output().await;
            }
        })
        .await;
    }

    /// Waits for what it says next on either stream. Never returns once both have ended.
    async fn take_output(&mut self) {
        let Child { stdout, stderr, .. } = &mut self.child;
        tokio::select! {
            biased;
            () = take(stdout, &mut self.stdout) => {}
            () = take(stderr, &mut self.stderr) => {}
        }
    }

    /// Waits until it has left, and returns everything that it said.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the program is killed.
    pub async fn output(mut self) -> Output {
        let status = within_patience("the program to leave", self.left()).await;
        Output {
            status,
            stdout: self.stdout,
            stderr: self.stderr,
        }
    }

    async fn left(&mut self) -> ExitStatus {
        let Child { stdout, stderr, .. } = &mut self.child;
        tokio::join!(rest(stdout, &mut self.stdout), rest(stderr, &mut self.stderr));
        self.child.wait().await.expect("nobody else has waited for it")
    }
}

async fn take(from: &mut Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    let Some(stream) = from else {
        return std::future::pending().await;
    };
    if stream.read_buf(to).await.expect("a pipe can be read") == 0 {
        *from = None;
    }
}

async fn rest(from: &mut Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    if let Some(stream) = from {
        stream.read_to_end(to).await.expect("a pipe can be read");
    }
}
