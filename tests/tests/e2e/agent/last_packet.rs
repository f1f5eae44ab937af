//! The agent ends a command and itself in one packet.

use exec_tests::websocket::{Opcode, Part, frame};
use exec_tests::{Marker, Wire, on};
use serde_json::json;

use super::{call, open, request, resume};

/// Ends when it is asked to.
const POLITE: &str = "echo up; exec sleep 100";

/// Ends only when it is killed, and so does what it has started.
const STUBBORN: &str = "trap '' TERM; echo up; sleep 100; sleep 100";

/// Whether there is a goodbye between the last message and the end of the socket.
#[derive(Debug, Clone, Copy)]
enum Goodbye {
    /// A close frame.
    Said,
    /// None.
    Unsaid,
}

#[tokio::test]
async fn a_terminate_in_the_last_packet_ends_the_command() {
    on(Wire::Websocket, async |server| {
        for (script, code) in [(POLITE, 128 + 15), (STUBBORN, 128 + 9)] {
            for goodbye in [Goodbye::Said, Goodbye::Unsaid] {
                let marker = Marker::new();
                let (mut client, session_id) = open(server).await;
                let start = json!({"processId": "p", "argv": ["/bin/sh", "-c", script]});
                // What it prints may come before the answer, so it is read rather than waited for.
                call(&mut client, 2, "process/start", marker.on(start)).await;
                let read = json!({"processId": "p", "waitMs": 30_000});
                let read = call(&mut client, 3, "process/read", read).await;
                assert_eq!(read["chunks"][0]["chunk"], exec_tests::base64("up\n"), "{read}");

                let mut packet = request(4, "process/terminate", &json!({"processId": "p"}));
                if matches!(goodbye, Goodbye::Said) {
                    packet.extend(frame(Opcode::Close, Part::Last, &1000_u16.to_be_bytes()));
                }
                client.send_last(&packet).await;
                // A session that nobody takes up would end them, too, but much later.
                marker.ended().await;

                let mut client = resume(server, &session_id).await;
                let read = json!({"processId": "p", "maxBytes": 0});
                let read = call(&mut client, 2, "process/read", read).await;
                assert_eq!(
                    (&read["exited"], &read["exitCode"]),
                    (&json!(true), &json!(code)),
                    "{goodbye:?}: {read}"
                );
                let again = call(&mut client, 3, "process/terminate", json!({"processId": "p"})).await;
                assert!(again["running"].is_boolean(), "{again}");
            }
        }
    })
    .await;
}
