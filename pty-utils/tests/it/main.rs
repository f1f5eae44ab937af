//! What the crate promises about children, seen from outside. Each test is a sentence.
//! For Linux; the fallback of other systems promises less and has its tests in `sys/portable`.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy sees its helpers as ordinary code"
)]

mod clean;
mod errors;
mod exit;
mod holders;
mod hosts;
mod keepers;
mod leaks;
mod lookup;
mod marked;
mod orphans;
mod pipes;
mod release;
mod restrictions;
mod shortage;
mod signals;
mod support;
mod terminal;
mod trees;
mod usage;
