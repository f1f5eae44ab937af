//! What the promises of exec-server are tested with: a server over each wire, a client that insists
//! on claiming every message, and a program to be its child.
//!
//! A test is written once and runs over every wire:
//!
//! ```
//! use exec_tests::{Peer, on_every_wire};
//! use serde_json::json;
//!
//! on_every_wire! {
//!     /// What is promised.
//!     async fn a_command_runs_to_its_end(peer: &mut Peer) {
//!         peer.start(json!({"processId": "p", "argv": ["/bin/echo", "hi"]})).await;
//!         let transcript = peer.output_until_closed("p").await;
//!         assert_eq!(transcript.stdout, b"hi\n");
//!         assert_eq!(transcript.exit_code, Some(0));
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! A test that needs several connections takes `server: &TestServer` and makes them. Rules for every
//! test: it waits for what it can observe, never for time to pass; it ends what it started; it
//! depends on nothing that belongs to the whole process, because others run beside it.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test says no")]

pub mod blocks;
pub mod clock;
pub mod failing;
pub mod fixture;
pub mod ordinary;
pub mod os;
pub mod program;
pub mod proxy;
pub mod wait;
pub mod websocket;

mod macros;
mod marker;
mod peer;
mod process;
mod server;
mod task;
mod transcript;
mod watchdog;

pub use marker::Marker;
pub use peer::Peer;
pub use process::base64;
pub use server::{
    Options, TestServer, Wire, on, on_program, on_with, on_with_tasks, with_peer, with_peer_of_tasks,
};
pub use transcript::{Event, Transcript, What};
