//! What becomes of processes whose client has gone.

mod keep;
mod kill;
mod refused;
mod session;

use std::time::Duration;

use exec_tests::{Options, TestServer, Wire, on_with};

/// A server whose sessions are over soon after their connections.
const SHORT_LIVED: Options = Options {
    containment: None,
    detached_session: Some(Duration::from_secs(1)),
    refuse_takeover: false,
    umask: None,
    no_new_privs: false,
    state_dir: None,
};

/// Runs a test over each wire on which a client can come back.
async fn on_both(options: Options, test: impl AsyncFn(&TestServer)) {
    for wire in [Wire::Memory, Wire::Websocket] {
        on_with(wire, options.clone(), async |server| test(server).await).await;
    }
}
