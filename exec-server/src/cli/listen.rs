//! Where the command line says to serve.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::str::FromStr;
use std::{env, process};

use listenfd::ListenFd;
use rustix::net::sockopt;
use tokio::net::{TcpListener, UnixListener};

use super::Failure;
use crate::transport::{Listener, Tls};

/// Where to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listen {
    /// Standard input and output.
    Stdio,
    /// Websockets on this address.
    Websocket(SocketAddr),
    /// Websockets over TLS on this address.
    Tls(SocketAddr),
    /// Websockets on a Unix socket at this path.
    Unix(PathBuf),
    /// Websockets on the sockets that a service manager has made.
    Passed,
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "none of `stdio`, `ws://IP:PORT`, `wss://IP:PORT`, `unix:///PATH` and `fd://`";
        let address = |text: &str| text.trim_end_matches('/').parse().map_err(|_| WANTED);
        if let "stdio" | "stdio://" = text {
            Ok(Self::Stdio)
        } else if text == "fd://" {
            Ok(Self::Passed)
        } else if let Some(text) = text.strip_prefix("ws://") {
            address(text).map(Self::Websocket)
        } else if let Some(text) = text.strip_prefix("wss://") {
            address(text).map(Self::Tls)
        } else if let Some(path) = text.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
            Ok(Self::Unix(path.into()))
        } else {
            Err(WANTED)
        }
    }
}

impl Listen {
    /// Opens it. None for standard input and output.
    pub(super) async fn open(
        &self,
        passed: &mut Passed,
        tls: Option<&Tls>,
    ) -> Result<Vec<Listener>, Failure> {
        match self {
            Self::Stdio => Ok(Vec::new()),
            Self::Websocket(address) => Ok(vec![bind(*address).await?.into()]),
            Self::Tls(address) => {
                let tls = tls.ok_or("wss:// needs --tls-cert and --tls-key")?;
                Ok(vec![Listener::tls(bind(*address).await?, tls.clone())])
            }
            Self::Unix(path) => {
                let listener = Listener::unix(path).await;
                let listener = listener
                    .map_err(|error| format!("cannot listen on unix://{}: {error}", path.display()))?;
                Ok(vec![listener])
            }
            Self::Passed => passed.open(tls),
        }
    }
}

/// The sockets that a service manager has made for this program (`sd_listen_fds(3)`).
pub(super) struct Passed(ListenFd);

impl Passed {
    /// Takes them, once: the variables that tell of them are gone then.
    pub(super) fn take() -> Self {
        let is_ours = env::var("LISTEN_PID").is_ok_and(|pid| pid.parse() == Ok(process::id()));
        Self(if is_ours {
            ListenFd::from_env()
        } else {
            ListenFd::empty()
        })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// All of them. With a certificate those of the network speak TLS.
    fn open(&mut self, tls: Option<&Tls>) -> Result<Vec<Listener>, Failure> {
        if self.is_empty() {
            return Err(
                "no sockets were passed: LISTEN_FDS and LISTEN_PID name none for this program".into(),
            );
        }
        (0..self.0.len()).map(|at| self.open_one(at, tls)).collect()
    }

    fn open_one(&mut self, at: usize, tls: Option<&Tls>) -> Result<Listener, Failure> {
        let unsuitable = || format!("socket {at} of LISTEN_FDS is none to listen on for websockets");
        if let Ok(Some(listener)) = self.0.take_unix_listener(at) {
            is_listening(&listener).ok_or_else(unsuitable)?;
            listener.set_nonblocking(true)?;
            return Ok(UnixListener::from_std(listener)?.into());
        }
        if let Ok(Some(listener)) = self.0.take_tcp_listener(at) {
            is_listening(&listener).ok_or_else(unsuitable)?;
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            return Ok(match tls {
                Some(tls) => Listener::tls(listener, tls.clone()),
                None => listener.into(),
            });
        }
        Err(unsuitable().into())
    }
}

/// Some if the socket listens: one that is connected, or only bound, would be waited on for ever.
fn is_listening(socket: impl AsFd) -> Option<()> {
    sockopt::socket_acceptconn(socket).unwrap_or(false).then_some(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    Ok(listener.map_err(|error| format!("cannot listen on {address}: {error}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_hosts_use() {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for (text, listen) in [
            ("stdio", Some(Listen::Stdio)),
            ("stdio://", Some(Listen::Stdio)),
            ("ws://127.0.0.1:80", Some(Listen::Websocket(local(80)))),
            ("ws://127.0.0.1:0/", Some(Listen::Websocket(local(0)))),
            ("wss://127.0.0.1:80", Some(Listen::Tls(local(80)))),
            (
                "unix:///run/exec.sock",
                Some(Listen::Unix("/run/exec.sock".into())),
            ),
            ("fd://", Some(Listen::Passed)),
            ("ws://localhost:80", None),
            ("ws://127.0.0.1", None),
            ("unix://run/exec.sock", None),
            ("unix:", None),
            ("", None),
        ] {
            assert_eq!(Listen::from_str(text).ok(), listen, "{text:?}");
        }
    }
}
