//! `fs/getMetadata` and `fs/canonicalize`.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exec_protocol::ErrorKind::PathNotFound;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{at, fails, fifo, place, uri};

/// A time after 1970, in milliseconds.
const SOME_MS: u64 = 1_234_567_890_123;

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(since.as_millis()).expect("it is not that late")
}

fn created_ms(path: &Path) -> u64 {
    fs::metadata(path).unwrap().created().map_or(0, unix_ms)
}

fn modified_ms(path: &Path) -> u64 {
    unix_ms(fs::metadata(path).unwrap().modified().unwrap())
}

on_every_wire! {
    async fn metadata_are_those_that_the_file_system_has(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "five!").unwrap();
        let file = File::options().write(true).open(path("file")).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(SOME_MS) + Duration::from_micros(456)).unwrap();
        fs::create_dir(path("directory")).unwrap();
        fifo(path("fifo"));
        for (link, target) in [("to-file", "file"), ("to-directory", "directory"), ("to-link", "to-file"), ("to-fifo", "fifo")] {
            symlink(target, path(link)).unwrap();
        }
        let cases = [
            ("file", false, true, false),
            ("directory", true, false, false),
            ("fifo", false, false, false),
            ("to-file", false, true, true),
            ("to-directory", true, false, true),
            ("to-link", false, true, true),
            ("to-fifo", false, false, true),
        ];
        for (name, is_directory, is_file, is_symlink) in cases {
            let expected = json!({
                "isDirectory": is_directory, "isFile": is_file, "isSymlink": is_symlink,
                "size": fs::metadata(path(name)).unwrap().len(),
                "createdAtMs": created_ms(&path(name)), "modifiedAtMs": modified_ms(&path(name)),
            });
            assert_eq!(peer.call("fs/getMetadata", at(path(name))).await, expected, "{name}");
        }
        let told = peer.call("fs/getMetadata", at(path("to-link"))).await;
        assert_eq!((&told["size"], &told["modifiedAtMs"]), (&json!(5), &json!(SOME_MS)));
        assert_eq!(peer.call("fs/getMetadata", json!({"path": "/dev/null"})).await["isFile"], false);
        assert_eq!(peer.call("fs/getMetadata", json!({"path": "/"})).await["isDirectory"], true);
    }

    async fn a_time_before_1970_is_not_known(peer: &mut Peer) {
        let place = place();
        let file = File::create(place.path().join("file")).unwrap();
        file.set_modified(UNIX_EPOCH - Duration::from_hours(1)).unwrap();
        let told = peer.call("fs/getMetadata", at(place.path().join("file"))).await;
        assert_eq!(told["modifiedAtMs"], 0);
    }

    async fn a_large_file_has_its_size(peer: &mut Peer) {
        let place = place();
        File::create(place.path().join("file")).unwrap().set_len(10 << 30).unwrap();
        let told = peer.call("fs/getMetadata", at(place.path().join("file"))).await;
        assert_eq!(told["size"], 10_u64 << 30);
    }

    async fn a_canonical_path_is_one_of_directories_alone(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("real/inner")).unwrap();
        fs::write(path("real/file"), "x").unwrap();
        fifo(path("real/fifo"));
        symlink("real/inner", path("link")).unwrap();
        symlink(path("link"), path("to-link")).unwrap();
        symlink("../file", path("real/inner/up")).unwrap();
        symlink("none", path("dangling")).unwrap();
        let cases = [
            ("real", "real"),
            ("real/", "real"),
            ("link", "real/inner"),
            ("to-link/.", "real/inner"),
            ("to-link/..", "real"),
            ("to-link/up", "real/file"),
            ("real/fifo", "real/fifo"),
        ];
        for (from, to) in cases {
            let answer = peer.call("fs/canonicalize", at(path(from))).await;
            assert_eq!(answer, json!({"path": uri(path(to))}), "{from}");
        }
        assert_eq!(peer.call("fs/canonicalize", json!({"path": "/.."})).await, json!({"path": "file:///"}));
        for name in ["dangling", "none", "real/file/x", "real/file/.."] {
            fails(peer, "fs/canonicalize", at(path(name)), PathNotFound, None).await;
        }
        let answer: Value = peer.call("fs/getMetadata", at(path("to-link/up"))).await;
        assert_eq!((&answer["isFile"], &answer["isSymlink"]), (&json!(true), &json!(true)));
    }
}
