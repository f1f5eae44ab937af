//! Many processes at a time.

use exec_tests::wait::promptly;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{LONG_MS, echo, end, fired, found, long, pattern, say, wait};
use crate::commands::{on_pipes, with};

/// Processes that are waited for at a time.
const MANY: usize = 100;

async fn echoes(peer: &mut Peer, count: usize) -> Vec<String> {
    let ids: Vec<_> = (0..count).map(|number| format!("p{number}")).collect();
    for id in &ids {
        echo(peer, id).await;
    }
    ids
}

fn all(ids: &[String], until: Value) -> Value {
    let mut params = json!({"processIds": ids, "mode": "all", "waitMs": LONG_MS});
    params["until"] = until;
    params
}

on_every_wire! {
    async fn any_of_a_hundred_is_enough(peer: &mut Peer) {
        let ids = echoes(peer, MANY).await;
        let any = |until| json!({"processIds": ids, "until": until, "waitMs": LONG_MS});
        let waiting = peer.request("process/wait", any(pattern("needle"))).await;
        say(peer, "p17", "a needle").await;
        let answer = promptly("one of a hundred", peer.response(waiting)).await.unwrap();
        assert_eq!(answer, found("p17", 1, 8, "a needle"));
        let waiting = peer.request("process/wait", any(json!({"kind": "exited"}))).await;
        end(peer, "p73").await;
        let answer = promptly("one of a hundred", peer.response(waiting)).await.unwrap();
        assert_eq!(answer, fired("p73", "exited", 1, 0));
        for id in ids.iter().filter(|id| *id != "p73") {
            end(peer, id).await;
        }
    }

    async fn all_come_in_the_order_in_which_they_were_named(peer: &mut Peer) {
        let ids = echoes(peer, 10).await;
        let waiting = peer.request("process/wait", all(&ids, pattern("yes"))).await;
        for (number, id) in ids.iter().enumerate().rev() {
            if number % 2 == 0 {
                say(peer, id, "yes").await;
            }
            end(peer, id).await;
        }
        let answer = promptly("all of them", peer.response(waiting)).await.unwrap();
        let of = |list: &Value| -> Vec<String> {
            let ids = list.as_array().unwrap().iter();
            ids.map(|one| one["processId"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(of(&answer["fired"]), ["p0", "p2", "p4", "p6", "p8"]);
        assert_eq!(of(&answer["unmet"]), ["p1", "p3", "p5", "p7", "p9"]);
        assert_eq!(answer["timedOut"], false);
    }

    async fn what_has_come_is_told_when_the_time_is_up(peer: &mut Peer) {
        let ids = echoes(peer, 3).await;
        end(peer, "p1").await;
        let params = with(all(&ids, json!({"kind": "exited"})), json!({"waitMs": 50}));
        let mut expected = fired("p1", "exited", 1, 0);
        expected["timedOut"] = true.into();
        assert_eq!(wait(peer, params.clone()).await, expected);
        assert_eq!(wait(peer, with(params, json!({"waitMs": 0}))).await, expected);
        for id in ["p0", "p2"] {
            end(peer, id).await;
        }
    }

    async fn if_none_can_come_any_more_the_wait_is_over(peer: &mut Peer) {
        let ids = echoes(peer, 3).await;
        let waiting = peer.request("process/wait", with(all(&ids, pattern("x")), json!({"mode": "any"}))).await;
        for id in &ids {
            end(peer, id).await;
        }
        let answer = promptly("the last close", peer.response(waiting)).await.unwrap();
        assert_eq!(answer["unmet"].as_array().unwrap().len(), 3);
        assert_eq!((&answer["fired"], &answer["timedOut"]), (&json!([]), &json!(false)));
    }

    async fn a_thousand_waits_for_one_process_are_all_answered_also_when_they_have_to_take_turns(peer: &mut Peer) {
        echo(peer, "p").await;
        let mut waiting = Vec::new();
        for _ in 0..1000 {
            // The largest automaton there may be: a part of them has no room beside the others.
            waiting.push(peer.request("process/wait", long("p", pattern("needle|[a-z]{1000}"))).await);
        }
        peer.call("environment/info", json!({})).await;
        say(peer, "p", "a needle").await;
        for id in waiting {
            assert_eq!(peer.response(id).await.unwrap(), found("p", 1, 8, "a needle"));
        }
        end(peer, "p").await;
    }

    async fn a_flood_does_not_delay_a_wait_for_another(peer: &mut Peer) {
        peer.expect_gaps("flood");
        peer.start(with(on_pipes("flood", ["stamped-flood"]), json!({"onSlowClient": "skip"}))).await;
        echo(peer, "p").await;
        let in_the_flood = peer.request("process/wait", long("flood", pattern("(never|ever) to be said"))).await;
        for round in 1..=20_u64 {
            let of_both = json!({
                "processIds": ["flood", "p"],
                "until": pattern("needle"),
                "fromOffsets": {"p": (round - 1) * 6},
                "waitMs": LONG_MS,
            });
            let waiting = peer.request("process/wait", with(long("p", pattern("needle")), json!({"fromOffsets": {"p": (round - 1) * 6}}))).await;
            peer.request_write("p", "needle").await;
            let answer = promptly("the wait beside a flood", peer.response(waiting)).await.unwrap();
            assert_eq!(answer["fired"][0]["offset"], round * 6);
            // The flood may be gone before it is looked at, and then that is told beside it.
            let answer = promptly("the wait for both", wait(peer, of_both)).await;
            assert_eq!(answer["fired"][0]["processId"], "p");
            peer.take_events("flood");
        }
        peer.terminate("flood").await;
        peer.response(in_the_flood).await.unwrap();
        while let Some(message) = peer.next().await {
            if message["params"]["processId"] == "p" && message["params"]["seq"] == 20 {
                break;
            }
        }
        peer.call("process/closeStdin", json!({"processId": "p"})).await;
        for method in ["process/exited", "process/closed"] {
            peer.notified(method, "p").await;
        }
    }
}
