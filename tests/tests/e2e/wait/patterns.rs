//! Patterns in the output.

use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use super::{echo, end, fired, found, long, look, nothing, pattern, say, unmet, wait};
use crate::commands::{on_pipes, on_terminal, script, with};

on_every_wire! {
    async fn a_pattern_is_found_across_chunks_and_its_line_is_told(peer: &mut Peer) {
        echo(peer, "p").await;
        let waiting = peer.request("process/wait", long("p", pattern("list[e]ning on .*:[0-9]+\n"))).await;
        for piece in ["some noise\nserver lis", "tening o", "n 127.0.0.1:80", "80\nmore\n"] {
            say(peer, "p", piece).await;
        }
        assert_eq!(
            peer.response(waiting).await.unwrap(),
            found("p", 4, 46, "server listening on 127.0.0.1:8080")
        );
        end(peer, "p").await;
    }

    async fn a_pattern_is_looked_for_from_the_beginning_or_from_an_offset(peer: &mut Peer) {
        echo(peer, "p").await;
        say(peer, "p", "ready 1\n").await;
        say(peer, "p", "ready 2\n").await;
        assert_eq!(wait(peer, look("p", pattern("ready"))).await, found("p", 1, 5, "ready 1"));
        let from = |offset: u64| with(look("p", pattern("ready")), json!({"fromOffsets": {"p": offset}}));
        assert_eq!(wait(peer, from(0)).await, found("p", 1, 5, "ready 1"));
        assert_eq!(wait(peer, from(1)).await, found("p", 2, 13, "ready 2"));
        assert_eq!(wait(peer, from(9)).await, nothing());
        let waiting = peer.request("process/wait", with(long("p", pattern("ready")), json!({"fromOffsets": {"p": 9}}))).await;
        say(peer, "p", "ready 3").await;
        assert_eq!(peer.response(waiting).await.unwrap(), found("p", 3, 21, "ready 3"));
        end(peer, "p").await;
    }

    async fn the_end_of_output_so_far_is_an_end(peer: &mut Peer) {
        peer.start(script("p", "printf 'password: '; sleep 1000")).await;
        assert_eq!(wait(peer, long("p", pattern("password: $"))).await, found("p", 1, 10, "password: "));
        assert_eq!(wait(peer, look("p", pattern(r"^pass\b"))).await, nothing());
        assert_eq!(wait(peer, look("p", pattern(r"^password\b"))).await, found("p", 1, 8, "password: "));
        peer.output_until("p", ": ").await;
        peer.terminate("p").await;
    }

    async fn a_pattern_sees_one_stream_if_so_asked(peer: &mut Peer) {
        let turns = "for word in er ro r; do printf $word >&2; sleep 0.02; printf noise; sleep 0.02; done; exec sleep 1000";
        peer.start(script("p", turns)).await;
        let on_stderr = with(pattern("error"), json!({"stream": "stderr"}));
        let answer = wait(peer, long("p", on_stderr.clone())).await;
        assert_eq!(answer, found("p", 5, 15, "error"));
        peer.output_until("p", "ernoiseronoisernoise").await;
        // In the order of all streams it is no word.
        assert_eq!(wait(peer, look("p", pattern("error"))).await, nothing());
        assert_eq!(wait(peer, look("p", with(pattern("noisenoise"), json!({"stream": "stdout"})))).await["fired"][0]["text"], "noisenoisenoise");
        peer.terminate("p").await;
    }

    async fn a_terminal_has_a_stream_of_its_own(peer: &mut Peer) {
        peer.start(on_terminal("p", ["echo"])).await;
        let waiting = peer.request("process/wait", long("p", with(pattern("hello.*\n"), json!({"stream": "pty"})))).await;
        peer.write("p", "hello there\n").await;
        assert_eq!(peer.response(waiting).await.unwrap()["fired"][0]["text"], "hello there");
        peer.terminate("p").await;
    }

    async fn a_pattern_that_does_not_come_is_unmet_at_the_close(peer: &mut Peer) {
        echo(peer, "p").await;
        let waiting = peer.request("process/wait", long("p", pattern("never"))).await;
        say(peer, "p", "something else").await;
        end(peer, "p").await;
        assert_eq!(promptly("the close", peer.response(waiting)).await.unwrap(), unmet("p", "closed"));
        assert_eq!(promptly("a wait for what was", wait(peer, long("p", pattern("never")))).await, unmet("p", "closed"));
        assert_eq!(wait(peer, long("p", pattern("else$"))).await, found("p", 1, 14, "something else"));
    }

    async fn what_was_dropped_before_it_was_looked_at_is_evicted(peer: &mut Peer) {
        let start = with(on_pipes("p", ["emit", "200000"]), json!({"retainBytes": 16_384, "onSlowClient": "skip"}));
        peer.expect_gaps("p");
        peer.start(start).await;
        peer.output_until_closed("p").await;
        assert_eq!(wait(peer, long("p", pattern("never"))).await, unmet("p", "evicted"));
        // What is kept can be looked through.
        let kept = with(long("p", pattern("never")), json!({"fromOffsets": {"p": 199_000}}));
        assert_eq!(wait(peer, kept).await, unmet("p", "closed"));
        let first = with(long("p", json!({"kind": "output"})), json!({"fromOffsets": {"p": 0}}));
        assert_eq!(wait(peer, first).await, fired("p", "output", 1, 0));
    }

    async fn bytes_that_are_no_text_are_matched_and_told_as_well_as_can_be(peer: &mut Peer) {
        peer.start(script("p", r"printf 'a\377\376\000z\n\303\274'; exec sleep 1000")).await;
        assert_eq!(wait(peer, long("p", pattern(r"\xff.\x00"))).await, found("p", 1, 4, "a\u{fffd}\u{fffd}\0z"));
        assert_eq!(wait(peer, long("p", pattern("ü"))).await, found("p", 1, 8, "ü"));
        peer.output_until("p", "ü").await;
        peer.terminate("p").await;
    }

    async fn a_long_line_is_cut_around_the_match(peer: &mut Peer) {
        peer.start(script("p", "head -c 100000 /dev/zero | tr '\\0' x; printf needle; head -c 100000 /dev/zero | tr '\\0' y; exec sleep 1000")).await;
        let answer = wait(peer, long("p", pattern("needle"))).await;
        assert_eq!(answer["fired"][0]["offset"], 100_006);
        let text = answer["fired"][0]["text"].as_str().unwrap();
        assert_eq!(text.len(), 65_536);
        assert!(text.ends_with("xxneedle"));
        peer.terminate("p").await;
    }

    async fn two_wait_for_one_process(peer: &mut Peer) {
        echo(peer, "p").await;
        let one = peer.request("process/wait", long("p", pattern("one"))).await;
        let other = peer.request("process/wait", long("p", pattern("t.o"))).await;
        say(peer, "p", "two").await;
        assert_eq!(peer.response(other).await.unwrap(), found("p", 1, 3, "two"));
        say(peer, "p", " one").await;
        assert_eq!(peer.response(one).await.unwrap(), found("p", 2, 7, "two one"));
        end(peer, "p").await;
    }
}
