//! Paths that are none, and paths that lead nowhere.

use std::fs;
use std::os::unix::fs::symlink;

use exec_protocol::ErrorKind::{InvalidParams, InvalidPath, NotADirectory, NotAFile, PathNotFound};
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use super::{at, does, fails, from_to, handle, holding, names, on_path, place, read, uri, write};
use crate::commands::with;

on_every_wire! {
    async fn what_is_no_absolute_path_of_this_machine_is_refused(peer: &mut Peer) {
        let bad = [
            "", "relative", "./here", "../up", "~/home", "file://host/path", "file://", "file:relative", "http://localhost/path",
            "FTP:///path", "file:///path?query", "file:///path#fragment", "file:///nul%00byte", "/nul\0byte", "file:///half%2",
            "file:///no%zzhex",
        ];
        for path in bad {
            for (method, params, field) in on_path(&json!(path)) {
                fails(peer, method, params, InvalidPath, Some(field)).await;
            }
        }
    }

    async fn what_is_no_text_is_no_path(peer: &mut Peer) {
        for path in [json!(7), json!(["/tmp"]), json!({}), json!(true), Value::Null] {
            for (method, params, field) in on_path(&path) {
                fails(peer, method, params, InvalidParams, Some(field)).await;
            }
        }
        for (method, _, _) in on_path(&Value::Null) {
            for params in [json!([]), json!(["/tmp"]), json!("/tmp"), json!(7)] {
                fails(peer, method, params, InvalidParams, None).await;
            }
        }
    }

    async fn dots_are_left_to_the_file_system(peer: &mut Peer) {
        let place = place();
        fs::create_dir_all(place.path().join("real/inner")).unwrap();
        symlink("real/inner", place.path().join("link")).unwrap();
        let up = place.path().join("link/../file");
        write(peer, &up, "behind the link").await;
        assert_eq!(names(place.path()), ["link", "real"]);
        assert_eq!(fs::read(place.path().join("real/file")).unwrap(), b"behind the link");
        assert_eq!(read(peer, &up).await, b"behind the link");
        let canonical = peer.call("fs/canonicalize", at(&up)).await;
        assert_eq!(canonical, at(place.path().join("real/file")));
        let listed = peer.call("fs/readDirectory", at(place.path().join("link/.."))).await;
        let listed: Vec<_> = listed["entries"].as_array().unwrap().iter().map(|entry| &entry["fileName"]).collect();
        assert_eq!(listed, ["file", "inner"]);
        does(peer, "fs/copy", from_to(&up, place.path().join("link/../copy"))).await;
        does(peer, "fs/createDirectory", at(place.path().join("link/../made"))).await;
        assert_eq!(names(place.path().join("real")), ["copy", "file", "inner", "made"]);
        does(peer, "fs/remove", at(&up)).await;
        assert_eq!(names(place.path().join("real")), ["copy", "inner", "made"]);
        // Behind a directory that is not there is nothing, although by the text of it there would be.
        fails(peer, "fs/getMetadata", at(place.path().join("none/../real")), PathNotFound, None).await;
    }

    async fn a_path_that_is_not_there_is_told_so_by_every_method(peer: &mut Peer) {
        let place = place();
        let file = place.path().join("file");
        fs::write(&file, "a file").unwrap();
        let (under_nothing, under_file) = (place.path().join("none/x"), file.join("x"));
        for (path, errno) in [(&under_nothing, 2), (&under_file, 20)] {
            for (method, params, _) in on_path(&json!(uri(path))) {
                // What would be fine with a path that is not there.
                let params = match method {
                    "fs/createDirectory" => with(params, json!({"recursive": false})),
                    "fs/remove" => with(params, json!({"force": false})),
                    _ => params,
                };
                let error = peer.refused(method, params).await;
                assert_eq!((error.code, &error.data.kind[..]), (-32004, "pathNotFound"), "{method}: {error:?}");
                assert_eq!(error.data.errno, Some(errno), "{method}: {error:?}");
            }
            does(peer, "fs/remove", at(path)).await;
            does(peer, "fs/remove", with(at(path), json!({"recursive": false}))).await;
        }
        for params in [at(&under_file), at(under_file.join("y/z"))] {
            fails(peer, "fs/createDirectory", params, PathNotFound, None).await;
        }
        assert_eq!(names(place.path()), ["file"], "nothing was made");
        assert_eq!(fs::read(&file).unwrap(), b"a file");
    }

    async fn a_link_that_leads_nowhere_or_in_a_circle_is_no_way(peer: &mut Peer) {
        let place = place();
        let (dangling, circle) = (place.path().join("dangling"), place.path().join("circle"));
        symlink("none", &dangling).unwrap();
        symlink("circle", &circle).unwrap();
        for method in ["fs/getMetadata", "fs/readFile", "fs/readDirectory", "fs/canonicalize", "fs/walk"] {
            fails(peer, method, at(&dangling), PathNotFound, None).await;
            fails(peer, method, at(&circle), InvalidPath, None).await;
        }
        fails(peer, "fs/writeFile", holding(&circle, ""), InvalidPath, None).await;
        fails(peer, "fs/open", handle("h", &circle, "read"), InvalidPath, None).await;
        fails(peer, "fs/open", handle("h", &circle, "replace"), InvalidPath, None).await;
        does(peer, "fs/remove", at(&circle)).await;
        does(peer, "fs/remove", at(&dangling)).await;
        assert_eq!(names(place.path()), [""; 0]);
    }

    async fn a_directory_is_no_file_and_a_file_no_directory(peer: &mut Peer) {
        let place = place();
        let file = place.path().join("file");
        fs::write(&file, "a file").unwrap();
        for params in [at(place.path()), json!({"path": "/"})] {
            let error = peer.refused("fs/readFile", params).await;
            assert_eq!((error.code, error.kind()), (-32600, Some(NotAFile)), "{error:?}");
        }
        fails(peer, "fs/writeFile", holding(place.path(), "x"), NotAFile, None).await;
        for mode in ["read", "replace"] {
            fails(peer, "fs/open", handle("h", place.path(), mode), NotAFile, None).await;
        }
        fails(peer, "fs/readDirectory", at(&file), NotADirectory, None).await;
        assert_eq!(names(place.path()), ["file"]);
    }
}
