//! The client against a scripted server, over every transport.
#![expect(clippy::unwrap_used, reason = "a script that fails is a test that fails")]

mod acks;
mod cancel;
mod endpoints;
mod fake;
mod hostile;
mod records;
mod resume;
mod session;
mod start;
#[cfg(feature = "tls")]
mod tls;
mod wires;
