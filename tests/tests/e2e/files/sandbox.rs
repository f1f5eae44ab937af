//! Limits that cannot be kept to are refused, and never ignored.

use std::fs;
use std::path::Path;

use exec_protocol::ErrorKind::{InvalidParams, SandboxUnsupported};
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{at, fails, from_to, handle, holding, names, place};
use crate::commands::with;

/// Methods that know `followSymlinks`.
const FOLLOWING: [&str; 5] = [
    "fs/getMetadata",
    "fs/readFile",
    "fs/writeFile",
    "fs/createDirectory",
    "fs/remove",
];

/// Each method that takes a path, with params that are fine in this directory.
fn requests(place: &Path) -> Vec<(&'static str, Value)> {
    let path = |name: &str| place.join(name);
    vec![
        ("fs/getMetadata", at(path("file"))),
        ("fs/readFile", at(path("file"))),
        ("fs/writeFile", holding(path("file"), "new")),
        ("fs/writeFile", holding(path("other"), "new")),
        ("fs/createDirectory", at(path("made"))),
        ("fs/copy", from_to(path("file"), path("copy"))),
        ("fs/readDirectory", at(place)),
        ("fs/canonicalize", at(path("file"))),
        ("fs/walk", at(place)),
        ("fs/open", handle("r", path("file"), "read")),
        ("fs/open", handle("w", path("file"), "replace")),
        ("fs/remove", at(path("directory"))),
    ]
}

fn filled() -> TempDir {
    let place = place();
    fs::write(place.path().join("file"), "old").unwrap();
    fs::create_dir_all(place.path().join("directory/inner")).unwrap();
    place
}

fn is_untouched(place: &TempDir) {
    assert_eq!(names(place.path()), ["directory", "file"]);
    assert_eq!(names(place.path().join("directory")), ["inner"]);
    assert_eq!(fs::read(place.path().join("file")).unwrap(), b"old");
}

on_every_wire! {
    async fn a_sandbox_is_refused_before_anything_is_done(peer: &mut Peer) {
        let place = filled();
        let sandboxes = [
            json!({}), json!({"type": "workspaceWrite", "writableRoots": [place.path()]}), json!(false), json!(true), json!("none"),
            json!(""), json!([]), json!(0),
        ];
        for sandbox in sandboxes {
            for (method, params) in requests(place.path()) {
                let params = with(params, json!({"sandbox": sandbox}));
                fails(peer, method, params, SandboxUnsupported, Some("sandbox")).await;
                // Not even whether there is something can be found out.
                let params = with(json!({"handleId": "h", "dataBase64": "", "sandbox": sandbox}), from_to("/none/x", "/none/y"));
                fails(peer, method, with(params, json!({"path": "/none/x"})), SandboxUnsupported, Some("sandbox")).await;
            }
        }
        is_untouched(&place);
    }

    async fn symlinks_are_followed_or_the_request_is_refused(peer: &mut Peer) {
        let place = filled();
        for (method, params) in requests(place.path()) {
            if FOLLOWING.contains(&method) {
                let params = with(params, json!({"followSymlinks": false}));
                fails(peer, method, params, InvalidParams, Some("followSymlinks")).await;
            }
        }
        is_untouched(&place);
    }

    async fn null_is_no_sandbox_and_follows_symlinks(peer: &mut Peer) {
        for more in [json!({"sandbox": null, "followSymlinks": null}), json!({"followSymlinks": true}), json!({"unknown": {"a": 1}})] {
            let place = filled();
            for (method, params) in requests(place.path()) {
                peer.call(method, with(params, more.clone())).await;
            }
            for id in ["r", "w"] {
                peer.call("fs/close", json!({"handleId": id})).await;
            }
            assert_eq!(names(place.path()), ["copy", "file", "made", "other"]);
        }
    }
}
