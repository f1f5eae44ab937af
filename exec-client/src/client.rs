//! The client: typed calls over a connection that it keeps.

mod start;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use exec_protocol::envelope::{RequestId, Style, write_request};
use exec_protocol::initialize::{InitializeParams, InitializeResult, Notifications};
use exec_protocol::process::{List, ListParams, ProcessRecord, Read, Wait};
use exec_protocol::{Empty, Method, WriteId, session};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::acks::Acks;
use crate::driver::{Driver, Shared};
use crate::endpoint::Endpoint;
use crate::error::{CallError, ClientError, Disconnected};
use crate::handshake::{Connection, open};
use crate::order::Order;
use crate::pending::{Outgoing, Pending, Refusal, Repeat};
use crate::random;
use crate::reconnect::{Reconnect, connect};
use crate::routes::Routes;
use crate::transport::{MAX_MESSAGE_BYTES, Transport};

/// What is ready and not yet on its way.
///
/// The driver takes them as fast as the connection does; while there is none, these wait here and
/// further callers wait for a place.
const OUTBOX_ORDERS: usize = 64;

/// The methods whose answers the server may hold back until something happens. Of these alone it is told when
/// nobody waits any longer: to take anything else back would leave open whether it was done.
const WAITING_METHODS: [&str; 2] = [Read::NAME, Wait::NAME];

/// A session with a server. Cloning is cheap; every clone is the same session.
///
/// The connection lives until [`close`](Client::close), or until the last clone,
/// [`Process`](crate::Process) and [`ProcessControl`](crate::ProcessControl) is dropped: then it ends
/// without a goodbye.
///
/// A consumer of a [`Process`](crate::Process) that does not take its events eventually pauses the whole
/// connection, also the answers to calls. So whoever awaits a call takes events meanwhile, in
/// another task or another branch, or drops the [`Process`](crate::Process).
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    outbox: mpsc::Sender<Order>,
    server: InitializeResult,
    /// Longest request, in bytes.
    request_bytes: usize,
    /// What the names begin with that we make up, so that no other client of the session has them.
    name_prefix: u64,
    next_name: AtomicU64,
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

    /// Opens a session with the server at this URL: [`connect_to`](Self::connect_to) without anything to show.
    ///
    /// # Errors
    ///
    /// As [`connect_to`](Self::connect_to), and if the URL is not that of an [`Endpoint`].
    ///
    /// # Cancel safety
    ///
    /// As [`connect_to`](Self::connect_to).
    pub async fn connect_websocket(url: &str, client_name: &str) -> Result<Self, ClientError> {
        Self::connect_to(&url.parse()?, client_name).await
    }

    /// Opens a session with the server at `endpoint`, and rides out a broken connection.
    ///
    /// When the connection breaks, the client connects again and takes up its session: at first
    /// after 50 ms, then after growing pauses up to 1 s, for at most 60 s. Meanwhile calls wait, and
    /// processes run on. It stays disconnected if the server does not let it in or does not know the session any more, or
    /// closed the connection because another one took the session over. A session that the server keeps for
    /// a connection which is still open is asked for again.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if nobody is there, or the server does not open a session; each of the two
    /// may take 10 s. The first connection is tried once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is dropped, and the session left to its end.
    pub async fn connect_to(endpoint: &Endpoint, client_name: &str) -> Result<Self, ClientError> {
        let transport = connect(endpoint).await?;
        let params = InitializeParams {
            client_name: client_name.into(),
            resume_session_id: None,
            notifications: Notifications::All,
        };
        let (connection, server) = open(transport, &params).await?;
        let reconnect = Reconnect {
            endpoint: endpoint.clone(),
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
    /// Its answer is then ignored. A server with the capability `cancel` is told to wait no longer with the
    /// answer to a `process/read`, if there is a place among what is to be sent.
    pub async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, CallError> {
        let repeat = if M::REPEATABLE {
            Repeat::Allowed
        } else {
            Repeat::Never
        };
        self.call_then::<M>(params, None, repeat).await
    }

    /// Calls a method with a notification right behind the request.
    async fn call_then<M: Method>(
        &self,
        params: &M::Params,
        notice: Option<Bytes>,
        repeat: Repeat,
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
        let request = message.into();
        let outgoing = Outgoing { request, notice };
        let result = self.request(id, outgoing, repeat, M::NAME).await?;
        serde_json::from_slice(&result).map_err(|error| CallError::malformed(M::NAME, error))
    }

    /// The records of the session's processes, or of some of them, in the order of their starts.
    ///
    /// # Errors
    ///
    /// As [`call`](Client::call). A server without the capability `records` has none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed by it.
    pub async fn list(&self, params: &ListParams) -> Result<Vec<ProcessRecord>, CallError> {
        Ok(self.call::<List>(params).await?.records)
    }

    /// Ends the session with its processes, now, and then the connection, as [`close`](Client::close) does.
    ///
    /// Returns when the processes have ended. Without it they live on when the connection is closed, for as
    /// long as the session can be resumed.
    ///
    /// # Errors
    ///
    /// As [`call`](Client::call): the session goes on then, and so does the connection if there is one. A
    /// server without the capability `sessionClose` refuses.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the session may be ended.
    pub async fn close_session(&self) -> Result<(), CallError> {
        self.call::<session::Close>(&Empty {}).await?;
        self.disconnect().await;
        Ok(())
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
        self.disconnect().await;
    }

    async fn disconnect(&self) {
        self.inner.shared.closing.cancel();
        self.inner.tasks.wait().await;
    }

    /// An id that no other write has.
    pub(crate) fn write_id(&self) -> WriteId {
        WriteId::new(&self.unused_name()).expect("two numbers are shorter than the limit of 256 bytes")
    }

    /// A name that nobody has made up before.
    fn unused_name(&self) -> String {
        let number = self.inner.next_name.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{number}", self.inner.name_prefix)
    }

    fn new(connection: Connection, server: InitializeResult, reconnect: Option<Reconnect>) -> Self {
        let shared = Arc::new(Shared {
            pending: Pending::new(),
            routes: Routes::default(),
            acks: Acks::new(reconnect.is_some() && server.capabilities.ack),
            closing: CancellationToken::new(),
        });
        let (outbox, to_send) = mpsc::channel(OUTBOX_ORDERS);
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
                name_prefix: random::number(),
                next_name: AtomicU64::new(0),
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
        let Inner {
            shared,
            outbox,
            server,
            ..
        } = &*self.inner;
        let cancels = server.capabilities.cancel && WAITING_METHODS.contains(&method);
        let mut entry = shared
            .pending
            .enter(id, outgoing, repeat, cancels.then_some(outbox));
        outbox.send(Order::Request(id)).await.map_err(|_| Disconnected)?;
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
