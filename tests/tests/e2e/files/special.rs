//! What is no regular file, and files that are larger than they look: nothing hangs, and no memory is taken for them.

use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use exec_protocol::ErrorKind::{FileTooLarge, NotADirectory, NotAFile};
use exec_tests::{Peer, TestServer, fixture, on_every_wire, on_program};
use serde_json::json;
use tokio::process::Command;

use super::{
    at, bytes, contents, decoded, fails, fifo, from_to, handle, holding, names, part, place, read, write,
};
use crate::witness;

/// How much the server may have grown at its largest, in KiB.
const GROWTH_KIB: u64 = 8 << 10;

/// Length of a file without anything in it, in bytes.
const SPARSE: u64 = 10 << 30;

/// The most memory that the server had so far, in KiB, where it is a process of its own.
pub(super) fn peak_kib(server: &TestServer) -> Option<u64> {
    let process = server.process()?;
    Some(process.status_kib("VmHWM").expect("it runs"))
}

/// Whatever opens a file or takes its place is refused.
async fn is_no_file(peer: &mut Peer, path: &Path, beside: &Path) {
    fails(peer, "fs/readFile", at(path), NotAFile, None).await;
    fails(peer, "fs/writeFile", holding(path, "x"), NotAFile, None).await;
    for mode in ["read", "replace"] {
        fails(peer, "fs/open", handle("h", path, mode), NotAFile, None).await;
    }
    if !path.is_symlink() {
        let copy = from_to(path, beside.join("copy"));
        fails(peer, "fs/copy", copy, NotAFile, None).await;
    }
    fails(peer, "fs/copy", from_to("/proc/version", path), NotAFile, None).await;
    fails(peer, "fs/readDirectory", at(path), NotADirectory, None).await;
    assert_eq!(peer.call("fs/getMetadata", at(path)).await["isFile"], false);
    assert_eq!(peer.call("fs/walk", at(path)).await["entries"], json!([]));
}

on_every_wire! {
    async fn a_device_a_fifo_and_a_socket_are_neither_read_nor_replaced(server: &TestServer) {
        let mut peer = server.session().await;
        let place = place();
        let path = |name: &str| place.path().join(name);
        fifo(path("fifo"));
        let _socket = UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
        let all: [PathBuf; 6] = [path("fifo"), path("socket"), path("link"), "/dev/zero".into(), "/dev/null".into(), "/dev/full".into()];
        is_no_file(&mut peer, &all[0], place.path()).await;
        let before = peak_kib(server);
        for path in &all {
            is_no_file(&mut peer, path, place.path()).await;
        }
        let grown = peak_kib(server).zip(before).map_or(0, |(after, before)| after - before);
        assert!(grown <= GROWTH_KIB, "grown by {grown} KiB");
        for device in ["/dev/zero", "/dev/null", "/dev/full"] {
            assert!(fs::metadata(device).unwrap().file_type().is_char_device(), "{device}");
        }
        assert!(fs::metadata(path("fifo")).unwrap().file_type().is_fifo());
        assert!(fs::metadata(path("socket")).unwrap().file_type().is_socket());
        assert_eq!(names(place.path()), ["fifo", "link", "socket"]);
        peer.finish().await;
    }

    async fn a_huge_file_is_read_in_parts_only(server: &TestServer) {
        let mut peer = server.session().await;
        let place = place();
        let path = place.path().join("sparse");
        let file = File::create(&path).unwrap();
        file.set_len(SPARSE).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"the end", SPARSE - 7).unwrap();
        fails(&mut peer, "fs/readFile", at(&path), FileTooLarge, None).await;
        let before = peak_kib(server);
        for _ in 0..5 {
            fails(&mut peer, "fs/readFile", at(&path), FileTooLarge, None).await;
        }
        peer.call("fs/open", handle("h", &path, "read")).await;
        let answer = peer.call("fs/readBlock", part("h", SPARSE - 7, 100)).await;
        assert_eq!((decoded(&answer["chunk"]), &answer["eof"]), (b"the end".into(), &json!(true)));
        let answer = peer.call("fs/readBlock", part("h", SPARSE / 2, 100)).await;
        assert_eq!((decoded(&answer["chunk"]), &answer["eof"]), (vec![0; 100], &json!(false)));
        peer.call("fs/close", json!({"handleId": "h"})).await;
        let grown = peak_kib(server).zip(before).map_or(0, |(after, before)| after - before);
        assert!(grown <= GROWTH_KIB, "grown by {grown} KiB");
        peer.finish().await;
    }

    async fn a_file_that_the_system_makes_up_is_read_whole(peer: &mut Peer) {
        let expected = fs::read("/proc/cpuinfo").unwrap().len();
        assert!(expected > 0);
        // A clock rate in it may change.
        let read = read(peer, "/proc/cpuinfo").await;
        assert!(read.starts_with(b"processor"), "{} bytes", read.len());
        assert_eq!(contents(&peer.call("fs/readFile", json!({"path": "/proc/version"})).await), fs::read("/proc/version").unwrap());
        peer.call("fs/open", handle("h", "/proc/version", "read")).await;
        let answer = peer.call("fs/readBlock", part("h", 0, 5)).await;
        assert_eq!((decoded(&answer["chunk"]), &answer["eof"]), (b"Linux".into(), &json!(false)));
    }

    async fn nobody_waits_for_who_looks_at_a_fifo(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("fifo");
        fifo(&path);
        witness::start(peer).await;
        let mut ids = Vec::new();
        for number in 0..100 {
            ids.push(peer.request("fs/readFile", at(&path)).await);
            ids.push(peer.request("fs/open", handle(&number.to_string(), &path, "read")).await);
        }
        witness::answers(peer, "still here").await;
        for id in ids {
            let error = peer.response(id).await.expect_err("it is no file");
            assert_eq!(error.kind(), Some(NotAFile));
        }
        witness::end(peer).await;
    }
}

#[tokio::test]
async fn a_limit_on_the_length_of_files_fails_a_write_and_nothing_else() {
    let program = fixture::program("exec-server-under-test");
    let mut command = Command::new("/bin/sh");
    // In blocks of 512 or 1,024 bytes.
    command
        .args(["-c", r#"ulimit -f 100; exec "$0" "$@""#])
        .arg(program);
    on_program(command, async |server| {
        let place = place();
        let path = place.path().join("file");
        let mut peer = server.session().await;
        write(&mut peer, &path, "old").await;
        fails(
            &mut peer,
            "fs/writeFile",
            holding(&path, bytes(200_000)),
            FileTooLarge,
            None,
        )
        .await;
        assert_eq!(read(&mut peer, &path).await, b"old");
        assert_eq!(names(place.path()), ["file"]);
        peer.finish().await;
    })
    .await;
}
