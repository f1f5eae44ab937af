//! How long a file may be.

use std::fs::{self, File};

use exec_protocol::ErrorKind::FileTooLarge;
use exec_tests::{TestServer, on_every_wire};
use serde_json::json;

use super::{at, bytes, fails, holding, place, read, write};

/// Length of a file that fits into no message, in bytes.
const TOO_LONG: u64 = 26 << 20;

on_every_wire! {
    async fn the_longest_file_that_fits_is_written_and_read(server: &TestServer) {
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        let length = usize::try_from(limits.file_bytes).unwrap();
        assert!(length > 16 << 20, "{length}");
        let place = place();
        let path = place.path().join("file");
        let contents = bytes(length);
        write(&mut peer, &path, &contents).await;
        assert!(fs::read(&path).unwrap() == contents);
        assert!(read(&mut peer, &path).await == contents);
        File::options().append(true).open(&path).unwrap().set_len(limits.file_bytes + 1).unwrap();
        fails(&mut peer, "fs/readFile", at(&path), FileTooLarge, None).await;
        peer.finish().await;
    }

    async fn a_longer_one_is_not_written(server: &TestServer) {
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        let place = place();
        let contents = bytes(usize::try_from(limits.file_bytes).unwrap() + 1);
        fails(&mut peer, "fs/writeFile", holding(place.path().join("file"), contents), FileTooLarge, None).await;
        assert!(!place.path().join("file").exists());
        peer.finish().await;
    }

    async fn a_longer_one_is_refused_with_the_way_to_read_it(server: &TestServer) {
        let mut peer = server.session().await;
        let place = place();
        let path = place.path().join("file");
        File::create(&path).unwrap().set_len(TOO_LONG).unwrap();
        let error = peer.refused("fs/readFile", at(&path)).await;
        assert_eq!((error.code, error.kind()), (-32600, Some(FileTooLarge)));
        for method in ["fs/open", "fs/readBlock"] {
            assert!(error.message.contains(method), "{}", error.message);
        }
        peer.call("environment/info", json!({})).await;
        peer.finish().await;
    }
}
