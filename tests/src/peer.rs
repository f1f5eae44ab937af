//! A client that speaks raw messages and insists on claiming every one that comes.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use exec_client::{MessageReceiver, MessageSender, Transport};
use exec_protocol::initialize::{Initialize, InitializeParams, InitializeResult, Notifications};
use exec_protocol::{ErrorKind, Method, RpcError, SessionId};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::os::OsProcess;
use crate::transcript::Transcript;
use crate::wait::{PATIENCE, within_patience};

/// Longest piece of a message that a failure shows, in characters.
const SHOWN_CHARS: usize = 300;

/// Most messages that a failure shows.
const SHOWN_MESSAGES: usize = 12;

/// One connection, seen from the client's end.
#[derive(Debug)]
pub struct Peer {
    sender: MessageSender,
    receiver: MessageReceiver,
    /// What came and nobody has asked for yet, oldest first.
    unclaimed: VecDeque<Value>,
    /// What may be left unclaimed when the connection ends.
    optional: Option<&'static str>,
    next_id: u64,
    pub(crate) next_write_id: u64,
    pub(crate) transcripts: HashMap<String, Transcript>,
    /// The server that leaves when this connection ends.
    own_server: Option<OsProcess>,
}

impl Peer {
    /// A client over a connection on which nothing has been said.
    pub fn new(transport: Transport) -> Self {
        let (sender, receiver) = transport.split();
        Self {
            sender,
            receiver,
            unclaimed: VecDeque::new(),
            optional: None,
            next_id: 1,
            next_write_id: 1,
            transcripts: HashMap::new(),
            own_server: None,
        }
    }

    pub(crate) fn with_own_server(transport: Transport, server: OsProcess) -> Self {
        Self {
            own_server: Some(server),
            ..Self::new(transport)
        }
    }

    /// Opens a session.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, a session may have been opened.
    pub async fn handshake(&mut self) -> InitializeResult {
        self.initialize(None, Notifications::All).await
    }

    /// Opens a session on a connection that is told so much without asking.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, a session may have been opened.
    pub async fn handshake_to_be_told(&mut self, notifications: Notifications) -> InitializeResult {
        self.initialize(None, notifications).await
    }

    /// Takes up a session. Transcripts of its processes go on behind what was told before; see
    /// [`follow`](Self::follow).
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the session may have been taken.
    pub async fn resume(&mut self, session_id: &SessionId) -> InitializeResult {
        self.initialize(Some(session_id.clone()), Notifications::All)
            .await
    }

    /// Takes up a session on a connection that is told nothing without asking.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the session may have been taken.
    pub async fn resume_silently(&mut self, session_id: &SessionId) -> InitializeResult {
        self.initialize(Some(session_id.clone()), Notifications::None)
            .await
    }

    async fn initialize(
        &mut self,
        resume_session_id: Option<SessionId>,
        notifications: Notifications,
    ) -> InitializeResult {
        let params = InitializeParams {
            client_name: "exec-tests".into(),
            resume_session_id,
            notifications,
        };
        let result = self.call_typed::<Initialize>(&params).await;
        self.notify("initialized", json!({})).await;
        result
    }

    /// Sends text as it is, as one message.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn send_text(&mut self, text: impl Into<Bytes>) {
        let Self {
            sender,
            receiver,
            unclaimed,
            ..
        } = self;
        let mut sending = std::pin::pin!(sender.send(text.into()));
        // Meanwhile messages are taken in: the server need not read what we send before we do.
        let sending = async {
            loop {
                tokio::select! {
                    biased;
                    sent = &mut sending => return sent,
                    message = receiver.receive() => match message {
                        Some(message) => unclaimed.push_back(parse(&message)),
                        None => return sending.await,
                    },
                }
            }
        };
        within_patience("the server to take a message", sending)
            .await
            .expect("the server has hung up");
    }

    /// Sends a request, and returns its id.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn request(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        id
    }

    /// Sends a notification.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: part of it may have been sent.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    /// Claims the answer to a request.
    ///
    /// # Errors
    ///
    /// What the server says if it refuses.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the answer stays unclaimed.
    pub async fn response(&mut self, id: impl Into<Value>) -> Result<Value, RpcError> {
        let id = id.into();
        let what = format!("the answer to {id}");
        let mut message = self
            .claim(&what, |message| is_response(message) && message["id"] == id)
            .await;
        match message.get_mut("error") {
            Some(error) => Err(serde_json::from_value(error.take()).expect("it was looked at when it came")),
            None => Ok(message["result"].take()),
        }
    }

    /// Calls a method and waits for its answer, whichever it is.
    ///
    /// # Errors
    ///
    /// What the server says if it refuses.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn try_call(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.request(method, params).await;
        self.response(id).await
    }

    /// Calls a method and returns its result.
    ///
    /// # Panics
    ///
    /// If the server refuses, or does not answer.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let outcome = self.try_call(method, params.clone()).await;
        outcome.unwrap_or_else(|error| panic!("{method} was refused: {error:?}: {params}"))
    }

    /// Calls a method that must be refused, and returns why it was.
    ///
    /// # Panics
    ///
    /// If the server does as it is told, or does not answer.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn refused(&mut self, method: &str, params: Value) -> RpcError {
        match self.try_call(method, params.clone()).await {
            Ok(result) => panic!("{method} was not refused: {result}: {params}"),
            Err(error) => error,
        }
    }

    /// Calls `M` and returns its result.
    ///
    /// # Panics
    ///
    /// If the server refuses, does not answer, or answers something else.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the request may have been sent.
    pub async fn call_typed<M: Method>(&mut self, params: &M::Params) -> M::Result {
        let params = serde_json::to_value(params).expect("params are JSON");
        let result = self.call(M::NAME, params).await;
        let text = result.to_string();
        serde_json::from_value(result).unwrap_or_else(|error| panic!("{}: {error}: {text}", M::NAME))
    }

    /// Claims the oldest notification of this name about this process, and returns its params.
    /// The process's transcript does not get it; prefer [`event`](Self::event).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn notified(&mut self, method: &str, process_id: &str) -> Value {
        let is_it =
            |message: &Value| message["method"] == method && message["params"]["processId"] == process_id;
        self.claim(&format!("{method} of {process_id:?}"), is_it).await["params"].take()
    }

    /// Lets notifications of this name be left unclaimed when the connection ends.
    pub(crate) fn may_miss(&mut self, method: &'static str) {
        self.optional = Some(method);
    }

    /// Claims the oldest message of any kind; None once the server has hung up and none is left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn next(&mut self) -> Option<Value> {
        if let Some(message) = self.unclaimed.pop_front() {
            return Some(message);
        }
        let message = within_patience("any message, or the end", self.receiver.receive()).await;
        message.as_deref().map(parse)
    }

    /// The text of the next message as it came; None once the server has hung up.
    ///
    /// # Panics
    ///
    /// If a message is unclaimed that came before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    pub async fn next_text(&mut self) -> Option<String> {
        assert!(
            self.unclaimed.is_empty(),
            "nobody claimed:{}",
            shown(&self.unclaimed)
        );
        let message = within_patience("any message, or the end", self.receiver.receive()).await?;
        Some(String::from_utf8(message.to_vec()).expect("a message is UTF-8"))
    }

    /// Waits until the server has hung up, and returns the code and the reason that it gave. What it
    /// says before that must still be claimed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn hung_up(&mut self) -> (Option<u16>, Option<String>) {
        let Self {
            receiver, unclaimed, ..
        } = self;
        let end = async {
            while let Some(message) = receiver.receive().await {
                unclaimed.push_back(parse(&message));
            }
        };
        within_patience("the server to hang up", end).await;
        (self.receiver.close_code(), self.receiver.close_reason())
    }

    /// Ends the connection, and checks that nothing was left unclaimed. On stdio this ends the server,
    /// too, which must leave as it should and leave nothing behind.
    ///
    /// # Cancel safety
    ///
    /// Not reversible: once polled, the connection is ended.
    pub async fn finish(self) {
        let Self {
            sender,
            mut receiver,
            mut unclaimed,
            optional,
            own_server,
            ..
        } = self;
        let children = own_server.map_or(Vec::new(), OsProcess::descendants);
        let rest = async {
            while let Some(message) = receiver.receive().await {
                unclaimed.push_back(parse(&message));
            }
        };
        let goodbye = async { tokio::join!(sender.close(), rest).0 };
        let status = within_patience("the end of the connection", goodbye).await;
        unclaimed.retain(|message| optional.is_none_or(|method| message["method"] != method));
        assert!(unclaimed.is_empty(), "nobody claimed:{}", shown(&unclaimed));
        if own_server.is_some() {
            assert!(
                status.is_some_and(|status| status.success()),
                "the server left with {status:?}"
            );
            let left: Vec<_> = children.into_iter().filter(|child| child.is_running()).collect();
            assert_eq!(left, [], "the server left these behind");
        }
    }

    /// Hangs up without a goodbye and without looking at what was left unclaimed.
    pub fn hang_up(self) {}

    /// Claims the oldest message that is wanted, and waits for it if there is none yet.
    ///
    /// # Panics
    ///
    /// With `what` was wanted and what came instead, if it does not come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it stays unclaimed.
    pub async fn claim(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(message) = self.claim_waiting(&wanted) {
            return message;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let problem = match timeout_at(deadline, self.receiver.receive()).await {
                Ok(Some(message)) => {
                    let message = parse(&message);
                    if wanted(&message) {
                        return message;
                    }
                    self.unclaimed.push_back(message);
                    continue;
                }
                Ok(None) => "the server has hung up before it said",
                Err(_) => "in vain waited for",
            };
            panic!("{problem} {what}; unclaimed are:{}", shown(&self.unclaimed));
        }
    }

    /// Claims the oldest message that is wanted and has come already.
    pub(crate) fn claim_waiting(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let at = self.unclaimed.iter().position(wanted)?;
        self.unclaimed.remove(at)
    }
}

fn is_response(message: &Value) -> bool {
    message.get("method").is_none() && message.get("id").is_some()
}

/// Reads a message, and makes sure that it is one.
fn parse(message: &[u8]) -> Value {
    let text = || {
        String::from_utf8_lossy(message)
            .chars()
            .take(SHOWN_CHARS)
            .collect::<String>()
    };
    let value: Value =
        serde_json::from_slice(message).unwrap_or_else(|error| panic!("not JSON: {error}: {:?}", text()));
    match value.as_array() {
        Some(batch) => {
            assert!(!batch.is_empty(), "an empty batch");
            batch.iter().for_each(check);
        }
        None => check(&value),
    }
    value
}

/// A message is a notification or a response, and an error has the code of its kind.
fn check(message: &Value) {
    let has = |member: &str| message.get(member).is_some();
    let is_sound = match message.get("error") {
        Some(error) => {
            let error: RpcError = serde_json::from_value(error.clone())
                .unwrap_or_else(|problem| panic!("a malformed error: {problem}: {message}"));
            let kind = ErrorKind::from_name(&error.data.kind);
            assert!(
                kind.is_some_and(|kind| kind.code() as i32 == error.code),
                "kind and code differ: {message}"
            );
            assert!(!error.message.is_empty(), "nothing for people: {message}");
            has("id") && !has("result") && !has("method")
        }
        None if has("method") => message["method"].is_string() && message["params"].is_object() && !has("id"),
        None => has("id") && has("result"),
    };
    assert!(is_sound, "neither a notification nor a response: {message}");
}

fn shown(messages: &VecDeque<Value>) -> String {
    let mut text = String::new();
    for message in messages.iter().take(SHOWN_MESSAGES) {
        text.push_str("\n  ");
        text.extend(message.to_string().chars().take(SHOWN_CHARS));
    }
    if messages.is_empty() {
        text.push_str(" none");
    } else if messages.len() > SHOWN_MESSAGES {
        text.push_str("\n  …");
    }
    text
}
