//! `fs/createDirectory` and `fs/remove`.

use std::fs;
use std::os::unix::fs::symlink;

use exec_protocol::ErrorKind::{AlreadyExists, DirectoryNotEmpty, InvalidRequest, PathNotFound};
use exec_tests::{Peer, on_every_wire};
use serde_json::json;

use super::{at, does, fails, fifo, names, place};
use crate::commands::with;

on_every_wire! {
    async fn a_directory_is_made_with_those_above_it(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        for params in [at(path("a/b/c")), with(at(path("d/e")), json!({"recursive": true})), with(at(path("f/g")), json!({"recursive": null}))] {
            // It may be there already.
            does(peer, "fs/createDirectory", params.clone()).await;
            does(peer, "fs/createDirectory", params).await;
        }
        for made in ["a/b/c", "d/e", "f/g"] {
            assert!(path(made).is_dir(), "{made}");
        }
        symlink("a", path("link")).unwrap();
        does(peer, "fs/createDirectory", at(path("link"))).await;
        does(peer, "fs/createDirectory", at(path("link/x"))).await;
        assert!(path("a/x").is_dir());
        assert!(path("link").is_symlink());
    }

    async fn one_that_is_not_recursive_makes_one_that_is_not_there(peer: &mut Peer) {
        let place = place();
        let one = |name: &str| with(at(place.path().join(name)), json!({"recursive": false}));
        does(peer, "fs/createDirectory", one("a")).await;
        fails(peer, "fs/createDirectory", one("a"), AlreadyExists, None).await;
        fails(peer, "fs/createDirectory", one("b/c"), PathNotFound, None).await;
        does(peer, "fs/createDirectory", one("a/b")).await;
        assert_eq!(names(place.path()), ["a"]);
    }

    async fn a_directory_is_not_made_where_something_else_is(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "x").unwrap();
        symlink("none", path("dangling")).unwrap();
        symlink("file", path("link")).unwrap();
        fifo(path("fifo"));
        for name in ["file", "dangling", "link", "fifo"] {
            for recursive in [true, false] {
                let params = with(at(path(name)), json!({"recursive": recursive}));
                fails(peer, "fs/createDirectory", params, AlreadyExists, None).await;
            }
        }
        fails(peer, "fs/createDirectory", at(path("file/x/y")), PathNotFound, None).await;
        assert_eq!(names(place.path()), ["dangling", "fifo", "file", "link"]);
        assert_eq!(fs::read(path("file")).unwrap(), b"x");
    }

    async fn anything_can_be_removed(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "x").unwrap();
        fifo(path("fifo"));
        symlink("none", path("dangling")).unwrap();
        symlink("file", path("link")).unwrap();
        fs::create_dir_all(path("tree/a/b/c")).unwrap();
        fs::write(path("tree/a/b/file"), "x").unwrap();
        for name in ["link", "dangling", "fifo", "tree"] {
            does(peer, "fs/remove", at(path(name))).await;
        }
        assert_eq!(names(place.path()), ["file"]);
        does(peer, "fs/remove", with(at(path("file")), json!({"recursive": false, "force": false}))).await;
        assert_eq!(names(place.path()), [""; 0]);
    }

    async fn what_is_not_there_need_not_be_unless_it_is_said_so(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "x").unwrap();
        for name in ["none", "none/x", "file/x"] {
            for more in [json!({}), json!({"force": null, "recursive": null}), json!({"force": true, "recursive": false})] {
                does(peer, "fs/remove", with(at(path(name)), more)).await;
            }
            let strict = with(at(path(name)), json!({"force": false}));
            fails(peer, "fs/remove", strict, PathNotFound, None).await;
        }
        assert_eq!(names(place.path()), ["file"]);
    }

    async fn a_full_directory_is_only_removed_with_all_that_is_in_it(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("full/empty")).unwrap();
        fs::write(path("full/file"), "x").unwrap();
        let alone = |name: &str| with(at(path(name)), json!({"recursive": false}));
        let error = peer.refused("fs/remove", alone("full")).await;
        assert_eq!((error.code, error.kind()), (-32600, Some(DirectoryNotEmpty)), "{error:?}");
        assert_eq!(names(path("full")), ["empty", "file"]);
        does(peer, "fs/remove", alone("full/empty")).await;
        assert_eq!(names(path("full")), ["file"]);
        does(peer, "fs/remove", with(at(path("full")), json!({"recursive": null}))).await;
        assert_eq!(names(place.path()), [""; 0]);
    }

    async fn of_a_link_to_a_directory_the_link_goes(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("directory/inner")).unwrap();
        for name in ["link", "link/", "link/."] {
            for recursive in [true, false] {
                symlink("directory", path("link")).unwrap();
                does(peer, "fs/remove", with(at(path(name)), json!({"recursive": recursive}))).await;
                assert_eq!(names(place.path()), ["directory"], "{name}");
                assert_eq!(names(path("directory")), ["inner"], "{name}");
            }
        }
        // Nor is one followed on the way through a tree that goes.
        fs::create_dir(path("tree")).unwrap();
        symlink("../directory", path("tree/link")).unwrap();
        does(peer, "fs/remove", at(path("tree"))).await;
        assert_eq!(names(path("directory")), ["inner"]);
    }

    async fn what_has_no_name_of_its_own_is_not_removed(peer: &mut Peer) {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("directory/inner")).unwrap();
        fs::write(path("directory/file"), "x").unwrap();
        symlink("directory/inner", path("link")).unwrap();
        for name in ["directory/inner/..", "directory/inner/../", "link/..", "directory/.."] {
            fails(peer, "fs/remove", at(path(name)), InvalidRequest, None).await;
            assert_eq!(names(place.path()), ["directory", "link"], "{name}");
            assert_eq!(names(path("directory")), ["file", "inner"], "{name}");
        }
        // Were it not refused, it would still fail.
        let root = json!({"path": "/", "recursive": false});
        fails(peer, "fs/remove", root, InvalidRequest, None).await;
    }
}
