//! Nobody escapes from a process that is to end, whichever way its descendants are held together.

mod end_of_server;
mod leftovers;
mod survivors;

use std::sync::atomic::{AtomicUsize, Ordering};

use exec_protocol::process::Containment;
use exec_tests::os::{OsProcess, with_variable};
use exec_tests::wait::until;
use exec_tests::{Options, Peer, TestServer};
use serde_json::{Value, json};

/// The server's options for one way of containment.
fn held_by(containment: Containment) -> Options {
    Options {
        containment: Some(containment),
        ..Options::default()
    }
}

/// A variable by which a process and everybody who descends from it is found.
struct Marker(String);

impl Marker {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("contained-{}-{count}", std::process::id()))
    }

    /// A script that runs with it.
    fn script(&self, process_id: &str, script: &str) -> Value {
        let env = json!({"PATH": "/usr/bin:/bin", "EXEC_TESTS_MARKER": self.0});
        json!({"processId": process_id, "argv": ["/bin/sh", "-c", script], "env": env})
    }

    /// Those that have it and run.
    fn alive(&self) -> Vec<OsProcess> {
        let mut all = with_variable(&format!("EXEC_TESTS_MARKER={}", self.0));
        all.retain(|process| process.is_running());
        all
    }

    /// Whether nobody is alive, however quickly they take turns.
    fn is_extinct(&self) -> bool {
        (0..LOOKS).all(|_| self.alive().is_empty())
    }

    async fn extinct(&self) {
        until("nobody is left", || self.is_extinct()).await;
    }

    async fn count(&self, expected: usize) {
        until(&format!("there are {expected}"), || {
            self.alive().len() == expected
        })
        .await;
    }
}

/// How often is looked for somebody who is born after, and gone before, he is looked at.
const LOOKS: usize = 5;

/// Starts a script that says `ready`, and waits until it has.
async fn start(peer: &mut Peer, params: Value) {
    let process_id = params["processId"].as_str().expect("it has an id").to_owned();
    peer.start(params).await;
    peer.output_until(&process_id, "ready\n").await;
}

/// Whether the server can hold processes together by control groups here.
///
/// Where it cannot, there is nothing to test; it says so in `initialize` when it was left the choice.
pub(crate) async fn has_cgroups() -> bool {
    let server = TestServer::start(exec_tests::Wire::Memory).await;
    let mut peer = server.connect().await;
    let has = peer.handshake().await.containment == Some(Containment::Cgroup);
    peer.finish().await;
    server.finish().await;
    has
}

/// Makes a test for each way and wire: `name::cgroup_memory` and so on.
macro_rules! contained {
    ($($(#[$meta:meta])* [$($wire:ident)+] async fn $name:ident($server:ident: &TestServer) $body:block)+) => {
        $($(#[$meta])* mod $name {
            use super::*;

            async fn test($server: &TestServer) $body

            $(contained! { @wire $wire })+
        })+
    };
    (@wire memory) => { contained! { @test cgroup_memory supervisor_memory Memory } };
    (@wire stdio) => { contained! { @test cgroup_stdio supervisor_stdio Stdio } };
    (@wire websocket) => { contained! { @test cgroup_websocket supervisor_websocket Websocket } };
    (@test $cgroup:ident $supervisor:ident $wire:ident) => {
        #[tokio::test]
        async fn $cgroup() {
            if !crate::containment::has_cgroups().await {
                return;
            }
            let options = crate::containment::held_by(exec_protocol::process::Containment::Cgroup);
            exec_tests::on_with(exec_tests::Wire::$wire, options, test).await;
        }

        #[tokio::test]
        async fn $supervisor() {
            let options = crate::containment::held_by(exec_protocol::process::Containment::Supervisor);
            exec_tests::on_with(exec_tests::Wire::$wire, options, test).await;
        }
    };
}
use contained;
