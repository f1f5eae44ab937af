//! Nobody may do more with a file after it was written than before.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use exec_protocol::ErrorKind::AlreadyExists;
use exec_tests::{Peer, on_every_wire};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::io::Errno;
use serde_json::json;

use super::{block, does, fails, from_to, handle, mode, names, place, set_mode, write};
use crate::commands::with;

/// The list of a file, and the one that a directory gives to what is made in it.
const ACCESS_LIST: &str = "system.posix_acl_access";
const DEFAULT_LIST: &str = "system.posix_acl_default";

/// `user::rw-`, `user:1001:r--`, `group::---`, `mask::r--`, `other::---`: by its mode alone the group might read. As in
/// `linux/posix_acl_xattr.h`.
fn list() -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (1, 6, NOBODY),
        (2, 4, 1001),
        (4, 0, NOBODY),
        (0x10, 4, NOBODY),
        (0x20, 0, NOBODY),
    ] {
        list.extend_from_slice(&u16::to_le_bytes(tag));
        list.extend_from_slice(&u16::to_le_bytes(permissions));
        list.extend_from_slice(&u32::to_le_bytes(id));
    }
    list
}

fn list_of(path: &Path) -> Option<Vec<u8>> {
    let mut list = vec![0; 1024];
    match getxattr(path, ACCESS_LIST, &mut list[..]) {
        Ok(length) => Some(list[..length].to_vec()),
        Err(error) => {
            assert_eq!(error, Errno::NODATA);
            None
        }
    }
}

/// Whether the file system of this directory has such lists. Not all do, and none can be kept where there are none.
fn has_lists(directory: &Path) -> bool {
    let path = directory.join("try");
    fs::write(&path, "").unwrap();
    let set = setxattr(&path, ACCESS_LIST, &list(), XattrFlags::empty());
    fs::remove_file(path).unwrap();
    assert!(matches!(set, Ok(()) | Err(Errno::OPNOTSUPP)), "{set:?}");
    set.is_ok()
}

on_every_wire! {
    async fn a_copy_does_not_run_with_the_rights_of_its_owner(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("tree")).unwrap();
        for (name, given) in [("tree/user", 0o4755), ("tree/group", 0o2750), ("tree/both", 0o6711)] {
            fs::write(path(name), "x").unwrap();
            set_mode(path(name), given);
        }
        does(peer, "fs/copy", from_to(path("tree/user"), path("one"))).await;
        does(peer, "fs/copy", from_to(path("tree/both"), path("one"))).await;
        assert_eq!(mode(path("one")), 0o711);
        does(peer, "fs/copy", with(from_to(path("tree"), path("other")), json!({"recursive": true}))).await;
        assert_eq!(mode(path("other/user")), 0o755);
        assert_eq!(mode(path("other/group")), 0o750);
    }

    async fn a_file_has_the_mode_that_it_has_when_its_new_contents_come(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        set_mode(&path, 0o644);
        peer.call("fs/open", handle("w", &path, "replace")).await;
        does(peer, "fs/writeBlock", block("w", 0, "secret")).await;
        set_mode(&path, 0o600);
        does(peer, "fs/close", json!({"handleId": "w"})).await;
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"secret".to_vec(), 0o600));

        // One that was not there when it was opened.
        let path = place.path().join("later");
        peer.call("fs/open", handle("w", &path, "replace")).await;
        fs::write(&path, "meanwhile").unwrap();
        set_mode(&path, 0o640);
        does(peer, "fs/close", json!({"handleId": "w"})).await;
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (Vec::new(), 0o640));
    }

    async fn what_waits_for_its_place_is_nobody_elses(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("file");
        fs::write(&path, "old").unwrap();
        set_mode(&path, 0o644);
        peer.call("fs/open", handle("w", &path, "replace")).await;
        let names = names(place.path());
        let staged = names.iter().find(|name| *name != "file").expect("it waits somewhere");
        assert_eq!(mode(place.path().join(staged)), 0o600);
        does(peer, "fs/close", json!({"handleId": "w"})).await;
        assert_eq!(mode(&path), 0o644);
    }

    async fn a_file_keeps_its_access_list_and_gets_none(peer: &mut Peer) {
        let place = place();
        if !has_lists(place.path()) {
            return;
        }
        let path = |name: &str| place.path().join(name);
        fs::write(path("with"), "old").unwrap();
        setxattr(path("with"), ACCESS_LIST, &list(), XattrFlags::empty()).unwrap();
        write(peer, path("with"), "new").await;
        assert_eq!(list_of(&path("with")), Some(list()));
        // What is made in this directory has the list, but not what was there before.
        fs::write(path("without"), "old").unwrap();
        set_mode(path("without"), 0o640);
        setxattr(place.path(), DEFAULT_LIST, &list(), XattrFlags::empty()).unwrap();
        write(peer, path("without"), "new").await;
        assert_eq!((list_of(&path("without")), mode(path("without"))), (None, 0o640));
        write(peer, path("made"), "new").await;
        assert!(list_of(&path("made")).is_some());
    }

    async fn a_copy_has_the_mode_of_its_source_also_over_an_access_list(peer: &mut Peer) {
        let place = place();
        if !has_lists(place.path()) {
            return;
        }
        let path = |name: &str| place.path().join(name);
        fs::write(path("source"), "secret").unwrap();
        set_mode(path("source"), 0o600);
        fs::write(path("copy"), "old").unwrap();
        setxattr(path("copy"), ACCESS_LIST, &list(), XattrFlags::empty()).unwrap();
        does(peer, "fs/copy", from_to(path("source"), path("copy"))).await;
        assert_eq!((list_of(&path("copy")), mode(path("copy"))), (None, 0o600));
    }

    async fn a_link_in_a_tree_that_is_copied_over_leads_nowhere_else(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        for directory in ["tree/sub", "over", "elsewhere"] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        fs::write(path("tree/sub/file"), "x").unwrap();
        symlink("../elsewhere", path("over/sub")).unwrap();
        let copy = with(from_to(path("tree"), path("over")), json!({"recursive": true}));
        fails(peer, "fs/copy", copy.clone(), AlreadyExists, None).await;
        fs::remove_file(path("over/sub")).unwrap();
        fs::create_dir(path("over/sub")).unwrap();
        symlink("../../elsewhere/made", path("over/sub/file")).unwrap();
        fails(peer, "fs/copy", copy, AlreadyExists, None).await;
        assert_eq!(names(path("elsewhere")), [""; 0]);
        // The one that was asked for is followed.
        symlink("elsewhere", path("link")).unwrap();
        does(peer, "fs/copy", with(from_to(path("tree"), path("link")), json!({"recursive": true}))).await;
        assert_eq!(names(path("elsewhere")), ["sub"]);
    }
}
