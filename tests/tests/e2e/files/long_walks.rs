//! Lists of very many files.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use exec_protocol::ErrorKind::{Cancelled, FileTooLarge};
use exec_tests::{Peer, TestServer, on_every_wire, on_wires};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{at, does, fails, place, write};

/// Longest message, in bytes.
const MESSAGE_BYTES: usize = 32 << 20;

/// How often it is tried that a request overtakes a walk: one that were held up would never do so.
const TRIES: usize = 10;

/// A directory in memory, if there is one: so many files take their time on a disk.
pub(super) fn quick_place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| place())
}

/// Makes so many directories with so many files each.
fn fill(top: &Path, directories: usize, files: usize, name: impl Fn(usize) -> OsString) {
    for directory in 0..directories {
        let directory = top.join(directory.to_string());
        fs::create_dir(&directory).unwrap();
        for file in 0..files {
            File::create(directory.join(name(file))).unwrap();
        }
    }
}

/// A name of 240 bytes, each of which takes three on the wire.
fn long_name(number: usize) -> OsString {
    let mut name = OsStr::from_bytes(&[0xff; 235]).to_owned();
    name.push(format!("{number:05}"));
    name
}

/// Sends a walk and something else, and returns whether the latter is answered first.
async fn is_overtaken(peer: &mut Peer, walk: Value, method: &str, params: Value) -> bool {
    let walk = peer.request("fs/walk", walk).await;
    let other = peer.request(method, params).await;
    let is_answer = |message: &Value| message["id"] == walk || message["id"] == other;
    let first = peer.claim("one of two answers", is_answer).await;
    let second = peer.claim("the other answer", is_answer).await;
    for answer in [&first, &second] {
        assert!(answer.get("error").is_none(), "{answer}");
    }
    first["id"] == other
}

on_wires! {
    [websocket]
    async fn a_walk_over_a_hundred_thousand_files_keeps_to_its_limits(server: &TestServer) {
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        let place = quick_place();
        fill(place.path(), 100, 1000, |number| format!("file-{number}").into());
        peer.request("fs/walk", at(place.path())).await;
        let text = peer.next_text().await.expect("it is answered");
        assert!(text.len() < MESSAGE_BYTES, "{} bytes", text.len());
        let answer: Value = serde_json::from_str(&text).unwrap();
        let entries = answer["result"]["entries"].as_array().unwrap();
        assert_eq!(entries.len() as u64, limits.walk_entries);
        assert_eq!((&answer["result"]["truncated"], &answer["result"]["errors"]), (&json!(true), &json!([])));

        // Nobody waits for it.
        let start = |number| ("process/start", json!({"processId": format!("p{number}"), "argv": ["/bin/true"]}));
        let others = [("environment/info", json!({})), ("fs/getMetadata", at(place.path())), ("fs/readFile", at("/proc/version"))];
        for (method, params) in others {
            let mut tries = 0;
            while !is_overtaken(&mut peer, at(place.path()), method, params.clone()).await {
                tries += 1;
                assert!(tries < TRIES, "{method} is held up");
            }
        }
        for number in 0.. {
            assert!(number < TRIES, "a start is held up");
            let (method, params) = start(number);
            let is_overtaken = is_overtaken(&mut peer, at(place.path()), method, params).await;
            peer.output_until_closed(&format!("p{number}")).await;
            if is_overtaken {
                break;
            }
        }
        // What changes what is walked over comes after it, and is not held up by the many that it has given up.
        peer.request("fs/walk", at(place.path())).await;
        peer.hang_up();
        let mut peer = server.session().await;
        does(&mut peer, "fs/remove", at(place.path().join("0"))).await;
        peer.finish().await;
    }

    [websocket]
    async fn a_list_of_long_names_fits_into_a_message_or_is_refused(server: &TestServer) {
        let mut peer = server.session().await;
        let place = quick_place();
        fill(place.path(), 2, 25_000, long_name);
        peer.request("fs/walk", at(place.path())).await;
        let text = peer.next_text().await.expect("it is answered");
        assert!((MESSAGE_BYTES / 2..MESSAGE_BYTES).contains(&text.len()), "{} bytes", text.len());
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["result"]["truncated"], true);
        fails(&mut peer, "fs/readDirectory", at(place.path().join("0")), FileTooLarge, None).await;
        peer.call("environment/info", Value::Null).await;
        peer.finish().await;
    }
}

on_every_wire! {
    async fn a_walk_that_is_taken_back_is_answered_once(peer: &mut Peer) {
        let place = quick_place();
        fill(place.path(), 10, 500, |number| number.to_string().into());
        for _ in 0..20 {
            let walk = peer.request("fs/walk", at(place.path())).await;
            peer.notify("$/cancelRequest", json!({"id": walk})).await;
            match peer.response(walk).await {
                Ok(answer) => assert_eq!(answer["entries"].as_array().map(Vec::len), Some(5010)),
                Err(error) => assert_eq!((error.code, error.kind()), (-32800, Some(Cancelled))),
            }
        }
        // What comes behind it does not wait for ever, and no second answer came.
        let walk = peer.request("fs/walk", at(place.path())).await;
        peer.notify("$/cancelRequest", json!({"id": walk})).await;
        write(peer, place.path().join("0/new"), "new").await;
        let _ = peer.response(walk).await;
    }
}
