//! New contents take the place of the old ones all at once.

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use exec_protocol::ErrorKind::{NotAFile, PathNotFound};
use exec_tests::wait::within_patience;
use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use super::{
    block, bytes, decoded, does, fails, fifo, from_to, handle, holding, names, part, place, read, staged,
    write,
};

/// What a file is written with in turns: a letter, and how many of it.
const TURNS: [(u8, usize); 3] = [(b'a', 300_000), (b'b', 1), (b'c', 70_000)];

/// How often it is written and read at the least.
const ROUNDS: usize = 60;

const MODES: [u32; 5] = [0o640, 0o755, 0o600, 0o444, 0o4711];

/// A file with these contents, this mode and, where we may give it away, another owner.
fn made(path: &Path, mode: u32) -> (u32, u32, u32) {
    let _ = fs::remove_file(path);
    fs::write(path, "old").unwrap();
    // Only root may. It comes first, because it takes a bit of the mode away.
    let _ = chown(path, Some(1), Some(1));
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    owner_and_mode(path)
}

fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

/// Writes by way of a handle.
async fn replace(peer: &mut Peer, path: &Path, contents: &str) {
    peer.call("fs/open", handle("w", path, "replace")).await;
    does(peer, "fs/writeBlock", block("w", 0, contents)).await;
    does(peer, "fs/close", json!({"handleId": "w"})).await;
}

/// Reads a file until told to stop, and counts how often.
fn read_on(path: &Path, stop: &AtomicBool, count: &AtomicUsize) {
    while !stop.load(SeqCst) {
        let contents = fs::read(path).expect("it is there at any time");
        let expected = TURNS.iter().find(|(_, length)| *length == contents.len());
        let (letter, _) = expected.unwrap_or_else(|| panic!("{} bytes", contents.len()));
        assert!(contents.iter().all(|byte| byte == letter), "a mixture");
        count.fetch_add(1, SeqCst);
    }
}

on_every_wire! {
    async fn who_has_opened_a_file_keeps_its_old_contents_whole(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        let old = bytes(500_000);
        fs::write(&path, &old).unwrap();
        let before = fs::metadata(&path).unwrap().ino();
        let mut reader = File::open(&path).unwrap();
        peer.call("fs/open", handle("r", &path, "read")).await;
        write(peer, &path, "new").await;
        let mut seen = Vec::new();
        reader.read_to_end(&mut seen).unwrap();
        assert!(seen == old, "{} bytes", seen.len());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_ne!(fs::metadata(&path).unwrap().ino(), before);
        let answer = peer.call("fs/readBlock", part("r", 499_998, 10)).await;
        assert_eq!(decoded(&answer["chunk"]), old[499_998..]);
    }

    async fn a_reader_sees_old_or_new_contents_and_never_a_mixture(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, [b'b']).unwrap();
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let reader = thread::spawn({
            let (path, stop, count) = (path.clone(), Arc::clone(&stop), Arc::clone(&count));
            move || read_on(&path, &stop, &count)
        });
        let writing = async {
            let mut round = 0;
            while (round < ROUNDS || count.load(SeqCst) < ROUNDS) && !reader.is_finished() {
                let (letter, length) = TURNS[round % TURNS.len()];
                write(peer, &path, vec![letter; length]).await;
                round += 1;
            }
        };
        within_patience("many reads", writing).await;
        stop.store(true, SeqCst);
        reader.join().expect("it saw nothing wrong");
        assert_eq!(names(place.path()), ["file"]);
    }

    async fn a_file_keeps_its_mode_and_its_owner(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        for mode in MODES {
            // What may not be written is not: that is for root only.
            if mode == 0o444 && !rustix::process::geteuid().is_root() {
                continue;
            }
            let before = made(&path, mode);
            write(peer, &path, "new").await;
            assert_eq!(owner_and_mode(&path), before, "{mode:o}");
            let before = made(&path, mode);
            replace(peer, &path, "newer").await;
            assert_eq!(owner_and_mode(&path), before, "{mode:o}");
            assert_eq!(fs::read(&path).unwrap(), b"newer");
        }
    }

    async fn a_new_file_has_the_mode_that_any_new_file_has(peer: &mut Peer) {
        let place = place();
        File::create(place.path().join("any")).unwrap();
        let expected = owner_and_mode(&place.path().join("any"));
        write(peer, place.path().join("written"), "new").await;
        replace(peer, &place.path().join("replaced"), "new").await;
        for name in ["written", "replaced"] {
            assert_eq!(owner_and_mode(&place.path().join(name)), expected, "{name}");
        }
    }

    async fn a_link_stays_a_link_and_what_it_leads_to_is_written(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        fs::write(path("sub/target"), "old").unwrap();
        let links = [("near", "sub/target".into()), ("far", path("sub/target")), ("sub/up", "../near".into())];
        for (link, target) in links {
            symlink(&target, path(link)).unwrap();
            write(peer, path(link), link).await;
            assert_eq!(fs::read_link(path(link)).unwrap(), target);
            assert_eq!(fs::read(path("sub/target")).unwrap(), link.as_bytes());
            replace(peer, &path(link), "by a handle").await;
            assert_eq!(fs::read_link(path(link)).unwrap(), target);
            assert_eq!(read(peer, path(link)).await, b"by a handle");
            assert!(!fs::symlink_metadata(path("sub/target")).unwrap().is_symlink());
        }
        assert_eq!(names(place.path()), ["far", "near", "sub"]);
        assert_eq!(names(path("sub")), ["target", "up"]);
    }

    async fn a_link_that_leads_to_nothing_yet_leads_to_the_new_file(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        symlink("sub/one", path("link")).unwrap();
        symlink("link", path("second")).unwrap();
        write(peer, path("second"), "made").await;
        assert_eq!(fs::read(path("sub/one")).unwrap(), b"made");
        assert_eq!(fs::read_link(path("link")).unwrap(), Path::new("sub/one"));
        symlink("sub/two", path("third")).unwrap();
        replace(peer, &path("third"), "by a handle").await;
        assert_eq!(fs::read(path("sub/two")).unwrap(), b"by a handle");
        symlink("none/three", path("fourth")).unwrap();
        fails(peer, "fs/writeFile", holding(path("fourth"), "x"), PathNotFound, None).await;
        fails(peer, "fs/open", handle("w", path("fourth"), "replace"), PathNotFound, None).await;
        assert_eq!(names(place.path()), ["fourth", "link", "second", "sub", "third"]);
    }

    async fn no_file_is_left_beside_the_one_that_was_meant(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("directory")).unwrap();
        fifo(path("fifo"));
        for _ in 0..3 {
            write(peer, path("file"), bytes(100_000)).await;
            replace(peer, &path("file"), "new").await;
            does(peer, "fs/copy", from_to(path("file"), path("copy"))).await;
            for name in ["directory", "fifo"] {
                fails(peer, "fs/writeFile", holding(path(name), "x"), NotAFile, None).await;
                fails(peer, "fs/open", handle("w", path(name), "replace"), NotAFile, None).await;
                fails(peer, "fs/copy", from_to(path("file"), path(name)), NotAFile, None).await;
            }
        }
        // While it is written it is there, or there would be nothing to look for.
        peer.call("fs/open", handle("w", path("file"), "replace")).await;
        assert_eq!(staged(place.path()), 1);
        // Its target becomes a directory: it cannot take its place any more.
        fs::remove_file(path("file")).unwrap();
        fs::create_dir_all(path("file/full")).unwrap();
        let error = peer.refused("fs/close", json!({"handleId": "w"})).await;
        assert_eq!(error.code, -32600, "{error:?}");
        assert_eq!(names(place.path()), ["copy", "directory", "fifo", "file"]);
        does(peer, "fs/close", json!({"handleId": "w"})).await;
    }
}
