//! The other side of the wire: a client that speaks to an exec-server, typed and lean.
//!
//! * [`Transport`] carries whole messages, whatever the wire: a child's stdio, a websocket, memory.
//!   Split into [`MessageSender`] and [`MessageReceiver`] it is all a test needs to speak raw.
//! * [`Endpoint`] is where a server listens on a network or a Unix socket, and the token that it is shown.
//! * [`Client`] makes typed calls over it, and resumes its session when a websocket breaks. Calls that
//!   may be repeated are; so are starts, for a server that knows a repeated one by its key.
//! * [`Process`] is the stream of one process's [`Event`]s, whole and in order: what a broken
//!   connection or an eviction tore out is read again, and what cannot be is a [`Event::Gap`]. The last
//!   ones say how it ended ([`ExitDetails`]) and what it comes to ([`CloseDetails`]).
//!   [`ProcessControl`] acts on the process, and fetches its record.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use exec_client::{Client, Event};
//! use exec_protocol::{ProcessId, process::StartParams};
//!
//! let client = Client::connect_websocket("ws://127.0.0.1:4000", "example").await?;
//! let mut process = client.start(&StartParams::new(ProcessId::new("p1")?, ["date"])).await?;
//! while let Some(event) = process.next().await {
//!     if let Event::Exited { exit_code, .. } = event {
//!         println!("{} exited with {exit_code}", process.id());
//!     }
//! }
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! The crate knows the messages (`exec-protocol`) and nothing of the server.
//!
//! # Invariants
//!
//! * Reading never waits for writing. It waits for the consumers of events only, so a consumer that
//!   lags slows the server instead of losing anything.
//! * The order of events is decided in one place without I/O (`sequence`, `catch_up`); the reader
//!   only sorts them by process.
//! * What a consumer takes is acknowledged over a connection that can be resumed (`acknowledge`),
//!   so that the server keeps what it has not taken. That waits for nothing, and nothing waits for it.
//! * What nobody waits for is not waited for: a read whose future is dropped is cancelled, if the server
//!   knows how and there is a place among what is to be sent.
//! * Every queue is bounded, and no task outlives the last handle of its client.

mod acknowledge;
mod acks;
mod catch_up;
mod client;
mod control;
mod driver;
mod endpoint;
mod error;
mod event;
mod handshake;
mod inbound;
#[cfg(test)]
mod model;
mod order;
mod pending;
mod position;
mod process;
mod random;
mod reconnect;
mod routes;
mod sequence;
mod transport;

pub use client::Client;
pub use control::ProcessControl;
pub use endpoint::Endpoint;
pub use error::{CallError, ClientError, ConnectError, Disconnected};
pub use event::{CloseDetails, Event, ExitDetails};
pub use process::Process;
pub use transport::{MAX_MESSAGE_BYTES, MessageReceiver, MessageSender, Transport};
