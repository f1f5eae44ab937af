//! From a request to its answer, by way of jsonrpsee's method table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use exec_protocol::envelope::{self, RequestId, Style};
use exec_protocol::{ErrorKind, RpcError};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use jsonrpsee::core::server::{ConnectionId, Extensions, MethodCallback, MethodResponse, Methods};
use jsonrpsee::types::{Id, Params};
use tokio_util::sync::CancellationToken;

use super::error::shutting_down;
use crate::limits::MAX_MESSAGE_BYTES;

/// How every response of jsonrpsee to a null id begins. The peer's own id goes in its place, as it
/// was written: jsonrpsee's ids are integers and strings, a peer's may be any number.
const NULL_ID: &str = r#"{"jsonrpc":"2.0","id":null,"#;

/// An answer: there already, or waiting for something.
pub(super) enum Answer {
    Now(Vec<u8>),
    Later(BoxFuture<'static, Vec<u8>>),
}

impl Answer {
    pub(super) fn refusal(style: Style, id: Option<&RequestId<'_>>, refusal: &RpcError) -> Self {
        Self::Now(error(style, id, refusal))
    }

    fn into_future(self) -> BoxFuture<'static, Vec<u8>> {
        match self {
            Self::Now(answer) => Box::pin(std::future::ready(answer)),
            Self::Later(answer) => answer,
        }
    }
}

/// Calls methods on behalf of one connection.
#[derive(Debug)]
pub(super) struct Dispatcher {
    methods: Methods,
    /// Carries the caller to the handlers.
    extensions: Extensions,
    /// When it is cancelled, whatever still waits is answered `shuttingDown`.
    stopping: CancellationToken,
}

impl Dispatcher {
    pub(super) fn new(methods: Methods, extensions: Extensions, stopping: CancellationToken) -> Self {
        Self {
            methods,
            extensions,
            stopping,
        }
    }

    /// Starts a request. It is polled once here and now, so that requests start in their order of
    /// arrival; only what has to wait becomes a future.
    pub(super) fn call(&self, id: RequestId<'_>, method: &str, params: Option<&str>, style: Style) -> Answer {
        let Some((_, MethodCallback::Async(callback))) = self.methods.method_with_name(method) else {
            let unknown = RpcError::new(ErrorKind::MethodNotFound, format!("no method {method:?}"));
            return Answer::refusal(style, Some(&id), &unknown);
        };
        let params = Params::new(params).into_owned();
        let mut response = callback(
            Id::Null,
            params,
            ConnectionId(0),
            MAX_MESSAGE_BYTES,
            self.extensions.clone(),
        );
        if let Some(response) = response.as_mut().now_or_never() {
            return Answer::Now(with_id(&response, &id, style));
        }
        let (id, stopping) = (id.into_owned(), self.stopping.clone());
        Answer::Later(Box::pin(async move {
            if let Some(response) = stopping.run_until_cancelled_owned(response).await {
                return with_id(&response, &id, style);
            }
            error(style, Some(&id), &shutting_down())
        }))
    }
}

/// jsonrpsee's response with the peer's id and in the peer's style.
fn with_id(response: &MethodResponse, id: &RequestId<'_>, style: Style) -> Vec<u8> {
    let text = response.as_json().get();
    let outcome = text
        .strip_prefix(NULL_ID)
        .expect("jsonrpsee writes a null id in one way only");
    let mut out = Vec::with_capacity(outcome.len() + id.as_json().len() + NULL_ID.len());
    envelope::write_response(&mut out, style, id, outcome);
    out
}

/// The answer to a batch: one array, when the last element is done. None if nothing in it wants one.
///
/// An element whose answer would make the array longer than a message is answered
/// `messageTooLarge` instead.
pub(super) fn batch(elements: Vec<Element>, style: Style) -> Option<Answer> {
    if elements.is_empty() {
        return None;
    }
    let room = Arc::new(AtomicUsize::new(MAX_MESSAGE_BYTES));
    let answers: Vec<_> = elements
        .into_iter()
        .map(|element| element.within(Arc::clone(&room), style))
        .collect();
    let mut array = Box::pin(async move {
        let mut out = vec![b'['];
        for answer in join_all(answers).await {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(&answer);
        }
        out.push(b']');
        out
    });
    Some(match array.as_mut().now_or_never() {
        Some(array) => Answer::Now(array),
        None => Answer::Later(array),
    })
}

/// One element of a batch that wants an answer.
pub(super) struct Element {
    pub(super) id: Option<RequestId<'static>>,
    pub(super) answer: Answer,
}

impl Element {
    async fn within(self, room: Arc<AtomicUsize>, style: Style) -> Vec<u8> {
        let answer = self.answer.into_future().await;
        // For the comma.
        let needed = answer.len() + 1;
        let take = |left: usize| left.checked_sub(needed);
        if room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
        {
            return answer;
        }
        let refusal = RpcError::new(
            ErrorKind::MessageTooLarge,
            "the answers to the batch are too long together",
        );
        error(style, self.id.as_ref(), &refusal)
    }
}

fn error(style: Style, id: Option<&RequestId<'_>>, error: &RpcError) -> Vec<u8> {
    let mut out = Vec::new();
    envelope::write_error(&mut out, style, id, error);
    out
}
