//! The first words on a connection.

use std::time::Duration;

use bytes::Bytes;
use exec_protocol::envelope::{Incoming, Message, RequestId, Style, parse, write_notice, write_request};
use exec_protocol::initialize::{Initialize, InitializeParams, InitializeResult, Initialized};
use exec_protocol::{Empty, Method, Notice};
use tokio::time::timeout;

use crate::error::{CallError, ClientError, Disconnected};
use crate::transport::{MessageReceiver, MessageSender, Transport};

/// How long the server may take to answer `initialize`.
///
/// It has nothing to do for it; a loaded machine or a slow network takes a second.
pub(crate) const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// The id of `initialize`; every other request has a higher one.
const INITIALIZE_ID: u64 = 0;

/// A connection on which anything may be said.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) sender: MessageSender,
    pub(crate) receiver: MessageReceiver,
}

/// Opens or takes up a session: `initialize`, its answer, `initialized`.
pub(crate) async fn open(
    transport: Transport,
    params: &InitializeParams,
) -> Result<(Connection, InitializeResult), ClientError> {
    timeout(HANDSHAKE_PATIENCE, exchange(transport, params))
        .await
        .map_err(|_| ClientError::TimedOut)?
        .map_err(ClientError::Initialize)
}

async fn exchange(
    transport: Transport,
    params: &InitializeParams,
) -> Result<(Connection, InitializeResult), CallError> {
    let (mut sender, mut receiver) = transport.split();
    let mut request = Vec::new();
    let id = RequestId::number(INITIALIZE_ID);
    write_request(&mut request, Style::Versioned, &id, Initialize::NAME, params);
    sender.send(request.into()).await?;
    let result = loop {
        let message = receiver.receive().await.ok_or(Disconnected)?;
        if let Some(outcome) = answer(&message, &id) {
            break outcome?;
        }
    };
    let mut notice = Vec::new();
    write_notice(&mut notice, Style::Versioned, Initialized::NAME, &Empty {});
    sender.send(notice.into()).await?;
    Ok((Connection { sender, receiver }, result))
}

/// What `message` says about our request, if it is about it.
fn answer(message: &Bytes, id: &RequestId<'_>) -> Option<Result<InitializeResult, CallError>> {
    match parse(message) {
        Ok(Incoming::Single(Message::Response {
            id: Some(about),
            outcome,
            ..
        })) if about == *id => Some(outcome.map_err(CallError::Rpc).and_then(|result| {
            serde_json::from_str(result).map_err(|error| CallError::malformed(Initialize::NAME, error))
        })),
        Ok(_) => None,
        // A peer that is not a server of this kind; what it said is our answer.
        Err(error) => Some(Err(CallError::malformed(Initialize::NAME, error))),
    }
}
