//! A server under test, as a child.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::client::{Client, Failure, Notifications};
use crate::command_line::CommandLine;
use crate::proc::{self, Cpu};
use crate::wire::{self, Incoming, Outgoing, Wire};

/// How long a server may take to say where it listens.
const URL_TIME: Duration = Duration::from_secs(10);

/// How often and how long a server that says nothing is tried.
const ATTEMPTS: u32 = 500;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(10);

/// A server that runs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    reach: Reach,
}

#[derive(Debug)]
enum Reach {
    Stdio(Option<(ChildStdin, ChildStdout)>),
    Websocket(String),
}

impl Server {
    /// Starts it, and on a websocket waits until it says where it listens.
    pub(crate) fn spawn(command: &CommandLine, wire: Wire) -> Result<Self, Failure> {
        match wire {
            Wire::Stdio => Self::spawn_stdio(command.command(wire.address())),
            Wire::Websocket => Self::spawn_websocket(command.command(wire.address()))
                .or_else(|_| Self::spawn_at_chosen_port(command)),
        }
    }

    /// Over its stdin and stdout.
    pub(crate) fn spawn_stdio(mut command: Command) -> Result<Self, Failure> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let streams = child.stdin.take().zip(child.stdout.take());
        Ok(Self {
            child,
            reach: Reach::Stdio(streams),
        })
    }

    /// Over a websocket whose URL it prints, on stdout or on stderr.
    pub(crate) fn spawn_websocket(mut command: Command) -> Result<Self, Failure> {
        // Some end when their stdin does; this one stays open as long as the child is held.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (found, url) = mpsc::channel();
        watch(child.stdout.take(), &found);
        watch(child.stderr.take(), &found);
        drop(found);
        let mut server = Self {
            child,
            reach: Reach::Websocket(String::new()),
        };
        server.reach = Reach::Websocket(first(&url)?);
        Ok(server)
    }

    /// For a server that cannot choose a port, or does not tell which.
    fn spawn_at_chosen_port(command: &CommandLine) -> Result<Self, Failure> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let url = format!("ws://{address}");
        let mut command = command.command(&url);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self {
            child: command.spawn()?,
            reach: Reach::Websocket(url.clone()),
        };
        for _ in 0..ATTEMPTS {
            if wire::over_websocket(&url).is_ok() {
                return Ok(server);
            }
            thread::sleep(ATTEMPT_PAUSE);
        }
        Err(Failure::Wrong(
            "the server does not say where it listens".to_owned(),
        ))
    }

    /// A connection without a handshake. On stdio there is only one.
    pub(crate) fn connect(&mut self) -> Result<(Outgoing, Incoming), Failure> {
        match &mut self.reach {
            Reach::Stdio(streams) => {
                let (stdin, stdout) = streams.take().ok_or(Failure::HungUp)?;
                Ok(wire::over_stdio(stdin, stdout))
            }
            Reach::Websocket(url) => Ok(wire::over_websocket(url)?),
        }
    }

    /// A connection whose handshake is over.
    pub(crate) fn client(&mut self, notifications: Notifications) -> Result<Client, Failure> {
        Client::open(self.connect()?, notifications)
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> io::Result<Cpu> {
        Cpu::of(self.child.id())
    }

    /// Memory that is only its own, in bytes.
    pub(crate) fn private_bytes(&self) -> io::Result<u64> {
        proc::private_bytes(self.child.id())
    }

    /// Length of its program in bytes.
    pub(crate) fn program_bytes(&self) -> io::Result<u64> {
        proc::program_bytes(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks for a URL in what a server prints, and reads on so that it can go on printing.
fn watch(stream: Option<impl Read + Send + 'static>, found: &Sender<String>) {
    let Some(stream) = stream else {
        return;
    };
    let found = found.clone();
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            if let Some(url) = url_in(&String::from_utf8_lossy(&line)) {
                // The second one that is found has no receiver any more.
                let _ = found.send(url);
            }
            line.clear();
        }
    });
}

fn first(url: &Receiver<String>) -> Result<String, Failure> {
    url.recv_timeout(URL_TIME)
        .map_err(|_| Failure::Wrong("the server printed no URL".to_owned()))
}

/// The first `ws://HOST:PORT` in a line.
fn url_in(line: &str) -> Option<String> {
    let url = &line[line.find("ws://")?..];
    let end = url
        .find(|letter: char| letter.is_whitespace() || "\"'<>,".contains(letter))
        .unwrap_or(url.len());
    Some(url[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_found_anywhere_in_a_line() {
        assert_eq!(url_in("ws://127.0.0.1:1\n").as_deref(), Some("ws://127.0.0.1:1"));
        assert_eq!(
            url_in("listening on \"ws://[::1]:22\", go\n").as_deref(),
            Some("ws://[::1]:22")
        );
        assert_eq!(url_in("http://x"), None);
    }
}
