//! From a request to its answer, by way of jsonrpsee's method table.

use std::borrow::Cow;
use std::sync::Arc;

use exec_protocol::envelope::{self, RequestId, Style};
use exec_protocol::fs::{Canonicalize, GetMetadata, ReadBlock, ReadDirectory, ReadFile, Walk};
use exec_protocol::process::{Ack, Read, Wait};
use exec_protocol::task;
use exec_protocol::{
    CancelParams, CancelRequest, ErrorKind, Method as _, Notice as _, RpcError, parse_params,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jsonrpsee::core::server::{ConnectionId, Extensions, MethodCallback, MethodResponse, Methods};
use jsonrpsee::types::{Id, Params};
use tokio_util::sync::CancellationToken;

use super::cancel::Cancellable;
use super::error::{cancelled, concise, shutting_down, too_long};
use super::handlers::{Caller, ack, begin_file_work, read};
use crate::limits::MAX_MESSAGE_BYTES;
use crate::stats::Stats;

/// How every response of jsonrpsee to a null id begins. The peer's own id goes in its place, as it
/// was written: jsonrpsee's ids are integers and strings, a peer's may be any number.
const NULL_ID: &str = r#"{"jsonrpc":"2.0","id":null,"#;

/// Methods that change nothing and may take long, and so can be taken back.
const CANCELLABLE_METHODS: [&str; 10] = [
    Read::NAME,
    Wait::NAME,
    task::Wait::NAME,
    task::Logs::NAME,
    Canonicalize::NAME,
    GetMetadata::NAME,
    ReadBlock::NAME,
    ReadDirectory::NAME,
    ReadFile::NAME,
    Walk::NAME,
];

/// How the names of the methods of files begin.
const FILE_METHODS: &str = "fs/";

/// An answer: there already, or waiting for something.
pub(super) enum Answer {
    Now(Vec<u8>),
    Later(BoxFuture<'static, Vec<u8>>),
}

impl Answer {
    pub(super) fn refusal(
        stats: &Stats,
        style: Style,
        id: Option<&RequestId<'_>>,
        refusal: &RpcError,
    ) -> Self {
        Self::Now(error(stats, style, id, refusal))
    }
}

/// When a request is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At once.
    Now,
    /// At once, but a read, whose answer may be long, only when its future is polled: there is no
    /// room for a long answer. Reads may be overtaken.
    WithRoom,
}

/// Calls methods on behalf of one connection.
#[derive(Debug)]
pub(super) struct Dispatcher {
    methods: Methods,
    caller: Caller,
    /// Carries the caller to the handlers in the table.
    extensions: Extensions,
    /// When it is cancelled, whatever still waits is answered `shuttingDown`.
    stopping: CancellationToken,
    cancellable: Cancellable,
}

impl Dispatcher {
    pub(super) fn new(methods: Methods, caller: Caller, stopping: CancellationToken) -> Self {
        let mut extensions = Extensions::new();
        extensions.insert(caller.clone());
        Self {
            methods,
            caller,
            extensions,
            stopping,
            cancellable: Cancellable::default(),
        }
    }

    /// Starts a request. It is polled once here and now, so that requests start in their order of
    /// arrival; only what has to wait becomes a future.
    pub(super) fn call(
        &self,
        id: RequestId<'_>,
        method: &str,
        params: Option<&str>,
        style: Style,
        start: Start,
    ) -> Answer {
        let id = id.into_owned();
        let waiting_id = id.clone();
        let mut answer: BoxFuture<'static, Vec<u8>> = if method == Read::NAME {
            let (caller, params) = (self.caller.clone(), params.map(str::to_owned));
            Box::pin(answer_read(caller, params, id, style))
        } else if let Some(begun) = self.begin_file_work(method, params, &id, style) {
            begun
        } else if let Some((_, MethodCallback::Async(callback))) = self.methods.method_with_name(method) {
            let params = Params::new(params).into_owned();
            let caller = self.extensions.clone();
            let response = callback(Id::Null, params, ConnectionId(0), MAX_MESSAGE_BYTES, caller);
            Box::pin(async move { with_id(&response.await, &id, style) })
        } else {
            let unknown = RpcError::new(ErrorKind::MethodNotFound, format!("no method {method:?}"));
            return Answer::refusal(self.caller.server.stats(), style, Some(&id), &unknown);
        };
        let is_put_off = start == Start::WithRoom && method == Read::NAME;
        if !is_put_off && let Some(answer) = answer.as_mut().now_or_never() {
            return Answer::Now(answer);
        }
        let (stopping, stats) = (self.stopping.clone(), Arc::clone(self.caller.server.stats()));
        // What changes something is carried out, and its answer says so.
        let waits = CANCELLABLE_METHODS
            .contains(&method)
            .then(|| self.cancellable.insert(waiting_id.clone()));
        Answer::Later(Box::pin(async move {
            let taken_back = async {
                match &waits {
                    Some(waits) => waits.cancelled().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What is there by now is told also when the time is up.
                biased;
                answer = answer => answer,
                () = taken_back => error(&stats, style, Some(&waiting_id), &cancelled()),
                () = stopping.cancelled() => error(&stats, style, Some(&waiting_id), &shutting_down()),
            }
        }))
    }

    /// Begins a file method. None if it is none.
    fn begin_file_work(
        &self,
        method: &str,
        params: Option<&str>,
        id: &RequestId<'static>,
        style: Style,
    ) -> Option<BoxFuture<'static, Vec<u8>>> {
        if !method.starts_with(FILE_METHODS) {
            return None;
        }
        let mut out = Vec::new();
        envelope::begin_result(&mut out, style, id);
        let begun = begin_file_work(&self.caller, method, params, out)?;
        let (id, stats) = (id.clone(), Arc::clone(self.caller.server.stats()));
        Some(Box::pin(async move {
            match begun.await {
                Ok(mut out) if out.len() < MAX_MESSAGE_BYTES => {
                    envelope::end_result(&mut out);
                    out
                }
                Ok(_) => error(&stats, style, Some(&id), &too_long()),
                Err(refusal) => error(&stats, style, Some(&id), &refusal),
            }
        }))
    }

    /// Takes a notification. Those that nobody knows are ignored.
    pub(super) fn notify(&self, method: &str, params: Option<&str>) {
        if method == Ack::NAME {
            ack(&self.caller, params);
        } else if method == CancelRequest::NAME {
            match parse_params::<CancelParams>(params) {
                Ok(params) => self.cancellable.cancel(&params.id),
                // Its message may quote whatever was sent.
                Err(error) => tracing::debug!(
                    kind = error.kind.as_str(),
                    field = error.field,
                    "nothing can be taken back by that"
                ),
            }
        }
    }
}

/// The answer to a read, put together in one buffer.
async fn answer_read(
    caller: Caller,
    params: Option<String>,
    id: RequestId<'static>,
    style: Style,
) -> Vec<u8> {
    let mut out = Vec::new();
    envelope::begin_result(&mut out, style, &id);
    let stats = Arc::clone(caller.server.stats());
    match read(caller, params.as_deref(), &mut out).await {
        Ok(()) => {
            envelope::end_result(&mut out);
            out
        }
        Err(refusal) => error(&stats, style, Some(&id), &refusal),
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

/// An answer that refuses, and the place where all but those of the method table are counted.
pub(super) fn error(stats: &Stats, style: Style, id: Option<&RequestId<'_>>, error: &RpcError) -> Vec<u8> {
    stats.errors.add(error);
    let mut out = Vec::new();
    envelope::write_error(&mut out, style, id, &concise(Cow::Borrowed(error)));
    out
}
