//! Which processes a wait is for, when they are named by uid.

use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{echo, end, fired, found, pattern, say, wait};
use crate::commands::with_stdin;
use crate::records::record;

/// Starts a process and returns its uid.
async fn uid(peer: &mut Peer, name: &str) -> String {
    echo(peer, name).await;
    record(peer, name).await.uid.as_str().to_owned()
}

/// Params of a wait for all of these that only looks.
fn all(ids: &[&str], until: Value, from_offsets: Value) -> Value {
    let mut params = json!({"processIds": ids, "mode": "all"});
    params["until"] = until;
    params["fromOffsets"] = from_offsets;
    params
}

on_every_wire! {
    async fn a_process_that_is_named_by_both_names_is_told_once_as_it_was_named_first(peer: &mut Peer) {
        let uid = uid(peer, "p").await;
        end(peer, "p").await;
        for ids in [["p", &uid, "p", &uid], [&uid, "p", &uid, "p"]] {
            let params = all(&ids, json!({"kind": "closed"}), json!({}));
            assert_eq!(wait(peer, params).await, fired(ids[0], "closed", 2, 0));
        }
    }

    async fn an_offset_counts_for_a_process_under_either_name(peer: &mut Peer) {
        let uid = uid(peer, "p").await;
        say(peer, "p", "one one").await;
        // The second one is found only from behind the first on.
        for (named, given) in [("p", "p"), ("p", &uid[..]), (&uid, "p"), (&uid, &uid)] {
            let params = all(&[named], pattern("one"), json!({given: 3}));
            assert_eq!(wait(peer, params).await, found(named, 1, 7, "one one"), "{named} from {given}");
            let ahead = all(&[named], pattern("one"), json!({given: 8}));
            let error = peer.refused("process/wait", ahead).await;
            let field = format!("fromOffsets.{given}");
            assert_eq!((&error.data.kind[..], error.data.field), ("cursorAhead", Some(field)));
        }
        // Of two offsets the one counts that has the name in processIds.
        for (named, other) in [("p", &uid[..]), (&uid, "p")] {
            let params = all(&[named], pattern("one"), json!({named: 3, other: 0}));
            assert_eq!(wait(peer, params).await["fired"][0]["offset"], 7, "{named}");
        }
        end(peer, "p").await;
    }

    async fn a_processid_goes_before_a_uid(peer: &mut Peer) {
        let uid = uid(peer, "p").await;
        say(peer, "p", "of p").await;
        peer.start(with_stdin(&uid, ["echo"])).await;
        say(peer, &uid, "of another").await;
        // What is given under that name concerns the other one only.
        let params = all(&["p", &uid], pattern("of"), json!({&uid: 1}));
        let answer = wait(peer, params).await;
        assert_eq!(answer["fired"], found("p", 1, 2, "of p")["fired"]);
        let of_both = json!({"processIds": ["p", uid], "mode": "all", "until": pattern("of [a-z]+ *")});
        let answer = wait(peer, of_both).await;
        let texts: Vec<_> = answer["fired"].as_array().unwrap().iter().map(|fired| &fired["text"]).collect();
        assert_eq!(texts, ["of p", "of another"]);
        end(peer, "p").await;
        end(peer, &uid).await;
    }
}
