//! Handles are the session's: they stay as long as it does, and no longer.

use std::fs;
use std::time::Duration;

use exec_protocol::ErrorKind::{UnknownHandle, UnknownSession};
use exec_tests::os::OsProcess;
use exec_tests::wait::until;
use exec_tests::{Options, TestServer, Wire, on, on_every_wire, on_wires, on_with};
use serde_json::json;

use super::{block, bytes, decoded, does, fails, handle, holding, names, part, place, staged};

/// Handles that are left open.
const LEFT: usize = 20;

/// None where nobody may look, and then nothing can be compared.
fn files(server: OsProcess) -> Option<usize> {
    server.open_files()
}

on_wires! {
    [memory, websocket]
    async fn a_handle_goes_on_where_its_session_does(server: &TestServer) {
        let place = place();
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        fs::write(&old, bytes(1000)).unwrap();
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        peer.call("fs/open", handle("r", &old, "read")).await;
        peer.call("fs/open", handle("w", &new, "replace")).await;
        for round in 0..5 {
            does(&mut peer, "fs/writeBlock", block("w", round * 5, "piece")).await;
            let answer = peer.call("fs/readBlock", part("r", round * 100, 10)).await;
            let from = usize::try_from(round * 100).unwrap();
            assert_eq!(decoded(&answer["chunk"]), bytes(1000)[from..from + 10]);
            peer.hang_up();
            peer = server.connect().await;
            peer.resume(&session_id).await;
            assert_eq!((staged(place.path()), new.exists()), (1, false));
        }
        does(&mut peer, "fs/close", json!({"handleId": "w"})).await;
        assert_eq!(fs::read(&new).unwrap(), b"piece".repeat(5));
        does(&mut peer, "fs/close", json!({"handleId": "r"})).await;
        peer.finish().await;
    }

    [memory, websocket]
    async fn another_session_has_handles_of_its_own(server: &TestServer) {
        let place = place();
        fs::write(place.path().join("file"), "file").unwrap();
        fs::write(place.path().join("other"), "other").unwrap();
        let (mut peer, mut other) = (server.session().await, server.session().await);
        peer.call("fs/open", handle("h", place.path().join("file"), "read")).await;
        fails(&mut other, "fs/readBlock", part("h", 0, 9), UnknownHandle, None).await;
        does(&mut other, "fs/close", json!({"handleId": "h"})).await;
        other.call("fs/open", handle("h", place.path().join("other"), "read")).await;
        for (peer, text) in [(&mut peer, "file"), (&mut other, "other")] {
            let answer = peer.call("fs/readBlock", part("h", 0, 9)).await;
            assert_eq!(decoded(&answer["chunk"]), text.as_bytes());
        }
        peer.finish().await;
        other.finish().await;
    }

    [websocket]
    async fn a_session_that_ends_leaves_no_file_open(server: &TestServer) {
        let place = place();
        let process = server.process().expect("it runs on its own");
        server.session().await.finish().await;
        let mut peer = server.session().await;
        let before = files(process);
        for number in 0..LEFT {
            let mode = if number % 2 == 0 { "read" } else { "replace" };
            let path = place.path().join(number.to_string());
            fs::write(&path, "old").unwrap();
            peer.call("fs/open", handle(&number.to_string(), &path, mode)).await;
        }
        assert!(files(process) >= before.map(|before| before + LEFT), "or there is nothing to look for");
        does(&mut peer, "session/close", json!({})).await;
        until("no file is open", || files(process) <= before).await;
        assert_eq!(names(place.path()).len(), LEFT);
        peer.finish().await;
    }
}

on_every_wire! {
    async fn what_was_not_put_in_place_is_gone_with_its_session(server: &TestServer) {
        let place = place();
        fs::write(place.path().join("old"), "old").unwrap();
        let mut peer = server.session().await;
        for name in ["old", "new"] {
            peer.call("fs/open", handle(name, place.path().join(name), "replace")).await;
            does(&mut peer, "fs/writeBlock", block(name, 0, "unfinished")).await;
        }
        assert_eq!(staged(place.path()), 2);
        does(&mut peer, "session/close", json!({})).await;
        until("nothing is left of them", || names(place.path()) == ["old"]).await;
        assert_eq!(fs::read(place.path().join("old")).unwrap(), b"old");
        peer.finish().await;
    }
}

on_every_wire! {
    async fn what_was_asked_for_is_done_before_the_session_is_said_to_be_over(server: &TestServer) {
        let place = place();
        let mut peer = server.session().await;
        let contents = bytes(1_000_000);
        let mut ids = Vec::new();
        for number in 0..30 {
            let params = holding(place.path().join(number.to_string()), &contents);
            ids.push(peer.request("fs/writeFile", params).await);
        }
        let streamed = place.path().join("streamed");
        for (method, params) in [
            ("fs/open", handle("w", &streamed, "replace")),
            ("fs/writeBlock", block("w", 0, "whole")),
            ("fs/close", json!({"handleId": "w"})),
            ("fs/open", handle("left", place.path().join("left"), "replace")),
        ] {
            ids.push(peer.request(method, params).await);
        }
        peer.call("session/close", json!({})).await;
        assert_eq!(names(place.path()).len(), 31);
        assert_eq!(fs::read(streamed).unwrap(), b"whole");
        for id in ids {
            peer.response(id).await.expect("it was asked for in time");
        }
        fails(&mut peer, "fs/writeFile", holding(place.path().join("later"), "x"), UnknownSession, None).await;
        fails(&mut peer, "fs/open", handle("h", place.path().join("1"), "read"), UnknownSession, None).await;
        assert_eq!((names(place.path()).len(), staged(place.path())), (31, 0));
        peer.finish().await;
    }
}

#[tokio::test]
async fn what_was_not_put_in_place_is_gone_with_its_server() {
    for wire in [Wire::Memory, Wire::Stdio, Wire::Websocket] {
        let place = place();
        let path = place.path().join("file");
        on(wire, async |server| {
            let mut peer = server.session().await;
            peer.call("fs/open", handle("w", &path, "replace")).await;
            does(&mut peer, "fs/writeBlock", block("w", 0, "unfinished")).await;
            assert_eq!(staged(place.path()), 1);
            peer.finish().await;
        })
        .await;
        assert_eq!(names(place.path()), [""; 0], "{wire:?}");
    }
}

#[tokio::test]
async fn what_was_not_put_in_place_is_gone_when_nobody_has_resumed() {
    let options = Options {
        detached_session: Some(Duration::from_secs(1)),
        ..Options::default()
    };
    for wire in [Wire::Memory, Wire::Websocket] {
        on_with(wire, options.clone(), async |server| {
            let place = place();
            let mut peer = server.session().await;
            peer.call("fs/open", handle("w", place.path().join("file"), "replace"))
                .await;
            assert_eq!(staged(place.path()), 1);
            peer.hang_up();
            until("nothing is left of it", || names(place.path()).is_empty()).await;
        })
        .await;
    }
}
