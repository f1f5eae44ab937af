//! Clients that want much at once, or leave in the middle.

use std::ffi::OsString;
use std::fs;

use exec_server::Config;
use exec_tests::program::{self, messages};
use exec_tests::wait::{until, within_patience};
use exec_tests::{TestServer, base64, on_wires};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::long_walks::quick_place;
use super::special::peak_kib;
use super::{at, block, bytes, handle, holding, names, place};
use crate::commands::with;

/// Writes that are sent at once, and the length of each, in bytes.
const WRITES: usize = 40;
const WRITE_BYTES: usize = 4 << 20;

/// Reads that are sent at once.
const READS: usize = 60;

/// Files that are looked at, and how often, so that it takes a while.
const FILES: usize = 20_000;
const LOOKS: usize = 100;

/// How much the server may have grown at its largest, in KiB: by what 64 MiB of messages hold, and the next one; or by
/// eight answers that are put together. All of them would be more.
const WRITE_GROWTH_KIB: u64 = 96 << 10;
const READ_GROWTH_KIB: u64 = 224 << 10;

/// Contents that no other has.
fn numbered(number: usize, length: usize) -> Vec<u8> {
    let mut contents = bytes(length);
    contents[..8].copy_from_slice(&(number as u64).to_le_bytes());
    contents
}

on_wires! {
    [stdio, websocket]
    async fn large_writes_that_wait_for_their_turn_all_arrive_and_take_little_memory(server: &TestServer) {
        let (place, many) = (place(), quick_place());
        for number in 0..FILES {
            fs::write(many.path().join(number.to_string()), "").unwrap();
        }
        let write = |number: usize| {
            let params = holding(place.path().join(number.to_string()), numbered(number, WRITE_BYTES));
            json!({"id": format!("w{number}"), "method": "fs/writeFile", "params": params}).to_string()
        };
        let writes: Vec<String> = (0..WRITES).map(write).collect();
        let mut peer = server.session().await;
        let before = peak_kib(server);
        // All who do file work are busy for a while, and have little to tell in the end.
        let mut looks = Vec::new();
        for _ in 0..LOOKS {
            let look = with(at(many.path()), json!({"options": {"maxEntries": 1}}));
            looks.push(peer.request("fs/walk", look).await);
        }
        for write in writes {
            peer.send_text(write).await;
        }
        for number in 0..WRITES {
            assert_eq!(peer.response(format!("w{number}")).await.expect("it is written"), json!({}));
            assert!(fs::read(place.path().join(number.to_string())).unwrap() == numbered(number, WRITE_BYTES), "{number}");
        }
        let grown = peak_kib(server).zip(before).map_or(0, |(after, before)| after - before);
        assert!(grown <= WRITE_GROWTH_KIB, "grown by {grown} KiB");
        for look in looks {
            assert_eq!(peer.response(look).await.expect("it is found")["truncated"], true);
        }
        peer.finish().await;
    }

    [stdio, websocket]
    async fn many_large_reads_at_once_are_all_answered_and_take_little_memory(server: &TestServer) {
        let mut peer = server.session().await;
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, bytes(WRITE_BYTES)).unwrap();
        let expected = base64(bytes(WRITE_BYTES));
        let before = peak_kib(server);
        let mut ids = Vec::new();
        for _ in 0..READS {
            ids.push(peer.request("fs/readFile", at(&path)).await);
        }
        for id in ids {
            let answer = peer.response(id).await.expect("it is read");
            assert!(answer["dataBase64"] == expected);
        }
        let grown = peak_kib(server).zip(before).map_or(0, |(after, before)| after - before);
        assert!(grown <= READ_GROWTH_KIB, "grown by {grown} KiB");
        peer.finish().await;
    }
}

on_wires! {
    [memory, websocket]
    async fn what_was_taken_in_is_carried_out_though_its_client_has_hung_up(server: &TestServer) {
        let place = place();
        let mut peer = server.session().await;
        let mut expected = Vec::new();
        for number in 10..30 {
            let path = place.path().join(number.to_string());
            peer.request("fs/writeFile", holding(&path, numbered(number, 1 << 20))).await;
            expected.push(OsString::from(number.to_string()));
        }
        peer.request("fs/createDirectory", at(place.path().join("made"))).await;
        let path = place.path().join("replaced");
        peer.request("fs/open", handle("w", &path, "replace")).await;
        peer.request("fs/writeBlock", block("w", 0, "all of it")).await;
        peer.request("fs/close", json!({"handleId": "w"})).await;
        expected.extend(["made".into(), "replaced".into()]);
        // They have been taken in when this is answered, and most of them are still to be done.
        peer.call("environment/info", Value::Null).await;
        peer.hang_up();
        until("all of it is done", || names(place.path()) == expected).await;
        for number in 10..30 {
            let contents = fs::read(place.path().join(number.to_string())).unwrap();
            assert!(contents == numbered(number, 1 << 20), "{number}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"all of it");
    }
}

#[tokio::test]
async fn what_was_sent_before_the_end_of_stdin_is_carried_out_and_answered() {
    let place = place();
    let path = place.path().join("file");
    let contents = bytes(3_000_000);
    let requests = [
        json!({"id": 1, "method": "initialize", "params": {"clientName": "t"}}),
        json!({"method": "initialized"}),
        json!({"id": 2, "method": "fs/writeFile", "params": holding(&path, &contents)}),
        json!({"id": 3, "method": "fs/getMetadata", "params": at(&path)}),
    ];
    let input = requests.map(|request| request.to_string()).join("\n");
    let output = program::output(program::server([]), input + "\n").await;
    assert!(output.status.success(), "{output:?}");
    let answer = |id: u64| {
        messages(&output.stdout)
            .into_iter()
            .find(|message| message["id"] == id)
    };
    assert_eq!(answer(2).expect("it is answered")["result"], json!({}));
    assert_eq!(answer(3).expect("it is answered")["result"]["size"], 3_000_000);
    assert!(fs::read(&path).unwrap() == contents);
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn work_whose_client_has_hung_up_leaves_no_task() {
    let place = place();
    for directory in 0..20 {
        let directory = place.path().join(directory.to_string());
        fs::create_dir(&directory).unwrap();
        for file in 0..100 {
            fs::write(directory.join(file.to_string()), "").unwrap();
        }
    }
    let before = tasks();
    let server = TestServer::embedded(Config::default());
    for number in 0..5 {
        let mut peer = server.session().await;
        peer.call("fs/open", handle("r", place.path().join("0/0"), "read"))
            .await;
        for _ in 0..20 {
            peer.request("fs/walk", at(place.path())).await;
        }
        let path = place.path().join(format!("written {number}"));
        peer.request("fs/writeFile", holding(path, "x")).await;
        peer.hang_up();
    }
    until("what changes something is done", || {
        names(place.path()).len() == 25
    })
    .await;
    let mut peer = server.session().await;
    peer.call("environment/info", Value::Null).await;
    peer.hang_up();
    let report = within_patience("the shutdown", server.in_process().shutdown()).await;
    assert!(report.is_complete, "{report:?}");
    server.finish().await;
    until("every task has ended", || tasks() == before).await;
}
