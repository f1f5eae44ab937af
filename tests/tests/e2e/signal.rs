//! `process/signal`

use exec_tests::{Peer, fixture, on_every_wire};
use serde_json::json;

use crate::commands::{on_pipes, on_terminal};

/// The names that a program can catch, and what it then has caught.
const NAMES: [(&str, &str); 6] = [
    ("terminate", "SIGTERM"),
    ("hangup", "SIGHUP"),
    ("quit", "SIGQUIT"),
    ("user1", "SIGUSR1"),
    ("user2", "SIGUSR2"),
    ("windowChange", "SIGWINCH"),
];

on_every_wire! {
    async fn every_signal_has_two_names_and_arrives(peer: &mut Peer) {
        for (id, params) in [("p", on_pipes("p", ["name-signals"])), ("t", on_terminal("t", ["name-signals"]))] {
            peer.start(params).await;
            peer.output_until(id, "ready").await;
            let mut expected = "ready\n".to_owned();
            for (name, caught) in NAMES {
                for name in [name, caught] {
                    let params = json!({"processId": id, "signal": name});
                    assert_eq!(peer.call("process/signal", params).await, json!({"delivered": true}), "{name}");
                    expected.extend([caught, "\n"]);
                    while peer.transcript(id).text().replace("\r\n", "\n") != expected {
                        peer.event(id).await;
                    }
                }
            }
            for name in ["stop", "SIGSTOP", "continue", "SIGCONT"] {
                peer.call("process/signal", json!({"processId": id, "signal": name})).await;
            }
            peer.output_until(id, "SIGCONT").await;
            peer.call("process/signal", json!({"processId": id, "signal": "SIGINT"})).await;
            assert_eq!(peer.output_until_closed(id).await.exit_code, Some(0));
        }
    }

    async fn kill_kills(peer: &mut Peer) {
        for name in ["kill", "SIGKILL"] {
            peer.start(on_pipes(name, ["ignore-term"])).await;
            let params = json!({"processId": name, "signal": name});
            assert_eq!(peer.call("process/signal", params.clone()).await, json!({"delivered": true}));
            assert_eq!(peer.output_until_closed(name).await.exit_code, Some(137));
            assert_eq!(peer.call("process/signal", params).await, json!({"delivered": false}), "it is closed");
        }
    }

    async fn an_interrupt_reaches_the_whole_group(peer: &mut Peer) {
        let script = "trap '' INT; \"$0\" name-signals & \"$0\" name-signals; wait";
        peer.start(json!({"processId": "p", "argv": ["/bin/sh", "-c", script, fixture::path()]})).await;
        while peer.transcript("p").text().matches("ready\n").count() < 2 {
            peer.event("p").await;
        }
        peer.call("process/signal", json!({"processId": "p", "signal": "interrupt"})).await;
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.text().matches("SIGINT\n").count(), 2, "{:?}", transcript.text());
    }
}
