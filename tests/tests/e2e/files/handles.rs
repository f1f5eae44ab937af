//! `fs/open`, `fs/readBlock`, `fs/writeBlock`, `fs/close`: files that are read and written in parts.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use exec_protocol::ErrorKind::{
    DuplicateHandle, FileTooLarge, InvalidBase64, InvalidParams, PathNotFound, TooManyFiles, UnknownHandle,
    WriteIncomplete, WrongHandleMode,
};
use exec_tests::{Peer, TestServer, base64, on_every_wire};
use serde_json::{Value, json};

use super::{at, block, bytes, decoded, does, fails, handle, names, part, place, read, staged, uri};
use crate::commands::with;

async fn open(peer: &mut Peer, params: Value) {
    let id = params["handleId"].clone();
    assert_eq!(peer.call("fs/open", params).await, json!({"handleId": id}));
}

async fn close(peer: &mut Peer, id: &str) {
    does(peer, "fs/close", json!({"handleId": id})).await;
}

/// Reads a part, and returns it and whether the file ended.
async fn read_part(peer: &mut Peer, id: &str, offset: u64, length: u64) -> (Vec<u8>, bool) {
    let answer = peer.call("fs/readBlock", part(id, offset, length)).await;
    (
        decoded(&answer["chunk"]),
        answer["eof"].as_bool().expect("it is told"),
    )
}

on_every_wire! {
    async fn a_part_of_a_file_is_read(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, bytes(1000)).unwrap();
        // Reading is the default.
        open(peer, with(at(&path), json!({"handleId": "h"}))).await;
        let all = bytes(1000);
        for (offset, length) in [(0, 1), (0, 1000), (1, 999), (500, 250), (999, 1)] {
            let expected = &all[offset..offset + length];
            assert_eq!(read_part(peer, "h", offset as u64, length as u64).await, (expected.into(), false), "{offset} {length}");
        }
        for (offset, length) in [(0, 1001), (999, 2), (600, 1 << 20)] {
            assert_eq!(read_part(peer, "h", offset as u64, length).await, (all[offset..].into(), true), "{offset} {length}");
        }
        for offset in [1000, 1001, 1 << 40, (1 << 63) - 1, 1 << 63, u64::MAX] {
            assert_eq!(read_part(peer, "h", offset, 10).await, (Vec::new(), true), "{offset}");
        }
        close(peer, "h").await;
    }

    async fn a_block_has_a_length_within_its_limits(server: &TestServer) {
        let mut connected = server.connect().await;
        let longest = connected.handshake().await.limits.expect("they are told").file_block_bytes;
        let peer = &mut connected;
        let place = place();
        fs::write(place.path().join("file"), bytes(3_000_000)).unwrap();
        open(peer, handle("r", place.path().join("file"), "read")).await;
        open(peer, handle("w", place.path().join("new"), "replace")).await;
        for length in [0, longest + 1, u64::MAX] {
            fails(peer, "fs/readBlock", part("r", 0, length), InvalidParams, Some("len")).await;
        }
        let length = usize::try_from(longest).unwrap();
        assert!(read_part(peer, "r", 5, longest).await == (bytes(length + 5)[5..].into(), false));
        for chunk in [Vec::new(), bytes(length + 1)] {
            fails(peer, "fs/writeBlock", block("w", 0, chunk), InvalidParams, Some("chunk")).await;
        }
        does(peer, "fs/writeBlock", block("w", 1, bytes(length))).await;
        for offset in [u64::MAX, 1 << 63, (1 << 63) - 1] {
            fails(peer, "fs/writeBlock", block("w", offset, "x"), InvalidParams, Some("offset")).await;
        }
        for (method, params, field) in [
            ("fs/readBlock", with(part("r", 0, 1), json!({"len": -1})), "len"),
            ("fs/readBlock", with(part("r", 0, 1), json!({"offset": "0"})), "offset"),
            ("fs/writeBlock", with(block("w", 0, "x"), json!({"offset": 0.5})), "offset"),
            ("fs/writeBlock", with(block("w", 0, "x"), json!({"chunk": null})), "chunk"),
        ] {
            fails(peer, method, params, InvalidParams, Some(field)).await;
        }
        close(peer, "w").await;
        assert_eq!(fs::metadata(place.path().join("new")).unwrap().len(), longest + 1);
        connected.finish().await;
    }

    async fn a_handle_has_a_name_of_its_own(peer: &mut Peer) {
        let place = place();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        fs::write(&one, "one").unwrap();
        fs::write(&other, "other").unwrap();
        open(peer, handle("h", &one, "read")).await;
        for mode in ["read", "replace"] {
            fails(peer, "fs/open", handle("h", &other, mode), DuplicateHandle, None).await;
        }
        assert_eq!(staged(place.path()), 0, "what was refused has done nothing");
        assert_eq!(read_part(peer, "h", 0, 9).await, (b"one".into(), true), "and the first one stays");
        for id in ["", "ü \n", &"n".repeat(256)] {
            open(peer, handle(id, &other, "read")).await;
            assert_eq!(read_part(peer, id, 0, 9).await, (b"other".into(), true));
            close(peer, id).await;
        }
        close(peer, "h").await;
        open(peer, handle("h", &other, "read")).await;
        assert_eq!(read_part(peer, "h", 0, 9).await, (b"other".into(), true), "a closed one's name is free");
        for id in [json!("n".repeat(257)), json!(7), Value::Null] {
            let params = with(handle("", &other, "read"), json!({"handleId": id}));
            fails(peer, "fs/open", params, InvalidParams, Some("handleId")).await;
        }
        let params = handle("x", &other, "append");
        fails(peer, "fs/open", params, InvalidParams, Some("mode")).await;
    }

    async fn one_that_is_not_open_is_unknown_and_as_good_as_closed(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "x").unwrap();
        for round in 0..2 {
            let error = peer.refused("fs/readBlock", part("h", 0, 1)).await;
            assert_eq!((error.code, error.kind()), (-32004, Some(UnknownHandle)), "{round}");
            fails(peer, "fs/writeBlock", block("h", 0, "x"), UnknownHandle, None).await;
            close(peer, "h").await;
            open(peer, handle("h", &path, "read")).await;
            close(peer, "h").await;
            close(peer, "h").await;
        }
        // One that could not be opened is not open.
        fails(peer, "fs/open", handle("h", place.path().join("none"), "read"), PathNotFound, None).await;
        fails(peer, "fs/readBlock", part("h", 0, 1), UnknownHandle, None).await;
        open(peer, handle("h", &path, "replace")).await;
        close(peer, "h").await;
        assert_eq!(names(place.path()), ["file"]);
    }

    async fn one_for_reading_does_not_write_and_one_for_writing_does_not_read(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        open(peer, handle("r", &path, "read")).await;
        open(peer, handle("w", &path, "replace")).await;
        fails(peer, "fs/writeBlock", block("r", 0, "x"), WrongHandleMode, None).await;
        fails(peer, "fs/readBlock", part("w", 0, 1), WrongHandleMode, None).await;
        close(peer, "r").await;
        assert_eq!(fs::read(&path).unwrap(), b"old");
        close(peer, "w").await;
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    async fn new_contents_are_seen_when_the_handle_is_closed_and_not_before(peer: &mut Peer) {
        let place = place();
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        fs::write(&old, "old contents").unwrap();
        open(peer, handle("r", &old, "read")).await;
        for (id, path) in [("o", &old), ("n", &new)] {
            open(peer, handle(id, path, "replace")).await;
            does(peer, "fs/writeBlock", block(id, 0, "new ")).await;
            does(peer, "fs/writeBlock", block(id, 4, "text")).await;
        }
        assert_eq!((fs::read(&old).unwrap(), new.exists()), (b"old contents".into(), false));
        assert_eq!(read(peer, &old).await, b"old contents");
        fails(peer, "fs/readFile", at(&new), PathNotFound, None).await;
        close(peer, "o").await;
        close(peer, "n").await;
        assert_eq!(read(peer, &old).await, b"new text");
        assert_eq!(fs::read(&new).unwrap(), b"new text");
        assert_eq!(names(place.path()), ["new", "old"]);
        // Who has opened it before reads what it was, though it is gone.
        does(peer, "fs/remove", at(&old)).await;
        assert_eq!(read_part(peer, "r", 4, 100).await, (b"contents".into(), true));
        close(peer, "r").await;
    }

    async fn of_two_that_replace_a_file_the_last_to_be_closed_wins(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        for id in ["one", "other"] {
            open(peer, handle(id, &path, "replace")).await;
            does(peer, "fs/writeBlock", block(id, 0, id)).await;
        }
        close(peer, "other").await;
        assert_eq!(fs::read(&path).unwrap(), b"other");
        close(peer, "one").await;
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(place.path()), ["file"]);
    }

    async fn a_session_has_so_many_and_a_closed_one_frees_its_place(server: &TestServer) {
        let mut peer = server.connect().await;
        let most = peer.handshake().await.limits.expect("they are told").file_handles;
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "x").unwrap();
        for number in 0..most {
            open(&mut peer, handle(&number.to_string(), &path, "read")).await;
        }
        for mode in ["read", "replace"] {
            fails(&mut peer, "fs/open", handle("more", &path, mode), TooManyFiles, None).await;
        }
        // One that fails takes no place either, or there would be none left.
        close(&mut peer, "7").await;
        for _ in 0..3 {
            fails(&mut peer, "fs/open", handle("more", place.path().join("none"), "read"), PathNotFound, None).await;
        }
        open(&mut peer, handle("more", &path, "read")).await;
        fails(&mut peer, "fs/open", handle("7", &path, "read"), TooManyFiles, None).await;
        for number in 0..most {
            close(&mut peer, &number.to_string()).await;
        }
        assert_eq!(read_part(&mut peer, "more", 0, 5).await, (b"x".into(), true));
        peer.finish().await;
    }

    async fn contents_of_which_a_part_could_not_be_written_take_nobodys_place(peer: &mut Peer) {
        const FAR: u64 = i64::MAX.cast_unsigned() - 10;
        let place = place();
        let path = place.path().join("file");
        // Some file systems have files of any length, and nothing to refuse.
        if File::create(&path).unwrap().write_at(b"x", FAR).is_ok() {
            return;
        }
        fs::write(&path, "old").unwrap();
        open(peer, handle("w", &path, "replace")).await;
        does(peer, "fs/writeBlock", block("w", 0, "new")).await;
        fails(peer, "fs/writeBlock", block("w", FAR, "x"), FileTooLarge, None).await;
        fails(peer, "fs/writeBlock", block("w", 3, "er"), WriteIncomplete, None).await;
        fails(peer, "fs/close", json!({"handleId": "w"}), WriteIncomplete, None).await;
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(place.path()), ["file"]);
        fails(peer, "fs/writeBlock", block("w", 0, "x"), UnknownHandle, None).await;
        close(peer, "w").await;
    }

    async fn a_chunk_that_is_not_base64_is_not_written(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        open(peer, handle("w", &path, "replace")).await;
        for text in ["a", "aGk", "aGk==", "%%%%", "aGk=\n", "-_-_", "aGk=aGk="] {
            let params = with(block("w", 0, "x"), json!({"chunk": text}));
            fails(peer, "fs/writeBlock", params, InvalidBase64, Some("chunk")).await;
            let params = json!({"path": uri(&path), "dataBase64": text});
            fails(peer, "fs/writeFile", params, InvalidBase64, Some("dataBase64")).await;
        }
        for data in [json!(7), json!([104, 105]), Value::Null] {
            let params = json!({"path": uri(&path), "dataBase64": data});
            fails(peer, "fs/writeFile", params, InvalidParams, Some("dataBase64")).await;
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        does(peer, "fs/writeBlock", json!({"handleId": "w", "offset": 0, "chunk": base64("new")})).await;
        close(peer, "w").await;
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
