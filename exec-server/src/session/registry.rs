//! All sessions of a server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use exec_protocol::SessionId;

use super::Session;
use crate::access::Identity;
use crate::files::Files;
use crate::limits::MAX_SESSIONS;
use crate::process::Stop;

/// All sessions of a server, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Held only for the length of a memory operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<SessionId, Arc<Session>>,
    is_closed: bool,
}

/// Why there is no session for a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The one to resume is not known, or over.
    #[error("no such session")]
    Unknown,
    /// There are too many.
    #[error("there are {MAX_SESSIONS} sessions already")]
    TooMany,
    /// The operating system has no randomness to give.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The server is about to leave.
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl Registry {
    /// Opens a new session of `identity`, which works on `files`.
    ///
    /// Beyond the cap the one goes that nobody has been attached to for longest, of those whose
    /// processes have all ended; without such a one, none is opened.
    pub(crate) fn open(&self, files: Files, identity: &Identity) -> Result<Arc<Session>, OpenError> {
        let id = SessionId::new(&random_id()?).expect("36 bytes are fewer than an id may have");
        let mut state = self.lock();
        if state.is_closed {
            return Err(OpenError::ShuttingDown);
        }
        if state.sessions.len() >= MAX_SESSIONS {
            let idle = state
                .sessions
                .values()
                .filter_map(|session| Some((session.idle_since()?, session)));
            let (_, oldest) = idle.min_by_key(|(since, _)| *since).ok_or(OpenError::TooMany)?;
            let oldest = Arc::clone(oldest);
            if !oldest.end_if_idle(&Stop::with_session(Duration::ZERO)) {
                return Err(OpenError::TooMany);
            }
            state.sessions.remove(oldest.id());
        }
        let session = Arc::new(Session::new(id.clone(), files, identity.clone()));
        state.sessions.insert(id, Arc::clone(&session));
        Ok(session)
    }

    /// The session with this id, if it is of this identity: for others it is not there.
    pub(crate) fn resume(&self, id: &SessionId, identity: &Identity) -> Result<Arc<Session>, OpenError> {
        let state = self.lock();
        let found = state
            .sessions
            .get(id)
            .filter(|session| session.identity() == identity);
        found.cloned().ok_or(OpenError::Unknown)
    }

    /// All sessions that there are.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().sessions.values().cloned().collect()
    }

    /// Takes a session out that is over.
    pub(crate) fn remove(&self, session: &Session) {
        self.lock().sessions.remove(session.id());
    }

    /// Opens no session from now on, and gives those there are.
    pub(crate) fn close(&self) -> Vec<Arc<Session>> {
        let mut state = self.lock();
        state.is_closed = true;
        state.sessions.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

/// The operating system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("no random id can be made")]
pub(crate) struct NoRandomness;

/// An id that cannot be guessed: whoever knows that of a session owns its processes. In the shape of a
/// random UUID (RFC 9562, version 4), which is what clients expect.
pub(crate) fn random_id() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no randomness");
        NoRandomness
    })?;
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_random_uuid() {
        let (one, other) = (random_id().unwrap(), random_id().unwrap());
        assert_ne!(one, other);
        let text = one.as_str();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "4", "{text}");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert!(text.chars().enumerate().all(|(at, char)| match at {
            8 | 13 | 18 | 23 => char == '-',
            _ => char.is_ascii_hexdigit(),
        }));
    }
}
