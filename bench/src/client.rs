//! The client: sends requests, lends out what comes back.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::event::Event;
use crate::wire::{Incoming, Outgoing};

/// Why a run could not be finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The connection ended.
    #[error("the server hung up")]
    HungUp,
    /// A request was answered by an error.
    #[error("refused: {0}")]
    Refused(String),
    /// What came is not what has to come.
    #[error("{0}")]
    Wrong(String),
}

/// The members of `process/start` that are the same for every command. A Codex CLI sends all but the last.
const ALWAYS_SENT: &str = concat!(
    r#""cwd":"file:///","env":{"PATH":"/usr/bin:/bin"},"arg0":null,"metadata":null,"sandbox":null,"#,
    r#""enforceManagedNetwork":false,"managedNetwork":null,"onSlowClient":"block""#,
);

/// Which notifications a client asks for. A server that does not know the member sends all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notifications {
    /// Output is pushed.
    All,
    /// Output is fetched by `process/read`.
    None,
}

/// What `process/start` needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// Program and arguments; the program is an absolute path.
    pub(crate) argv: &'a [&'a str],
    /// Where its streams are.
    pub(crate) streams: Streams,
}

/// What a process reads from and writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Pipes, and nothing to read.
    Pipes,
    /// Pipes, one of them for stdin.
    PipedStdin,
    /// A terminal.
    Terminal,
}

/// A connection whose handshake is over.
#[derive(Debug)]
pub(crate) struct Client {
    /// Sends requests.
    pub(crate) requests: Requests,
    incoming: Incoming,
}

/// The half that sends requests. Each returns its id.
#[derive(Debug)]
pub(crate) struct Requests {
    outgoing: Outgoing,
    text: String,
    last_id: u64,
}

impl Client {
    /// Shakes hands.
    pub(crate) fn open(
        (outgoing, incoming): (Outgoing, Incoming),
        notifications: Notifications,
    ) -> Result<Self, Failure> {
        let mut client = Self::raw((outgoing, incoming));
        let kind = match notifications {
            Notifications::All => "all",
            Notifications::None => "none",
        };
        let id = client.requests.send(
            "initialize",
            format_args!(r#"{{"clientName":"exec-bench","resumeSessionId":null,"notifications":"{kind}"}}"#),
        )?;
        client.answer(id)?;
        client
            .requests
            .outgoing
            .send(br#"{"method":"initialized","params":{}}"#)?;
        Ok(client)
    }

    /// A connection without a handshake.
    pub(crate) fn raw((outgoing, incoming): (Outgoing, Incoming)) -> Self {
        Self {
            requests: Requests {
                outgoing,
                text: String::new(),
                last_id: 0,
            },
            incoming,
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Result<Event<'_>, Failure> {
        self.incoming.receive()?.map(Event::parse).ok_or(Failure::HungUp)
    }

    /// Waits for the answer to `id`, and passes over everything before it.
    pub(crate) fn answer(&mut self, id: u64) -> Result<(), Failure> {
        loop {
            match self.next()? {
                Event::Answer { id: found, .. } if found == id => return Ok(()),
                event => event.refusal()?,
            }
        }
    }

    /// The next message as it came, and the half that sends while it is lent.
    pub(crate) fn next_message(&mut self) -> Result<(&[u8], &mut Requests), Failure> {
        let message = self.incoming.receive()?.ok_or(Failure::HungUp)?;
        Ok((message, &mut self.requests))
    }
}

impl Event<'_> {
    /// Fails if this is the refusal of a request.
    pub(crate) fn refusal(&self) -> Result<(), Failure> {
        match self {
            Event::Refused { message, .. } => {
                Err(Failure::Refused(String::from_utf8_lossy(message).into_owned()))
            }
            Event::Output { .. }
            | Event::Exited { .. }
            | Event::Closed { .. }
            | Event::Answer { .. }
            | Event::Other => Ok(()),
        }
    }
}

impl Requests {
    /// `process/start`. Everything that a Codex CLI sends is sent, because a server may want it.
    pub(crate) fn start(&mut self, process: u32, start: Start<'_>) -> io::Result<u64> {
        let argv = serde_json::to_string(start.argv)?;
        let tty = start.streams == Streams::Terminal;
        let piped = start.streams == Streams::PipedStdin;
        self.send(
            "process/start",
            format_args!(
                r#"{{"processId":"p{process}","argv":{argv},"tty":{tty},"pipeStdin":{piped},{ALWAYS_SENT}}}"#
            ),
        )
    }

    /// `process/start` on pipes, of a process that runs on although nobody reads what it says.
    pub(crate) fn start_unread(&mut self, process: u32, argv: &[&str]) -> io::Result<u64> {
        let argv = serde_json::to_string(argv)?;
        self.send(
            "process/start",
            format_args!(r#"{{"processId":"p{process}","argv":{argv},"onSlowClient":"skip"}}"#),
        )
    }

    /// `process/write`. The write id is the request's.
    pub(crate) fn write(&mut self, process: u32, base64: &str) -> io::Result<u64> {
        let id = self.last_id + 1;
        self.send(
            "process/write",
            format_args!(r#"{{"processId":"p{process}","chunk":"{base64}","writeId":"{id}"}}"#),
        )
    }

    /// `process/write` with a write id of the caller's, so that it can be repeated.
    pub(crate) fn write_named(&mut self, process: u32, base64: &str, name: usize) -> io::Result<u64> {
        self.send(
            "process/write",
            format_args!(r#"{{"processId":"p{process}","chunk":"{base64}","writeId":"{name}"}}"#),
        )
    }

    /// `process/read`.
    pub(crate) fn read(&mut self, process: u32, after_seq: u64, wait_ms: u32) -> io::Result<u64> {
        self.send(
            "process/read",
            format_args!(r#"{{"processId":"p{process}","afterSeq":{after_seq},"waitMs":{wait_ms}}}"#),
        )
    }

    /// `fs/getMetadata`.
    pub(crate) fn get_metadata(&mut self, path: &Path) -> io::Result<u64> {
        let path = path.display();
        self.send(
            "fs/getMetadata",
            format_args!(r#"{{"path":"file://{path}","sandbox":null}}"#),
        )
    }

    /// `fs/readFile`.
    pub(crate) fn read_file(&mut self, path: &Path) -> io::Result<u64> {
        let path = path.display();
        self.send(
            "fs/readFile",
            format_args!(r#"{{"path":"file://{path}","sandbox":null}}"#),
        )
    }

    /// `fs/writeFile`.
    pub(crate) fn write_file(&mut self, path: &Path, base64: &str) -> io::Result<u64> {
        let path = path.display();
        self.send(
            "fs/writeFile",
            format_args!(r#"{{"path":"file://{path}","dataBase64":"{base64}","sandbox":null}}"#),
        )
    }

    /// `process/wait`, for its close.
    pub(crate) fn wait_for_close(&mut self, process: u32) -> io::Result<u64> {
        self.send(
            "process/wait",
            format_args!(r#"{{"processIds":["p{process}"],"until":{{"kind":"closed"}},"waitMs":60000}}"#),
        )
    }

    /// `task/submit`, of a task whose id is `t` and a number.
    pub(crate) fn submit(&mut self, task: u32, argv: &[&str]) -> io::Result<u64> {
        let argv = serde_json::to_string(argv)?;
        self.send(
            "task/submit",
            format_args!(r#"{{"taskId":"t{task}","argv":{argv}}}"#),
        )
    }

    /// `task/wait`.
    pub(crate) fn wait_for_task(&mut self, task: u32) -> io::Result<u64> {
        self.send(
            "task/wait",
            format_args!(r#"{{"taskIds":["t{task}"],"waitMs":60000}}"#),
        )
    }

    /// What is no request of the protocol: the start signal of a blocking loop.
    pub(crate) fn go(&mut self) -> io::Result<()> {
        self.outgoing.send(b"{}")
    }

    fn send(&mut self, method: &str, params: std::fmt::Arguments<'_>) -> io::Result<u64> {
        self.last_id += 1;
        let id = self.last_id;
        self.text.clear();
        write!(
            self.text,
            r#"{{"id":{id},"method":"{method}","params":{params}}}"#
        )
        .map_err(io::Error::other)?;
        self.outgoing.send(self.text.as_bytes())?;
        Ok(id)
    }
}
