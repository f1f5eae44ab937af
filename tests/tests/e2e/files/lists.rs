//! `fs/readDirectory`

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use exec_protocol::ErrorKind::FileTooLarge;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{at, fails, fifo, place, uri};

fn entry(path: &Path, name: &str, is_directory: bool, is_file: bool) -> Value {
    json!({"fileName": name, "isDirectory": is_directory, "isFile": is_file, "path": uri(path)})
}

on_every_wire! {
    async fn entries_come_by_the_bytes_of_their_names(peer: &mut Peer) {
        let place = place();
        let names: [&[u8]; 11] = [
            b" ", b".dot", b"10", b"9", b"B", b"_", b"a", b"a b", b"\xc3", "ä".as_bytes(), b"\xff",
        ];
        for name in names.iter().rev() {
            fs::write(place.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        let expected: Vec<_> = names.iter().map(|name| {
            entry(&place.path().join(OsStr::from_bytes(name)), &String::from_utf8_lossy(name), false, true)
        }).collect();
        assert_eq!(peer.call("fs/readDirectory", at(place.path())).await, json!({"entries": expected}));
    }

    async fn links_count_as_what_they_lead_to(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("directory")).unwrap();
        fs::write(path("file"), "x").unwrap();
        fifo(path("fifo"));
        let _socket = UnixListener::bind(path("socket")).unwrap();
        for (link, target) in [("l-circle", "l-circle"), ("l-dangling", "none"), ("l-directory", "directory"), ("l-fifo", "fifo"),
            ("l-file", "file"), ("l-link", "l-directory")] {
            symlink(target, path(link)).unwrap();
        }
        let expected = [
            ("directory", true, false), ("fifo", false, false), ("file", false, true), ("l-circle", false, false),
            ("l-dangling", false, false), ("l-directory", true, false), ("l-fifo", false, false), ("l-file", false, true),
            ("l-link", true, false), ("socket", false, false),
        ];
        let expected: Vec<_> = expected.iter()
            .map(|(name, is_directory, is_file)| entry(&path(name), name, *is_directory, *is_file))
            .collect();
        assert_eq!(peer.call("fs/readDirectory", at(place.path())).await, json!({"entries": expected}));
    }

    async fn names_that_become_long_on_the_wire_are_counted_as_they_are_there(peer: &mut Peer) {
        let place = place();
        // Six bytes in JSON and three in a URI, where there is one: too long together, but not each for itself.
        let name = |number: usize| [vec![1; 240], format!("{number:06}").into_bytes()].concat();
        for number in 0..12_500 {
            fs::write(place.path().join(OsStr::from_bytes(&name(number))), "").unwrap();
        }
        fails(peer, "fs/readDirectory", at(place.path()), FileTooLarge, None).await;
        for number in 0..6_500 {
            fs::remove_file(place.path().join(OsStr::from_bytes(&name(number)))).unwrap();
        }
        let answer = peer.call("fs/readDirectory", at(place.path())).await;
        assert_eq!(answer["entries"].as_array().unwrap().len(), 6_000);
    }

    async fn a_directory_may_be_empty_or_behind_a_link(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("directory")).unwrap();
        symlink("directory", path("link")).unwrap();
        for name in ["directory", "link"] {
            assert_eq!(peer.call("fs/readDirectory", at(path(name))).await, json!({"entries": []}));
        }
        fs::write(path("directory/file"), "x").unwrap();
        let expected = entry(&path("link/file"), "file", false, true);
        assert_eq!(peer.call("fs/readDirectory", at(path("link/"))).await, json!({"entries": [expected]}), "by the path as it was asked for");
    }
}
