//! `exec-server`: serving.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::Failure;
use super::hardening::{keep_secrets, take_open_files};
use super::signals::Leave;
use crate::{Config, Server, ShutdownReport};

/// Where to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listen {
    /// Standard input and output.
    Stdio,
    /// Websockets on this address.
    Websocket(SocketAddr),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "stdio" | "stdio://" => Ok(Self::Stdio),
            _ => text
                .strip_prefix("ws://")
                .and_then(|address| address.trim_end_matches('/').parse().ok())
                .map(Self::Websocket)
                .ok_or("neither `stdio` nor `ws://IP:PORT`"),
        }
    }
}

/// Serves until a signal comes or, on stdio, the input ends.
pub(super) async fn serve(listen: Listen, config: Config) -> Result<ExitCode, Failure> {
    keep_secrets()?;
    let config = Config {
        open_files: Some(take_open_files()?),
        ..config
    };
    let mut leave = Leave::new()?;
    let server = Server::new(config)?;
    let tasks = TaskTracker::new();
    let serving = match listen {
        Listen::Stdio => {
            let server = server.clone();
            tasks.spawn(async move { server.serve_stdio().await })
        }
        Listen::Websocket(address) => {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| format!("cannot listen on {address}: {error}"))?;
            announce(listener.local_addr()?)?;
            let server = server.clone();
            tasks.spawn(async move {
                server.serve_websocket(listener).await;
                Ok(())
            })
        }
    };
    let outcome = tokio::select! {
        outcome = serving => outcome?,
        () = leave.next() => Ok(()),
    };
    let report = shut_down(&server, &mut leave).await;
    outcome?;
    Ok(if report.is_complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tells where the server can be reached, in a line that programs read.
fn announce(address: SocketAddr) -> std::io::Result<()> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "whoever reaches this address can run commands here");
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ws://{address}")?;
    stdout.flush()
}

/// Ends everything politely; a second signal kills.
async fn shut_down(server: &Server, leave: &mut Leave) -> ShutdownReport {
    let shutdown = server.shutdown();
    tokio::pin!(shutdown);
    let report = loop {
        tokio::select! {
            report = &mut shutdown => break report,
            () = leave.next() => server.kill(),
        }
    };
    tracing::info!(?report, "leaving");
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_hosts_use() {
        let local = |port| Listen::Websocket(SocketAddr::from(([127, 0, 0, 1], port)));
        for (text, listen) in [
            ("stdio", Some(Listen::Stdio)),
            ("stdio://", Some(Listen::Stdio)),
            ("ws://127.0.0.1:80", Some(local(80))),
            ("ws://127.0.0.1:0/", Some(local(0))),
            ("ws://localhost:80", None),
            ("ws://127.0.0.1", None),
            ("wss://127.0.0.1:80", None),
            ("", None),
        ] {
            assert_eq!(Listen::from_str(text).ok(), listen, "{text:?}");
        }
    }
}
