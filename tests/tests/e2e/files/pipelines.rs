//! Work that is sent without waiting for what it builds on.

use std::fs;

use exec_protocol::ErrorKind::{DuplicateHandle, PathNotFound, UnknownHandle};
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::long_walks::quick_place;
use super::{at, block, contents, decoded, from_to, handle, holding, part, place};
use crate::commands::with;

/// How often a directory is made, filled, read and removed.
const ROUNDS: usize = 100;

fn closing(id: &str) -> (&'static str, Value) {
    ("fs/close", json!({"handleId": id}))
}

/// Sends all of these, and then waits for each answer.
async fn all(peer: &mut Peer, requests: Vec<(&str, Value)>) -> Vec<Value> {
    let mut ids = Vec::new();
    for (method, params) in requests {
        ids.push((method, peer.request(method, params).await));
    }
    let mut answers = Vec::new();
    for (method, id) in ids {
        let answer = peer.response(id).await;
        answers.push(answer.unwrap_or_else(|error| panic!("{method} was refused: {error:?}")));
    }
    answers
}

on_every_wire! {
    async fn a_file_can_be_written_in_blocks_and_read_in_one_go(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        let close = || ("fs/close", json!({"handleId": "h"}));
        for round in 0..20 {
            let text = |number: u64| format!("{round:03}.{number}");
            let answers = all(peer, vec![
                ("fs/open", handle("h", &path, "replace")),
                ("fs/writeBlock", block("h", 0, text(0))),
                ("fs/writeBlock", block("h", 10, text(2))),
                ("fs/writeBlock", block("h", 5, text(1))),
                close(),
                ("fs/readFile", at(&path)),
                // The name is free again.
                ("fs/open", handle("h", &path, "read")),
                ("fs/readBlock", part("h", 5, 5)),
                close(),
                ("fs/getMetadata", at(&path)),
            ]).await;
            let expected = [text(0), text(1), text(2)].concat();
            assert_eq!(contents(&answers[5]), expected.as_bytes());
            assert_eq!(decoded(&answers[7]["chunk"]), text(1).as_bytes());
            assert_eq!(answers[9]["size"], 15);
        }
    }

    async fn a_second_close_is_answered_when_the_first_is_done(peer: &mut Peer) {
        let place = quick_place();
        for number in 0..5000 {
            fs::write(place.path().join(number.to_string()), "").unwrap();
        }
        let path = place.path().join("file");
        all(peer, vec![("fs/open", handle("h", &path, "replace")), ("fs/writeBlock", block("h", 0, "x"))]).await;
        // The first waits until this has been looked at.
        let look = peer.request("fs/walk", at(place.path())).await;
        let first = peer.request("fs/close", json!({"handleId": "h"})).await;
        let second = peer.request("fs/close", json!({"handleId": "h"})).await;
        assert_eq!(peer.response(second).await.expect("it is as good as closed"), json!({}));
        assert!(path.exists(), "it is in place");
        for other in [look, first] {
            peer.response(other).await.expect("it is done");
        }
    }

    async fn each_finds_what_those_before_it_have_left(peer: &mut Peer) {
        let place = place();
        let (directory, file) = (place.path().join("directory"), place.path().join("directory/file"));
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            rounds.push([
                peer.request("fs/createDirectory", at(&directory)).await,
                peer.request("fs/writeFile", holding(&file, round.to_string())).await,
                peer.request("fs/readFile", at(&file)).await,
                peer.request("fs/remove", at(&directory)).await,
                peer.request("fs/getMetadata", at(&file)).await,
            ]);
        }
        for (round, [create, write, read, remove, look]) in rounds.into_iter().enumerate() {
            for done in [create, write, remove] {
                assert_eq!(peer.response(done).await.expect("it is done"), json!({}), "{round}");
            }
            let read = peer.response(read).await.expect("it is there");
            assert_eq!(contents(&read), round.to_string().as_bytes());
            let gone = peer.response(look).await.expect_err("it is gone");
            assert_eq!(gone.kind(), Some(PathNotFound), "{round}");
        }
        assert!(!directory.exists());
    }

    async fn a_name_is_free_when_it_is_its_turn(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "text").unwrap();
        for _ in 0..ROUNDS / 4 {
            let mut ids = Vec::new();
            for (method, params) in [
                ("fs/open", handle("h", path("none"), "read")),
                ("fs/open", handle("h", path("file"), "read")),
                ("fs/open", handle("h", path("file"), "read")),
                closing("h"),
                ("fs/open", handle("h", path("file"), "read")),
                ("fs/readBlock", part("h", 0, 9)),
                closing("h"),
                ("fs/readBlock", part("h", 0, 9)),
            ] {
                ids.push(peer.request(method, params).await);
            }
            let mut kinds = Vec::new();
            for id in ids {
                kinds.push(peer.response(id).await.err().and_then(|error| error.kind()));
            }
            let expected = [Some(PathNotFound), None, Some(DuplicateHandle), None, None, None, None, Some(UnknownHandle)];
            assert_eq!(kinds, expected);
        }
    }

    async fn a_file_comes_in_more_blocks_than_may_wait(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut requests = vec![("fs/open", handle("w", &path, "replace"))];
        requests.extend((0..2_300).map(|number| ("fs/writeBlock", block("w", number * 4, format!("{number:04}")))));
        requests.push(closing("w"));
        let request = |(id, (method, params)): (usize, (&str, Value))| {
            json!({"jsonrpc": "2.0", "id": format!("b{id}"), "method": method, "params": params})
        };
        let requests: Vec<_> = requests.into_iter().enumerate().map(request).collect();
        for batch in requests.chunks(1000) {
            peer.send_text(json!(batch).to_string()).await;
        }
        let mut answered = 0;
        while answered < requests.len() {
            let answers = peer.claim("the answer to a batch", Value::is_array).await;
            let answers = answers.as_array().expect("it is claimed as one");
            for answer in answers {
                assert!(answer.get("error").is_none(), "{answer}");
            }
            answered += answers.len();
        }
        let expected: Vec<_> = (0..2_300).map(|number| format!("{number:04}")).collect();
        assert_eq!(fs::read_to_string(path).unwrap(), expected.concat());
    }

    async fn the_last_of_several_opens_is_the_one_that_counts(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        for round in 0..ROUNDS / 2 {
            fs::write(path("file"), "old").unwrap();
            let text = format!("new {round}");
            let mut ids = Vec::new();
            for (method, params) in [
                ("fs/open", handle("h", path("none/file"), "replace")),
                closing("h"),
                ("fs/open", handle("h", path("file"), "replace")),
            ] {
                ids.push(peer.request(method, params).await);
            }
            let mut is_done = Vec::new();
            for id in ids {
                is_done.push(peer.response(id).await.is_ok());
            }
            assert_eq!(is_done, [false, true, true]);
            let answers = all(peer, vec![
                ("fs/writeBlock", block("h", 0, &text)),
                closing("h"),
                ("fs/readFile", at(path("file"))),
            ]).await;
            assert_eq!(contents(&answers[2]), text.as_bytes());
        }
    }

    async fn parents_are_made_before_what_comes_behind(peer: &mut Peer) {
        let place = place();
        for round in 0..ROUNDS {
            let path = |name: &str| place.path().join(round.to_string()).join(name);
            all(peer, vec![
                ("fs/createDirectory", with(at(path("a/b/c")), json!({"recursive": true}))),
                ("fs/writeFile", holding(path("a/file"), "x")),
                ("fs/copy", with(from_to(path("a"), path("d/e/f")), json!({"recursive": true}))),
                ("fs/writeFile", holding(path("d/file"), "x")),
            ]).await;
        }
    }

    async fn a_copy_is_of_what_was_there_in_its_turn(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("tree")).unwrap();
        let mut requests = Vec::new();
        for round in 0..20 {
            requests.push(("fs/writeFile", holding(path("tree/file"), format!("tree {round}"))));
            requests.push(("fs/copy", with(from_to(path("tree"), path(&format!("copy {round}"))), json!({"recursive": true}))));
            requests.push(("fs/copy", from_to(path("tree/file"), path("file"))));
        }
        all(peer, requests).await;
        for round in 0..20 {
            assert_eq!(fs::read_to_string(path(&format!("copy {round}/file"))).unwrap(), format!("tree {round}"));
        }
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "tree 19");
    }

    async fn a_way_up_waits_for_all_that_may_be_meant(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("real/inner")).unwrap();
        std::os::unix::fs::symlink("real/inner", path("link")).unwrap();
        for round in 0..20 {
            let text = round.to_string();
            let answers = all(peer, vec![
                ("fs/writeFile", holding(path("real/file"), &text)),
                ("fs/readFile", at(path("link/../file"))),
                ("fs/remove", at(path("link/../file"))),
                ("fs/walk", at(path("real"))),
            ]).await;
            assert_eq!(contents(&answers[1]), text.as_bytes());
            assert_eq!(answers[3]["entries"].as_array().map(Vec::len), Some(1));
        }
    }

    async fn a_batch_keeps_its_order_too(peer: &mut Peer) {
        let place = place();
        let file = place.path().join("directory/file");
        let requests = [
            ("fs/createDirectory", at(file.parent().unwrap())),
            ("fs/writeFile", holding(&file, "in a batch")),
            ("fs/readFile", at(&file)),
            ("fs/remove", at(&file)),
            ("fs/readFile", at(&file)),
        ];
        let requests: Vec<_> = requests.into_iter().enumerate()
            .map(|(id, (method, params))| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .collect();
        for _ in 0..10 {
            peer.send_text(json!(requests).to_string()).await;
            let answers = peer.claim("the answer to the batch", Value::is_array).await;
            assert_eq!(contents(&answers[2]["result"]), b"in a batch", "{answers}");
            assert_eq!(answers[4]["error"]["data"]["kind"], "pathNotFound", "{answers}");
        }
    }
}
