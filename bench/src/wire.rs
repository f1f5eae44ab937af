//! One connection that carries whole messages, with blocking I/O.
//!
//! It is written by hand so that the client costs little and the same for every server: no runtime, no thread
//! of its own, one `read` for as much as there is, and messages are lent out of the buffer they arrived in.

mod inbox;
mod pipe;
mod websocket;

use std::io;
use std::net::TcpStream;
use std::process::{ChildStdin, ChildStdout};

use clap::ValueEnum;
use serde::Serialize;

use inbox::Inbox;
pub(crate) use websocket::{accept, append_header};

/// How messages are framed and carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wire {
    /// A message per line on the server's stdin and stdout.
    Stdio,
    /// A message per text frame.
    Websocket,
}

impl Wire {
    /// What takes the place of `{listen}`.
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Websocket => "ws://127.0.0.1:0",
        }
    }

    /// As it is written in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Websocket => "websocket",
        }
    }
}

/// The half that sends.
#[derive(Debug)]
pub(crate) struct Outgoing {
    to: SendTo,
    framed: Vec<u8>,
}

#[derive(Debug)]
enum SendTo {
    Pipe(ChildStdin),
    Socket(TcpStream),
}

/// The half that receives.
#[derive(Debug)]
pub(crate) struct Incoming {
    from: ReceiveFrom,
    inbox: Inbox,
}

#[derive(Debug)]
enum ReceiveFrom {
    Pipe(ChildStdout),
    Socket(TcpStream),
}

/// A connection over a child's stdin and stdout.
pub(crate) fn over_stdio(stdin: ChildStdin, stdout: ChildStdout) -> (Outgoing, Incoming) {
    let outgoing = Outgoing {
        to: SendTo::Pipe(stdin),
        framed: Vec::new(),
    };
    (
        outgoing,
        Incoming {
            from: ReceiveFrom::Pipe(stdout),
            inbox: Inbox::new(),
        },
    )
}

/// Connects to `ws://HOST:PORT`, with `TCP_NODELAY`.
pub(crate) fn over_websocket(url: &str) -> io::Result<(Outgoing, Incoming)> {
    let mut inbox = Inbox::new();
    let socket = websocket::connect(url, &mut inbox)?;
    let outgoing = Outgoing {
        to: SendTo::Socket(socket.try_clone()?),
        framed: Vec::new(),
    };
    Ok((
        outgoing,
        Incoming {
            from: ReceiveFrom::Socket(socket),
            inbox,
        },
    ))
}

impl Outgoing {
    /// Sends one message, in one `write`.
    pub(crate) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.framed.clear();
        match &mut self.to {
            SendTo::Pipe(stdin) => pipe::send(stdin, message, &mut self.framed),
            SendTo::Socket(socket) => websocket::send(socket, message, &mut self.framed),
        }
    }
}

impl Incoming {
    /// The next message, or None at the end. It is lent until the next call.
    pub(crate) fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        let range = match &mut self.from {
            ReceiveFrom::Pipe(stdout) => pipe::receive(stdout, &mut self.inbox)?,
            ReceiveFrom::Socket(socket) => websocket::receive(socket, &mut self.inbox)?,
        };
        Ok(range.map(|range| self.inbox.bytes(range)))
    }
}
