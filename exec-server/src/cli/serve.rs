//! `exec-server`: serving.

use std::io::Write as _;
use std::process::ExitCode;

use tokio_util::task::TaskTracker;

use super::Failure;
use super::listen::Listen;
use super::signals::Leave;
use crate::transport::{Reachable, Tls};
use crate::{Config, Server, ShutdownReport};

/// Serves until a signal comes or, with stdio among them, the input ends.
pub(super) async fn serve(listen: &[Listen], tls: Option<Tls>, config: Config) -> Result<ExitCode, Failure> {
    let mut leave = Leave::new()?;
    let on_stdio = listen.contains(&Listen::Stdio);
    let mut listeners = Vec::new();
    for listen in listen {
        listeners.extend(listen.open(tls.as_ref()).await?);
    }
    let server = Server::new(config)?;
    let reachable: Vec<_> = listeners
        .iter()
        .map(|listener| server.permits(listener))
        .collect::<Result<_, _>>()?;
    if !on_stdio {
        announce(&reachable)?;
    }
    let tasks = TaskTracker::new();
    for listener in listeners {
        let server = server.clone();
        tasks.spawn(async move { server.serve_websocket(listener).await });
    }
    let outcome = tokio::select! {
        outcome = server.serve_stdio(), if on_stdio => outcome,
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

/// Tells where the server can be reached, in lines that programs read.
fn announce(reachable: &[Reachable]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    for reachable in reachable {
        writeln!(stdout, "{reachable}")?;
    }
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
