//! Taking up a session again after its websocket broke.

use std::time::Duration;

use exec_protocol::initialize::{InitializeParams, Notifications};
use exec_protocol::{ErrorCode, SessionId};
use tokio::time::{sleep, timeout};

use crate::endpoint::Endpoint;
use crate::error::{CallError, ClientError};
use crate::handshake::{Connection, HANDSHAKE_PATIENCE, open};
use crate::random;
use crate::transport::Transport;

/// The code of the close frame of a connection whose session another one took over.
///
/// Coming back would take it from the other, which would come back too.
pub(crate) const TAKEN_OVER_CLOSE_CODE: u16 = 4001;

/// The pause before the first attempt: a server that restarts or a link that flaps is back about as
/// soon, and nobody notices it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between attempts: a user who waits should not wait longer for nothing.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How finely the random part of a pause is cut; finer than a millisecond.
const JITTER_STEPS: u32 = 1024;

/// When to give up. The server keeps a session without a connection for 90 s; one that has not come
/// back by now was probably not cut but lost, and those who wait should learn it.
const GIVE_UP: Duration = Duration::from_mins(1);

/// What it takes to come back.
#[derive(Debug)]
pub(crate) struct Reconnect {
    pub(crate) endpoint: Endpoint,
    pub(crate) client_name: String,
    pub(crate) session_id: SessionId,
}

impl Reconnect {
    /// Tries until the session is taken up again. None if it cannot be, or not in time.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection that was made is closed.
    pub(crate) async fn resume(&self) -> Option<Connection> {
        let outcome = timeout(GIVE_UP, self.attempts()).await;
        outcome.unwrap_or_else(|_| {
            tracing::warn!("the session could not be resumed in time");
            None
        })
    }

    async fn attempts(&self) -> Option<Connection> {
        let mut pauses = Pauses::new();
        loop {
            sleep(pauses.next_pause()).await;
            match self.attempt().await {
                Ok((connection, resumed)) if resumed == self.session_id => return Some(connection),
                Ok(_) => {
                    tracing::warn!("the server opened another session instead");
                    return None;
                }
                Err(error) if is_final(&error) => {
                    tracing::warn!(%error, "the session is lost");
                    return None;
                }
                Err(error) => tracing::debug!(%error, "the session is not resumed yet"),
            }
        }
    }

    async fn attempt(&self) -> Result<(Connection, SessionId), ClientError> {
        let transport = connect(&self.endpoint).await?;
        let params = InitializeParams {
            client_name: self.client_name.clone(),
            resume_session_id: Some(self.session_id.clone()),
            notifications: Notifications::All,
        };
        let (connection, result) = open(transport, &params).await?;
        Ok((connection, result.session_id))
    }
}

/// Connects, in time or not at all.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Transport, ClientError> {
    let transport = timeout(HANDSHAKE_PATIENCE, Transport::connect(endpoint)).await;
    Ok(transport.map_err(|_| ClientError::TimedOut)??)
}

/// Whether trying again cannot help: the server does not let us in any more, or does not know the session. Any other
/// refusal (still attached elsewhere, about to leave) may pass.
fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::Connect(error) => error.is_final(),
        ClientError::Initialize(CallError::Rpc(error)) => error.code == ErrorCode::InvalidRequest as i32,
        ClientError::Initialize(_) | ClientError::TimedOut => false,
    }
}

/// The pauses between attempts: doubling, each shortened at random by up to a half, so that the
/// clients of a server that restarts do not come back in step.
#[derive(Debug)]
struct Pauses {
    longest: Duration,
}

impl Pauses {
    fn new() -> Self {
        Self { longest: FIRST_PAUSE }
    }

    fn next_pause(&mut self) -> Duration {
        let longest = self.longest;
        self.longest = (longest * 2).min(LONGEST_PAUSE);
        let half = longest / 2;
        half + half * random::below(JITTER_STEPS) / JITTER_STEPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec_protocol::{ErrorData, ErrorKind, RpcError};

    #[test]
    fn pauses_double_up_to_a_second_and_keep_at_least_half() {
        let mut pauses = Pauses::new();
        for longest in [50, 100, 200, 400, 800, 1000, 1000] {
            let longest = Duration::from_millis(longest);
            let pause = pauses.next_pause();
            assert!(
                longest / 2 <= pause && pause <= longest,
                "{pause:?} of {longest:?}"
            );
        }
    }

    #[test]
    fn only_an_invalid_request_is_final() {
        for (code, expected) in [(-32600, true), (-32010, false), (-32603, false)] {
            let error = RpcError {
                code,
                message: String::new(),
                data: ErrorData::default(),
            };
            assert_eq!(
                is_final(&ClientError::Initialize(CallError::Rpc(error))),
                expected,
                "{code}"
            );
        }
        assert!(!is_final(&ClientError::TimedOut));
        for (kind, expected) in [
            (ErrorKind::UnknownSession, true),
            (ErrorKind::SessionAttached, false),
            (ErrorKind::ShuttingDown, false),
        ] {
            let error = RpcError::new(kind, "refused");
            assert_eq!(
                is_final(&ClientError::Initialize(CallError::Rpc(error))),
                expected,
                "{kind:?}"
            );
        }
    }
}
