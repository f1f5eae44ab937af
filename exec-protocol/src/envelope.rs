//! The JSON-RPC 2.0 envelope, as the wire uses it.
//!
//! Reading is lenient where peers differ (the `jsonrpc` member may be missing, an id may be any
//! string or number) and strict where leniency would guess (a repeated member, a null id). What a
//! message makes us allocate is bounded by its length before anything is built from it.

mod contents;
mod incoming;
mod nesting;
mod outgoing;
mod reading;
mod request_id;

pub use contents::{ReadFileWriter, write_block};
pub use incoming::{Batch, EnvelopeError, Incoming, MAX_BATCH_ELEMENTS, Message, Style, parse};
pub use nesting::MAX_DEPTH;
pub use outgoing::{
    Output, begin_result, end_result, write_error, write_notice, write_output, write_request, write_response,
    write_result,
};
pub use reading::ReadWriter;
pub use request_id::RequestId;
