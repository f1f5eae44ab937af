//! Clients that mean harm, or know no better: what they cost is bounded, and nobody else pays for it.
//!
//! Sizes are chosen for a server that was compiled without optimisation: each is a few times what the bound allows, so that a
//! server without the bound is told from one with it, and no more.

mod answers;
mod floods;
mod frame_floods;
mod frames;
mod lines;
mod lists;
mod messages;
mod raw;
mod sessions;
mod task_replies;

use exec_tests::Peer;
use exec_tests::os::OsProcess;
use exec_tests::wait::within_patience;
use serde_json::Value;

/// What the allocator may keep of what came and went, and what connections are served with, in KiB.
const NOISE_KIB: u64 = 8 << 10;

/// Checks that a server has not grown by more than twice what it may hold, in KiB.
fn assert_grown_within(server: OsProcess, before_kib: u64, held_kib: u64) {
    let grown = server.anonymous_kib().saturating_sub(before_kib);
    let most = 2 * held_kib + NOISE_KIB;
    assert!(grown <= most, "grown by {grown} KiB, {most} at most are held");
}

/// Checks that a connection gets its answers while something goes on.
async fn is_answered(peer: &mut Peer) {
    const ANSWERS: usize = 20;
    let answers = async {
        for _ in 0..ANSWERS {
            peer.call("environment/info", Value::Null).await;
        }
    };
    within_patience("another connection's answers", answers).await;
}

/// One test as two: `name::stdio` with a server of its own, and `name::websocket`, where there is another connection. With tasks, if
/// `with_tasks` stands in front.
macro_rules! on_raw_wires {
    (with_tasks $($tests:tt)+) => { on_raw_wires! { @on on_stdio_with_tasks on_websocket_with_tasks $($tests)+ } };
    (@on $stdio:ident $websocket:ident) => {};
    (
        @on $stdio:ident $websocket:ident
        async fn $name:ident($raw:ident: &mut Raw, $other:ident: Option<&mut Peer>) $body:block
        $($more:tt)*
    ) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "a test need not use everything that its neighbours use")]
            use super::*;

            async fn test($raw: &mut Raw, $other: Option<&mut Peer>) $body

            #[tokio::test]
            async fn stdio() {
                super::super::raw::$stdio(test).await;
            }

            #[tokio::test]
            async fn websocket() {
                super::super::raw::$websocket(test).await;
            }
        }
        on_raw_wires! { @on $stdio $websocket $($more)* }
    };
    ($($tests:tt)+) => { on_raw_wires! { @on on_stdio on_websocket $($tests)+ } };
}
use on_raw_wires;
