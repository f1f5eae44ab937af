//! What is written is what is read.

use std::fs;

use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use super::{block, bytes, decoded, does, handle, part, place, read, write};

/// Lengths of files, in bytes. Each takes the place of the one before.
const LENGTHS: [usize; 5] = [1 << 20, 0, 12 << 20, 1, 70_000];

/// Length of a block, in bytes.
const BLOCK: usize = 1 << 20;

on_every_wire! {
    async fn a_file_of_any_length_comes_back_byte_for_byte(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        for length in LENGTHS {
            let contents = bytes(length);
            write(peer, &path, &contents).await;
            assert!(fs::read(&path).unwrap() == contents, "{length} bytes on the disk");
            assert!(read(peer, &path).await == contents, "{length} bytes read");
        }
        for length in [0, 1, 70_000] {
            let contents = bytes(length);
            fs::write(&path, &contents).unwrap();
            assert!(read(peer, &path).await == contents, "{length} bytes of somebody else");
        }
    }

    async fn a_file_of_any_length_comes_back_block_for_block(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        for length in LENGTHS {
            let contents = bytes(length);
            let opened = peer.call("fs/open", handle("w", &path, "replace")).await;
            assert_eq!(opened, json!({"handleId": "w"}));
            for (number, piece) in contents.chunks(BLOCK).enumerate() {
                does(peer, "fs/writeBlock", block("w", (number * BLOCK) as u64, piece)).await;
            }
            does(peer, "fs/close", json!({"handleId": "w"})).await;
            assert!(fs::read(&path).unwrap() == contents, "{length} bytes on the disk");

            peer.call("fs/open", handle("r", &path, "read")).await;
            let mut came = Vec::new();
            loop {
                let answer = peer.call("fs/readBlock", part("r", came.len() as u64, BLOCK as u64)).await;
                let chunk = decoded(&answer["chunk"]);
                let is_short = chunk.len() < BLOCK;
                came.extend(chunk);
                assert_eq!(answer["eof"], is_short, "at {}", came.len());
                if is_short {
                    break;
                }
            }
            does(peer, "fs/close", json!({"handleId": "r"})).await;
            assert!(came == contents, "{length} bytes read");
        }
    }

    async fn blocks_may_come_in_any_order_and_what_none_covers_is_zeros(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        peer.call("fs/open", handle("w", &path, "replace")).await;
        for (offset, text) in [(10, "last"), (0, "xxxxx"), (2, "abc"), (2, "ABC")] {
            does(peer, "fs/writeBlock", block("w", offset, text)).await;
        }
        does(peer, "fs/close", json!({"handleId": "w"})).await;
        assert_eq!(fs::read(&path).unwrap(), b"xxABC\0\0\0\0\0last");
        assert_eq!(read(peer, &path).await, b"xxABC\0\0\0\0\0last");
    }
}
