//! Each kind of what can be waited for.

use std::time::Duration;

use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::json;
use tokio::time::Instant;

use super::{LONG_MS, echo, end, fired, long, look, nothing, pattern, say, unmet, wait};
use crate::commands::{on_pipes, script, with};

on_every_wire! {
    async fn the_exit_and_the_close_are_told_with_their_numbers_and_the_end(peer: &mut Peer) {
        echo(peer, "p").await;
        say(peer, "p", "three").await;
        for kind in ["exited", "closed"] {
            assert_eq!(wait(peer, look("p", json!({"kind": kind}))).await, nothing());
        }
        let exit = peer.request("process/wait", long("p", json!({"kind": "exited"}))).await;
        let close = peer.request("process/wait", long("p", json!({"kind": "closed"}))).await;
        end(peer, "p").await;
        assert_eq!(peer.response(exit).await.unwrap(), fired("p", "exited", 2, 5));
        assert_eq!(peer.response(close).await.unwrap(), fired("p", "closed", 3, 5));
        // And at once if it is so already.
        assert_eq!(wait(peer, look("p", json!({"kind": "exited"}))).await, fired("p", "exited", 2, 5));
        assert_eq!(wait(peer, long("p", json!({"kind": "closed"}))).await, fired("p", "closed", 3, 5));
    }

    async fn an_exit_does_not_wait_for_who_holds_the_output(peer: &mut Peer) {
        peer.start(script("p", "sleep 1000 & exit 6")).await;
        assert_eq!(wait(peer, long("p", json!({"kind": "exited"}))).await, fired("p", "exited", 1, 0));
        assert_eq!(wait(peer, look("p", json!({"kind": "closed"}))).await, nothing());
        peer.exited("p").await;
        peer.call("process/terminate", json!({"processId": "p"})).await;
        peer.output_until_closed("p").await;
    }

    async fn output_counts_from_the_call_on_or_from_an_offset(peer: &mut Peer) {
        echo(peer, "p").await;
        say(peer, "p", "one").await;
        let output = json!({"kind": "output"});
        assert_eq!(wait(peer, look("p", output.clone())).await, nothing());
        let waiting = peer.request("process/wait", long("p", output.clone())).await;
        say(peer, "p", "two").await;
        assert_eq!(peer.response(waiting).await.unwrap(), fired("p", "output", 2, 3));
        for (from, expected) in [
            (0, fired("p", "output", 1, 0)),
            (1, fired("p", "output", 1, 1)),
            (3, fired("p", "output", 2, 3)),
            (6, nothing()),
        ] {
            let params = with(look("p", output.clone()), json!({"fromOffsets": {"p": from, "other": 99}}));
            assert_eq!(wait(peer, params).await, expected, "from {from}");
        }
        end(peer, "p").await;
        assert_eq!(wait(peer, long("p", output)).await, unmet("p", "closed"));
    }

    async fn output_may_be_that_of_one_stream(peer: &mut Peer) {
        peer.start(with(script("p", "echo out; read -r _; echo err >&2; read -r _"), json!({"pipeStdin": true}))).await;
        peer.output_until("p", "out\n").await;
        let on = |stream| json!({"kind": "output", "stream": stream});
        let from_the_start = |stream| with(long("p", on(stream)), json!({"fromOffsets": {"p": 0}}));
        assert_eq!(wait(peer, from_the_start("stdout")).await, fired("p", "output", 1, 0));
        let waiting = peer.request("process/wait", from_the_start("stderr")).await;
        peer.write("p", "\n").await;
        assert_eq!(peer.response(waiting).await.unwrap(), fired("p", "output", 2, 4));
        let waiting = peer.request("process/wait", long("p", on("pty"))).await;
        peer.write("p", "\n").await;
        assert_eq!(peer.response(waiting).await.unwrap(), unmet("p", "closed"));
        peer.output_until_closed("p").await;
    }

    async fn silence_counts_from_the_last_output(peer: &mut Peer) {
        let began = Instant::now();
        echo(peer, "p").await;
        let silent = |millis: u64| json!({"kind": "silent", "silentMs": millis});
        assert_eq!(wait(peer, long("p", silent(100))).await, fired("p", "silent", 0, 0));
        assert!(began.elapsed() >= Duration::from_millis(100));
        // It was silent so long already.
        assert_eq!(wait(peer, look("p", silent(100))).await, fired("p", "silent", 0, 0));
        say(peer, "p", "one").await;
        assert_eq!(wait(peer, look("p", silent(LONG_MS))).await, nothing());
        let waiting = peer.request("process/wait", long("p", silent(300))).await;
        let mut spoke = Vec::new();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            spoke.push(Instant::now());
            say(peer, "p", "more").await;
        }
        let answer = peer.response(waiting).await.unwrap();
        // On a slow machine it may have been silent so long between two of them.
        let offset = answer["fired"][0]["offset"].as_u64().unwrap();
        let last = spoke.iter().zip((7..).step_by(4)).filter(|(_, end)| *end <= offset).last();
        assert!(last.is_none_or(|(spoke, _)| spoke.elapsed() >= Duration::from_millis(300)), "{answer}");
        assert_eq!(wait(peer, long("p", silent(300))).await, fired("p", "silent", 6, 23));
        let waiting = peer.request("process/wait", long("p", silent(LONG_MS))).await;
        end(peer, "p").await;
        assert_eq!(promptly("the close", peer.response(waiting)).await.unwrap(), unmet("p", "closed"));
    }

    async fn a_wait_ends_when_its_time_is_up(peer: &mut Peer) {
        echo(peer, "p").await;
        for until in [json!({"kind": "exited"}), json!({"kind": "output"}), pattern("x"), json!({"kind": "silent", "silentMs": LONG_MS})] {
            let began = Instant::now();
            let params = with(look("p", until), json!({"waitMs": 100}));
            assert_eq!(wait(peer, params).await, nothing());
            assert!(began.elapsed() >= Duration::from_millis(100));
        }
        end(peer, "p").await;
    }

    async fn a_wait_that_comes_right_behind_the_start_waits_for_it(peer: &mut Peer) {
        let start = peer.request("process/start", on_pipes("p", ["emit", "100"])).await;
        let waiting = peer.request("process/wait", long("p", json!({"kind": "output"}))).await;
        peer.response(start).await.unwrap();
        assert_eq!(peer.response(waiting).await.unwrap(), fired("p", "output", 1, 0));
        peer.output_until_closed("p").await;
        let start = peer.request("process/start", json!({"processId": "q", "argv": ["/no/such"]})).await;
        let waiting = peer.request("process/wait", long("q", json!({"kind": "output"}))).await;
        peer.response(start).await.unwrap_err();
        assert_eq!(peer.response(waiting).await.unwrap_err().data.kind, "unknownProcess");
    }
}
