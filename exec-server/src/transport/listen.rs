//! Websockets as they come in.

use std::io;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout_at;

use super::listener::{Accepted, Listener};
use super::newcomers::Newcomer;
use super::{Connection, websocket};
use crate::server::Server;

/// How long accepting pauses after an error, which is most often a lack of file descriptors: only
/// time brings them back, and without a pause the loop would burn a core until then.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves every websocket that comes in on `listener`, until shutdown begins.
pub(crate) async fn listen(server: &Server, listener: Listener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stopping().cancelled() => return,
        };
        match accepted {
            Ok(accepted) if accepted.is_of_another_user() => {
                tracing::warn!(from = ?accepted.bound, "a connection of another user was refused");
            }
            Ok(accepted) => {
                let newcomer = server.newcomers().admit(accepted.source);
                server.tasks().spawn(serve(server.clone(), accepted, newcomer));
                // Who knocks without a pause is no reason to let others wait.
                yield_now().await;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(server: Server, accepted: Accepted, newcomer: Newcomer) {
    if let Some(connection) = open(&server, accepted, newcomer).await {
        server.serve(connection).await;
    }
}

/// A connection, if the peer wants one and may have it.
async fn open(server: &Server, accepted: Accepted, newcomer: Newcomer) -> Option<Connection> {
    let (until, sent_away) = (newcomer.until(), newcomer.sent_away());
    let accepting = timeout_at(until, websocket::accept(server, accepted, newcomer));
    let outcome = tokio::select! {
        accepted = accepting => accepted.map_err(io::Error::from).flatten(),
        // Nobody knows whose it is: there is nothing to be said goodbye to.
        () = sent_away.cancelled() => return None,
        () = server.stopping().cancelled() => return None,
    };
    outcome.unwrap_or_else(|error| {
        tracing::debug!(%error, "no websocket came of a connection");
        None
    })
}
