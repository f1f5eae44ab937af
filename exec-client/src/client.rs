//! The client: typed calls over a connection that it keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use exec_protocol::envelope::{RequestId, Style, write_request};
use exec_protocol::initialize::{InitializeParams, InitializeResult, Notifications};
use exec_protocol::process::{Start, StartParams};
use exec_protocol::{ErrorKind, Method, RpcError, WriteId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::acknowledge::Acknowledger;
use crate::acks::Acks;
use crate::driver::{Driver, Shared};
use crate::error::{CallError, ClientError, Disconnected};
use crate::handshake::{Connection, open};
use crate::pending::{Outgoing, Pending, Refusal, Repeat};
use crate::process::Process;
use crate::random;
use crate::reconnect::{Reconnect, connect};
use crate::routes::Routes;
use crate::transport::{MAX_MESSAGE_BYTES, Transport};

/// Requests that are ready and not yet on their way.
///
/// The driver takes them as fast as the connection does; while there is none, these wait here and
/// further callers wait for a place.
const OUTBOX_REQUESTS: usize = 64;

/// A session with a server. Cloning is cheap; every clone is the same session.
///
/// The connection lives until [`close`](Client::close), or until the last clone, [`Process`] and
/// [`ProcessControl`](crate::ProcessControl) is dropped: then it ends without a goodbye.
///
/// A consumer of a [`Process`] that does not take its events eventually pauses the whole
/// connection, also the answers to calls. So whoever awaits a call takes events meanwhile, in
/// another task or another branch, or drops the [`Process`].
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    outbox: mpsc::Sender<u64>,
    server: InitializeResult,
    /// Longest request, in bytes.
    request_bytes: usize,
    /// What our write ids begin with, so that no other client of the session has them.
    write_id_prefix: u64,
    next_write: AtomicU64,
    tasks: TaskTracker,
    /// Ends the driver when nobody can use it any more.
    _driver: AbortOnDropHandle<()>,
}

impl Client {
    /// Opens a session over `transport`. When that breaks, the client stays disconnected.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the server does not open one, or does not answer within 10 s.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped, and the session with it.
    pub async fn connect(transport: Transport, client_name: &str) -> Result<Self, ClientError> {
        let params = InitializeParams {
            client_name: client_name.into(),
            resume_session_id: None,
            notifications: Notifications::All,
        };
        let (connection, server) = open(transport, &params).await?;
        Ok(Self::new(connection, server, None))
    }

    /// Opens a session with the server at `ws://HOST:PORT`, and rides out a broken connection.
    ///
    /// When the connection breaks, the client connects again and takes up its session: at first
    /// after 50 ms, then after growing pauses up to 1 s, for at most 60 s. Meanwhile calls wait, and
    /// processes run on. It stays disconnected if the server does not know the session any more, or
    /// closed the connection because another one took the session over.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if nobody is there, or the server does not open a session; each of the two
    /// may take 10 s. The first connection is tried once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped, and the session left to its end.
    pub async fn connect_websocket(url: &str, client_name: &str) -> Result<Self, ClientError> {
        let transport = connect(url).await?;
        let params = InitializeParams {
            client_name: client_name.into(),
            resume_session_id: None,
            notifications: Notifications::All,
        };
        let (connection, server) = open(transport, &params).await?;
        let reconnect = Reconnect {
            url: url.into(),
            client_name: client_name.into(),
            session_id: server.session_id.clone(),
        };
        Ok(Self::new(connection, server, Some(reconnect)))
    }

    /// What the server said about itself when the session was opened.
    pub fn server(&self) -> &InitializeResult {
        &self.inner.server
    }

    /// Calls a method and waits for its result.
    ///
    /// A call that is in flight when the connection breaks is repeated on the next one if the method
    /// is [`REPEATABLE`](Method::REPEATABLE). For `process/write` that needs a write id, else the
    /// bytes may be typed twice; [`ProcessControl::write`](crate::ProcessControl::write) gives one.
    ///
    /// # Errors
    ///
    /// [`CallError`]: the server refused, the connection is gone, or the answer makes no sense.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the request may be carried out even if this future is dropped.
    /// Its answer is then ignored.
    pub async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, CallError> {
        self.call_then::<M>(params, None).await
    }

    /// [`call`](Self::call), with a notification right behind the request.
    async fn call_then<M: Method>(
        &self,
        params: &M::Params,
        notice: Option<Bytes>,
    ) -> Result<M::Result, CallError> {
        let pending = &self.inner.shared.pending;
        let id = pending.id();
        let mut message = Vec::new();
        write_request(
            &mut message,
            Style::Versioned,
            &RequestId::number(id),
            M::NAME,
            params,
        );
        let repeat = if M::REPEATABLE {
            Repeat::Allowed
        } else {
            Repeat::Never
        };
        let request = message.into();
        let outgoing = Outgoing { request, notice };
        let result = self.request(id, outgoing, repeat, M::NAME).await?;
        serde_json::from_slice(&result).map_err(|error| CallError::malformed(M::NAME, error))
    }

    /// Starts a process and collects its events from the first on.
    ///
    /// # Errors
    ///
    /// As [`call`](Client::call); and [`ErrorKind::DuplicateProcess`], without asking the server,
    /// while there is a [`Process`] with this id that has not delivered its last event.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the process may be started even if this future is dropped. Its
    /// events are then discarded.
    pub async fn start(&self, params: &StartParams) -> Result<Process, CallError> {
        // Before the request is sent: events may come before its answer.
        let Some(subscription) = self.inner.shared.routes.subscribe(&params.process_id) else {
            let message = format!(
                "this client still listens to a process {:?}",
                params.process_id.as_str()
            );
            return Err(RpcError::new(ErrorKind::DuplicateProcess, message).into());
        };
        let acknowledger = Acknowledger::new(&self.inner.shared.acks, params, &self.inner.server);
        let first_words = acknowledger.as_ref().map(Acknowledger::first_words);
        let mut process = Process::new(self.clone(), subscription, acknowledger);
        let started = process
            .collect_during(self.call_then::<Start>(params, first_words))
            .await;
        match started {
            Ok(_) => {
                self.inner.shared.acks.adopt(&params.process_id);
                Ok(process)
            }
            Err(error) => {
                if matches!(error, CallError::Rpc(_) | CallError::TooLarge { .. }) {
                    process.leave();
                }
                Err(error)
            }
        }
    }

    /// Ends the connection politely; calls that have no answer get [`CallError::Disconnected`].
    ///
    /// A server that was started for this client is waited for, for at most 10 s. Other clones are
    /// disconnected, too.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the connection is ended.
    pub async fn close(self) {
        self.inner.shared.closing.cancel();
        self.inner.tasks.wait().await;
    }

    /// An id that no other write has.
    pub(crate) fn write_id(&self) -> WriteId {
        let number = self.inner.next_write.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}-{number}", self.inner.write_id_prefix);
        WriteId::new(&id).expect("two numbers are shorter than the limit of 256 bytes")
    }

    fn new(connection: Connection, server: InitializeResult, reconnect: Option<Reconnect>) -> Self {
        let shared = Arc::new(Shared {
            pending: Pending::new(),
            routes: Routes::default(),
            acks: Acks::new(reconnect.is_some() && server.capabilities.ack),
            closing: CancellationToken::new(),
        });
        let (outbox, to_send) = mpsc::channel(OUTBOX_REQUESTS);
        let driver = Driver {
            shared: Arc::clone(&shared),
            outbox: to_send,
            reconnect,
        };
        let tasks = TaskTracker::new();
        let driver = AbortOnDropHandle::new(tasks.spawn(driver.run(connection)));
        tasks.close();
        let limit = server
            .limits
            .and_then(|limits| usize::try_from(limits.message_bytes).ok());
        Self {
            inner: Arc::new(Inner {
                shared,
                outbox,
                server,
                request_bytes: limit.unwrap_or(MAX_MESSAGE_BYTES),
                write_id_prefix: random::number(),
                next_write: AtomicU64::new(0),
                tasks,
                _driver: driver,
            }),
        }
    }

    async fn request(
        &self,
        id: u64,
        outgoing: Outgoing,
        repeat: Repeat,
        method: &'static str,
    ) -> Result<Bytes, CallError> {
        let (bytes, limit) = (outgoing.request.len(), self.inner.request_bytes);
        if bytes > limit {
            return Err(CallError::TooLarge { bytes, limit });
        }
        let mut entry = self.inner.shared.pending.enter(id, outgoing, repeat);
        self.inner.outbox.send(id).await.map_err(|_| Disconnected)?;
        entry
            .answer()
            .await
            .ok_or(Disconnected)?
            .map_err(|refusal| match refusal {
                Refusal::Rpc(error) => CallError::Rpc(error),
                Refusal::Malformed(error) => CallError::malformed(method, error),
            })
    }
}
