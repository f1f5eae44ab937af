//! Websockets as they come in.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::websocket;
use crate::server::Server;

/// How long accepting pauses after an error, which is most often a lack of file descriptors: only
/// time brings them back, and without a pause the loop would burn a core until then.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves every websocket that comes in on `listener`, until shutdown begins.
pub(crate) async fn listen(server: &Server, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.stopping().cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                server.tasks().spawn(serve(server.clone(), stream));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(server: Server, stream: TcpStream) {
    let permit = server.connection_permit();
    let accepted = tokio::select! {
        accepted = websocket::accept(&server, stream, permit.is_some()) => accepted,
        () = server.stopping().cancelled() => return,
    };
    match accepted {
        Ok(Some(connection)) => server.serve(connection).await,
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "no websocket came of a connection"),
    }
}
