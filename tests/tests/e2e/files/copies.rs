//! `fs/copy`

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use exec_protocol::ErrorKind::{AlreadyExists, InvalidRequest, NotAFile, PathNotFound};
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{bytes, does, fails, fifo, from_to, mode, names, place, set_mode, uri};
use crate::commands::with;

fn tree(source: impl AsRef<Path>, destination: impl AsRef<Path>) -> Value {
    with(from_to(source, destination), json!({"recursive": true}))
}

on_every_wire! {
    async fn a_file_is_copied_with_its_mode(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        for (contents, file_mode) in [(bytes(3_000_000), 0o755), (Vec::new(), 0o640), (bytes(10), 0o600)] {
            fs::write(path("file"), &contents).unwrap();
            set_mode(path("file"), file_mode);
            // The first time it is made, then it is there with another mode.
            does(peer, "fs/copy", from_to(path("file"), path("copy"))).await;
            assert!(fs::read(path("copy")).unwrap() == contents);
            assert_eq!(mode(path("copy")), file_mode);
        }
        symlink("file", path("link")).unwrap();
        fs::write(path("copy"), "other").unwrap();
        does(peer, "fs/copy", tree(path("copy"), path("link"))).await;
        assert_eq!(fs::read(path("file")).unwrap(), b"other", "through the link");
        assert!(path("link").is_symlink());
        assert_eq!(names(place.path()), ["copy", "file", "link"]);
    }

    async fn onto_itself_nothing_is_lost(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), bytes(100_000)).unwrap();
        set_mode(path("file"), 0o750);
        symlink("file", path("link")).unwrap();
        fs::hard_link(path("file"), path("hard")).unwrap();
        for (source, destination) in [("file", "file"), ("file", "link"), ("file", "hard"), ("hard", "file")] {
            does(peer, "fs/copy", from_to(path(source), path(destination))).await;
            for name in ["file", "hard"] {
                assert!(fs::read(path(name)).unwrap() == bytes(100_000), "{source} {destination}");
                assert_eq!(mode(path(name)), 0o750);
            }
        }
        assert!(path("link").is_symlink());
        assert_eq!(names(place.path()), ["file", "hard", "link"]);
    }

    async fn a_file_is_not_copied_to_where_it_cannot_be(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "x").unwrap();
        fs::create_dir(path("directory")).unwrap();
        fifo(path("fifo"));
        for name in ["directory", "fifo"] {
            fails(peer, "fs/copy", from_to(path("file"), path(name)), NotAFile, None).await;
            fails(peer, "fs/copy", tree(path("file"), path(name)), NotAFile, None).await;
        }
        fails(peer, "fs/copy", from_to(path("none"), path("file")), PathNotFound, None).await;
        fails(peer, "fs/copy", from_to(path("file"), path("none/x")), PathNotFound, None).await;
        fails(peer, "fs/copy", from_to(path("file"), path("file/x")), PathNotFound, None).await;
        for source in [path("fifo"), "/dev/zero".into(), "/dev/null".into()] {
            fails(peer, "fs/copy", from_to(source, path("copy")), NotAFile, None).await;
        }
        assert_eq!(names(place.path()), ["directory", "fifo", "file"]);
        assert_eq!(names(path("directory")), [""; 0]);
        assert_eq!(fs::read(path("file")).unwrap(), b"x");
    }

    async fn a_link_is_copied_as_a_link(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("directory")).unwrap();
        for target in ["directory", "none", "../x y", "/"] {
            symlink(target, path("link")).unwrap();
            does(peer, "fs/copy", from_to(path("link"), path("directory/copy"))).await;
            assert_eq!(fs::read_link(path("directory/copy")).unwrap(), Path::new(target));
            fails(peer, "fs/copy", from_to(path("link"), path("directory/copy")), AlreadyExists, None).await;
            fails(peer, "fs/copy", from_to(path("link"), path("link")), AlreadyExists, None).await;
            fails(peer, "fs/copy", from_to(path("link"), path("none/copy")), PathNotFound, None).await;
            assert_eq!(fs::read_link(path("directory/copy")).unwrap(), Path::new(target));
            fs::remove_file(path("directory/copy")).unwrap();
            fs::remove_file(path("link")).unwrap();
        }
    }

    async fn a_tree_is_copied_with_all_that_is_in_it(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("tree/a/b")).unwrap();
        fs::create_dir(path("tree/closed")).unwrap();
        fs::create_dir(path("tree/empty")).unwrap();
        for name in ["tree/file", "tree/a/file", "tree/a/b/.hidden", "tree/closed/file"] {
            fs::write(path(name), name).unwrap();
        }
        symlink("a/file", path("tree/link")).unwrap();
        symlink("none", path("tree/a/dangling")).unwrap();
        symlink("..", path("tree/a/up")).unwrap();
        set_mode(path("tree/a/file"), 0o711);
        set_mode(path("tree/empty"), 0o700);
        set_mode(path("tree/closed"), 0o500);
        fails(peer, "fs/copy", from_to(path("tree"), path("copy")), NotAFile, None).await;
        fails(peer, "fs/copy", with(tree(path("tree"), path("copy")), json!({"recursive": null})), NotAFile, None).await;
        assert!(!path("copy").exists());

        // Its parents are made too. The name of one may begin with the name of the other.
        for copy in ["x/y/copy", "tree.copy", "tree2"] {
            does(peer, "fs/copy", tree(path("tree"), path(copy))).await;
            let copy = path(copy);
            assert_eq!(names(&copy), ["a", "closed", "empty", "file", "link"]);
            assert_eq!(names(copy.join("a")), ["b", "dangling", "file", "up"]);
            for name in ["file", "a/file", "a/b/.hidden", "closed/file"] {
                assert_eq!(fs::read_to_string(copy.join(name)).unwrap(), format!("tree/{name}"));
            }
            for (name, target) in [("link", "a/file"), ("a/dangling", "none"), ("a/up", "..")] {
                assert_eq!(fs::read_link(copy.join(name)).unwrap(), Path::new(target));
            }
            assert_eq!(["a/file", "empty", "closed"].map(|name| mode(copy.join(name))), [0o711, 0o700, 0o500]);
            // Not only root is to be able to clear this away.
            set_mode(copy.join("closed"), 0o700);
        }
        set_mode(path("tree/closed"), 0o700);
    }

    async fn into_a_directory_that_is_there_entries_come_beside_its_own(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        for name in ["tree/both", "tree/new", "there/both", "there/own"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in ["tree/file", "tree/both/x", "there/file", "there/both/y", "there/own/z"] {
            fs::write(path(name), name).unwrap();
        }
        set_mode(path("there"), 0o701);
        symlink("there", path("link")).unwrap();
        for destination in ["there", "link"] {
            does(peer, "fs/copy", tree(path("tree"), path(destination))).await;
            assert_eq!(names(path("there")), ["both", "file", "new", "own"]);
            assert_eq!(names(path("there/both")), ["x", "y"]);
            assert_eq!(names(path("there/own")), ["z"]);
            assert_eq!(fs::read(path("there/file")).unwrap(), b"tree/file");
            assert_eq!(fs::read(path("there/both/y")).unwrap(), b"there/both/y");
            assert_eq!(mode(path("there")), 0o701, "it is not the copy");
        }
    }

    async fn what_is_in_the_way_of_a_tree_stays(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("tree/name")).unwrap();
        fs::write(path("file"), "x").unwrap();
        fails(peer, "fs/copy", tree(path("tree"), path("file")), AlreadyExists, None).await;
        fs::create_dir(path("there")).unwrap();
        fs::write(path("there/name"), "x").unwrap();
        fails(peer, "fs/copy", tree(path("tree"), path("there")), AlreadyExists, None).await;
        fails(peer, "fs/copy", tree(path("there"), path("tree")), NotAFile, None).await;
        assert_eq!((fs::read(path("file")).unwrap(), fs::read(path("there/name")).unwrap()), (b"x".into(), b"x".into()));
        assert!(path("tree/name").is_dir());
    }

    async fn a_directory_is_not_copied_into_itself(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("tree/sub")).unwrap();
        fs::write(path("tree/file"), "x").unwrap();
        symlink("tree", path("link")).unwrap();
        for destination in ["tree", "tree/", "tree/sub", "tree/new", "tree/new/deep", "link", "link/new", "tree/sub/../new", "link/sub/new"] {
            fails(peer, "fs/copy", tree(path("tree"), path(destination)), InvalidRequest, None).await;
            assert_eq!(names(path("tree")), ["file", "sub"], "{destination}");
            assert_eq!(names(path("tree/sub")), [""; 0], "{destination}");
        }
        // The other way round it can be.
        does(peer, "fs/copy", tree(path("tree/sub"), path("tree"))).await;
        assert_eq!(names(path("tree")), ["file", "sub"]);
    }

    async fn at_a_device_in_a_tree_the_copy_ends_and_does_not_hang(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("tree")).unwrap();
        fifo(path("tree/fifo"));
        fails(peer, "fs/copy", tree(path("tree"), path("copy")), NotAFile, None).await;
        assert_eq!(names(path("copy")), [""; 0]);
        let error = peer.refused("fs/copy", json!({"sourcePath": uri(path("tree"))})).await;
        assert_eq!(error.data.field.as_deref(), Some("destinationPath"));
    }
}
