//! A server that runs commands for a program on the other side of a pipe, a socket or a channel.
//!
//! A message walks through the modules in this order: [`transport`] takes it from the wire
//! (`framing` where the wire has no messages), `rpc` dispatches it, `session` knows whose process it
//! is about, `process` carries it out, and `output` keeps what the process says until `notify` and
//! `rpc` have written it.
//!
//! # Embedding
//!
//! ```
//! use exec_server::{Config, Server, transport::Connection};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = Server::new(Config::default())?;
//! let (connection, peer) = Connection::memory();
//! let serving = tokio::task::LocalSet::new();
//! # drop((connection, peer, serving));
//! let report = server.shutdown().await;
//! assert!(report.is_complete);
//! # std::io::Result::Ok(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod cli;
pub mod limits;
pub mod transport;

mod config;
mod env_policy;
mod environment;
mod framing;
mod notify;
mod output;
mod process;
mod rpc;
mod server;
mod session;
mod shutdown;

pub use config::Config;
pub use server::Server;
pub use shutdown::ShutdownReport;
