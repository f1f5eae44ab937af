//! JSON-RPC over one connection: what comes in is dispatched, what goes out is written.

mod array;
mod batch;
mod cancel;
mod connection;
mod dispatch;
mod error;
mod goodbye;
mod handlers;
mod outbox;
pub(crate) mod spare;
mod task_news;
mod turn;
mod waiting;
mod writer;

pub use batch::Batch;
pub(crate) use connection::serve;
pub(crate) use handlers::methods;
pub(crate) use outbox::Outbox;
#[cfg(test)]
pub(crate) use {batch::Pace, outbox::Due};
