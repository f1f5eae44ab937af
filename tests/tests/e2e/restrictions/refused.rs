//! A limit that cannot be kept is refused by its name, and never ignored.

use exec_protocol::process::Containment;
use exec_tests::ordinary::OrdinaryUser;
use exec_tests::{Options, Peer, Wire, on_every_wire, on_program, on_with};
use serde_json::{Value, json};

use super::{limit, said};
use crate::commands::{script, with};

const EPERM: Option<i32> = Some(1);

/// More open files than any system has.
const TOO_MANY_FILES: u64 = 1 << 40;

/// What an error says to programs.
async fn refused(peer: &mut Peer, more: Value) -> (i32, String, Option<i32>, Option<String>) {
    let error = peer
        .refused("process/start", with(script("p", "echo ran"), more))
        .await;
    (error.code, error.data.kind, error.data.errno, error.data.field)
}

fn invalid(field: &str) -> (i32, String, Option<i32>, Option<String>) {
    (-32602, "invalidParams".to_owned(), None, Some(field.to_owned()))
}

on_every_wire! {
    async fn more_than_the_server_may_have_is_refused(peer: &mut Peer) {
        for tty in [false, true] {
            let found = refused(peer, json!({"limits": {"cpuSeconds": 5, "openFiles": TOO_MANY_FILES}, "tty": tty})).await;
            let field = Some("limits.openFiles".to_owned());
            assert_eq!(found, (-32603, "permissionDenied".to_owned(), EPERM, field));
        }
        // Its id is free.
        assert_eq!(said(peer, "p", "echo ran", json!({})).await, "ran\n");
    }

    async fn what_is_no_limit_and_no_mask_is_refused(peer: &mut Peer) {
        for (more, field) in [
            (json!({"limits": {"cpuSeconds": -1}}), "limits.cpuSeconds"),
            (json!({"limits": {"openFiles": "90"}}), "limits.openFiles"),
            (json!({"limits": {"stackBytes": 1}}), "limits.stackBytes"),
            (json!({"limits": {"tree": {"cpu": 1}}}), "limits.tree.cpu"),
            (json!({"limits": 5}), "limits"),
            (json!({"umask": "888"}), "umask"),
            (json!({"umask": "1777"}), "umask"),
            (json!({"umask": 18}), "umask"),
            (json!({"noNewPrivs": 1}), "noNewPrivs"),
        ] {
            assert_eq!(refused(peer, more.clone()).await, invalid(field), "{more}");
        }
    }
}

#[tokio::test]
async fn a_limit_of_a_tree_is_refused_where_its_capability_is_not() {
    for containment in [None, Some(Containment::Supervisor), Some(Containment::Group)] {
        let options = Options {
            containment,
            ..Options::default()
        };
        on_with(Wire::Memory, options, async |server| {
            let mut peer = server.connect().await;
            let capabilities = peer.handshake().await.capabilities;
            assert!(capabilities.process_limits && capabilities.umask && capabilities.no_new_privs);
            let [memory, processes] = [capabilities.tree_memory_limit, capabilities.tree_processes_limit];
            assert!(containment.is_none() || !(memory || processes));
            for (name, value, is_supported) in
                [("memoryBytes", 1 << 30, memory), ("processes", 100, processes)]
            {
                let more = json!({"limits": {"tree": {name: value}}});
                if is_supported {
                    assert_eq!(said(&mut peer, name, "echo ran", more).await, "ran\n");
                } else {
                    let field = Some(format!("limits.tree.{name}"));
                    let expected = (-32602, "limitsUnsupported".to_owned(), None, field);
                    assert_eq!(refused(&mut peer, more).await, expected);
                }
            }
            // None is asked for.
            let more = json!({"limits": {"tree": {}}});
            assert_eq!(said(&mut peer, "none", "echo ran", more).await, "ran\n");
            peer.finish().await;
        })
        .await;
    }
}

#[tokio::test]
async fn an_ordinary_user_has_no_more_than_the_hard_limit() {
    let user = OrdinaryUser::new();
    on_program(user.server("ulimit -n 300", []), async |server| {
        let mut peer = server.session().await;
        let found = refused(&mut peer, json!({"limits": {"openFiles": 301}})).await;
        let field = Some("limits.openFiles".to_owned());
        assert_eq!(found, (-32603, "permissionDenied".to_owned(), EPERM, field));
        let more = json!({"limits": {"openFiles": 300}});
        let text = said(&mut peer, "p", "cat /proc/self/limits", more).await;
        assert_eq!(limit(&text, "Max open files"), ["300", "300"]);
        peer.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_limit_of_processes_binds_an_ordinary_user_and_its_supervisor_not() {
    let user = OrdinaryUser::new();
    let command = user.server("", ["--containment", "supervisor"]);
    on_program(command, async |server| {
        let mut peer = server.session().await;
        // There are the server and the supervisor already, so that nobody can be forked.
        let more = json!({"limits": {"processes": 2}});
        // What the shell says of it would come before or behind "ran": the two streams have no order between them.
        let transcript = peer
            .run(with(script("p", "exec 2>&-; echo ran; /bin/true; echo no"), more))
            .await;
        assert_eq!(transcript.text(), "ran\n");
        assert_ne!(transcript.exit_code, Some(0));
        // Whose supervisors would be bound could start nothing now.
        assert_eq!(
            said(&mut peer, "q", "/bin/true; echo on", json!({})).await,
            "on\n"
        );
        peer.finish().await;
    })
    .await;
}
