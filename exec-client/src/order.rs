//! What the driver is asked to send.

use bytes::Bytes;
use exec_protocol::envelope::{RequestId, Style, write_notice};
use exec_protocol::{CancelParams, CancelRequest, Notice as _};

/// What to send about the request with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The request itself.
    Request(u64),
    /// That nobody waits for its answer any more.
    Cancel(u64),
}

/// A cancellation as it is sent.
pub(crate) fn cancellation(id: u64) -> Bytes {
    let params = CancelParams {
        id: RequestId::number(id),
    };
    let mut message = Vec::new();
    write_notice(&mut message, Style::Versioned, CancelRequest::NAME, &params);
    message.into()
}
