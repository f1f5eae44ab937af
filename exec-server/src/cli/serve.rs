//! `exec-server`: serving.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::Failure;
use super::hardening::take_open_files;
use super::listen::{Listen, Passed};
use super::signals::{Leave, Reload};
use crate::causes::described;
use crate::transport::{Reachable, Tls};
use crate::{Config, Server, ShutdownReport};

/// Why a server leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It was told to.
    Signal,
    /// There is nothing more to serve.
    Finished,
}

/// Serves until a signal comes or, with stdio among them, the input ends.
pub(super) async fn serve(
    listen: &[Listen],
    mut passed: Passed,
    tls: Option<Tls>,
    config: Config,
) -> Result<ExitCode, Failure> {
    let config = Config {
        open_files: Some(take_open_files()?),
        ..config
    };
    let mut leave = Leave::new()?;
    let mut reload = None;
    let on_stdio = listen.contains(&Listen::Stdio);
    if on_stdio {
        // The program that is served, or its terminal, is gone.
        leave = leave.or_hang_up()?;
    } else {
        reload = Some(Reload::new()?);
    }
    let mut listeners = Vec::new();
    for listen in listen {
        listeners.extend(listen.open(&mut passed, tls.as_ref()).await?);
    }
    let server = Server::new(config)?;
    let reachable: Vec<_> = listeners
        .iter()
        .map(|listener| server.permits(listener))
        .collect::<Result<_, _>>()?;
    if on_stdio {
        // Standard output is the wire.
        for reachable in &reachable {
            tracing::info!(%reachable, "listening");
        }
    } else {
        announce(&reachable)?;
    }
    let tasks = TaskTracker::new();
    for listener in listeners {
        let server = server.clone();
        tasks.spawn(async move { server.serve_websocket(listener).await });
    }
    // A task of its own: it has to say what becomes of processes that a signal ends.
    let stdio = on_stdio.then(|| {
        let server = server.clone();
        tasks.spawn(async move { server.serve_stdio().await })
    });
    let (cause, outcome) = tokio::select! {
        outcome = finished(stdio) => (Cause::Finished, outcome),
        () = leave.next() => (Cause::Signal, Ok(())),
        never = reload_on(reload.as_mut(), tls.as_ref()) => match never {},
    };
    let report = shut_down(&server, &mut leave).await;
    tell(cause, report);
    outcome?;
    Ok(if report.is_complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits until there is nothing more to serve on stdio; for ever if it is not served.
async fn finished(stdio: Option<JoinHandle<io::Result<()>>>) -> Result<(), Failure> {
    match stdio {
        Some(stdio) => Ok(stdio.await??),
        None => std::future::pending().await,
    }
}

/// Has the certificate read again whenever a hang-up says that it has changed.
async fn reload_on(reload: Option<&mut Reload>, tls: Option<&Tls>) -> Infallible {
    let Some(reload) = reload else {
        return std::future::pending().await;
    };
    loop {
        reload.next().await;
        tracing::info!("told to read its files again");
        if let Some(tls) = tls.cloned() {
            // The disk may let a thread wait, and this one serves.
            let spawned = thread::Builder::new()
                .name("reload".to_owned())
                .spawn(move || reload_tls(&tls));
            if let Err(error) = spawned {
                tracing::error!(%error, "the certificate stays what it was: there is no thread to read it");
            }
        }
    }
}

fn reload_tls(tls: &Tls) {
    match tls.reload() {
        Ok(()) => tracing::info!("the certificate was read again"),
        Err(error) => {
            let error = described(&error);
            tracing::error!(%error, "the certificate stays what it was: the new one cannot be used");
        }
    }
}

/// Tells where the server can be reached, in lines that programs read.
fn announce(reachable: &[Reachable]) -> io::Result<()> {
    let mut stdout = io::stdout();
    for reachable in reachable {
        if let Reachable::Plain(address) = reachable
            && !address.ip().to_canonical().is_loopback()
        {
            tracing::warn!(%address, "tokens and everything else come to this address in the clear; wss:// encrypts");
        }
        writeln!(stdout, "{reachable}")?;
    }
    stdout.flush()
}

/// Ends everything politely; a second signal kills.
async fn shut_down(server: &Server, leave: &mut Leave) -> ShutdownReport {
    let shutdown = server.shutdown();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            report = &mut shutdown => return report,
            () = leave.next() => server.kill(),
        }
    }
}

/// Says what was ended. Whoever ended the input knows it already; whoever sent a signal may not have known what still ran.
fn tell(cause: Cause, report: ShutdownReport) {
    let ShutdownReport {
        sessions,
        processes,
        is_complete,
    } = report;
    if !is_complete {
        tracing::warn!(
            sessions,
            processes,
            is_complete,
            "left, and not everything has ended"
        );
    } else if cause == Cause::Signal && processes > 0 {
        tracing::warn!(
            sessions,
            processes,
            is_complete,
            "left on a signal, and ended what still ran"
        );
    } else {
        tracing::info!(sessions, processes, is_complete, "left");
    }
}
