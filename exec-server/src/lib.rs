//! A server that runs commands for a program on the other side of a pipe, a socket or a channel.
//!
//! A message walks through the modules in this order: [`transport`] takes it from the wire
//! (`framing` where the wire has no messages), `rpc` dispatches it, `session` knows whose process it
//! is about, `process` carries it out, and `output` keeps what the process says until `notify` and
//! `rpc` have written it.
//!
//! # Embedding
//!
//! A [`Server`] serves any number of connections: [`serve_stdio`](Server::serve_stdio),
//! [`serve_websocket`](Server::serve_websocket), or [`serve`](Server::serve) for one that you bring,
//! which [`Connection::memory`](transport::Connection::memory) makes within a program.
//! [`shutdown`](Server::shutdown) ends what it started; the examples show a host, a remote and a test
//! harness.
//!
//! ```
//! use exec_client::{Client, Event, Transport};
//! use exec_protocol::{ProcessId, process::StartParams};
//! use exec_server::transport::{Connection, MemoryPeer};
//! use exec_server::{Config, Server};
//! use tokio_util::task::TaskTracker;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = Server::new(Config::default())?;
//! let (connection, MemoryPeer { outgoing, incoming }) = Connection::memory();
//! let tasks = TaskTracker::new();
//! let serving = server.clone();
//! tasks.spawn(async move { serving.serve(connection).await });
//!
//! let client = Client::connect(Transport::memory(outgoing, incoming), "example").await?;
//! let mut process = client.start(&StartParams::new(ProcessId::new("p1")?, ["echo", "hi"])).await?;
//! while let Some(event) = process.next().await {
//!     if let Event::Output { bytes, .. } = event {
//!         assert_eq!(bytes, "hi\n");
//!     }
//! }
//!
//! client.close().await;
//! assert!(server.shutdown().await.is_complete);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod access;
mod causes;
pub mod cli;
mod clock;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod limits;
mod machine;
pub mod transport;

mod config;
mod deadline;
mod env_policy;
mod environment;
mod files;
mod framing;
mod notify;
mod output;
mod process;
mod rpc;
mod server;
mod session;
mod shutdown;
mod stats;
mod sync;

pub use config::{Config, TaskStorage};
pub use pty_utils::helper;
pub use server::Server;
pub use shutdown::ShutdownReport;
