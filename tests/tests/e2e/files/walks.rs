//! `fs/walk`

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use exec_protocol::ErrorKind::{InvalidParams, PathNotFound};
use exec_protocol::WirePath;
use exec_tests::{Peer, TestServer, on_every_wire};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{at, fails, fifo, names, place, uri};
use crate::commands::with;

fn options(top: &Path, options: Value) -> Value {
    let mut params = at(top);
    params["options"] = options;
    params
}

/// What is found, as paths below the top with a slash behind those of directories, and whether there is more.
async fn walk(peer: &mut Peer, top: &Path, how: Value) -> (Vec<String>, bool) {
    let answer = peer.call("fs/walk", options(top, how)).await;
    assert_eq!(answer["errors"], json!([]));
    let name = |entry: &Value| {
        let path = WirePath::parse(entry["path"].as_str().unwrap()).unwrap();
        let below = path
            .as_path()
            .strip_prefix(top)
            .expect("it is below the top")
            .display();
        match entry["kind"].as_str() {
            Some("directory") => format!("{below}/"),
            Some("file") => below.to_string(),
            _ => panic!("{entry}"),
        }
    };
    let entries = answer["entries"].as_array().unwrap().iter().map(name).collect();
    (entries, answer["truncated"].as_bool().unwrap())
}

/// Some of everything.
fn filled() -> TempDir {
    let place = place();
    let path = |name: &str| place.path().join(name);
    for name in ["a/deep/er", ".hidden/in", "c", "z"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    for name in [
        "b",
        ".dot",
        "a/file",
        "a/deep/x",
        "a/deep/er/y",
        ".hidden/h",
        ".hidden/in/i",
        "c/file",
        "B",
    ] {
        fs::write(path(name), "x").unwrap();
    }
    fifo(path("fifo"));
    symlink("b", path("link-to-b")).unwrap();
    symlink("none", path("dangling")).unwrap();
    symlink("..", path("c/up")).unwrap();
    symlink("../a/deep", path("c/across")).unwrap();
    place
}

const TOP: [&str; 7] = [".dot", ".hidden/", "B", "a/", "b", "c/", "z/"];
const SECOND: [&str; 5] = [".hidden/h", ".hidden/in/", "a/deep/", "a/file", "c/file"];
const THIRD: [&str; 3] = [".hidden/in/i", "a/deep/er/", "a/deep/x"];
const FOURTH: [&str; 1] = ["a/deep/er/y"];

fn levels(levels: &[&[&str]]) -> Vec<String> {
    levels.concat().into_iter().map(str::to_owned).collect()
}

on_every_wire! {
    async fn entries_come_level_by_level_and_by_name(peer: &mut Peer) {
        let place = filled();
        let all = levels(&[&TOP, &SECOND, &THIRD, &FOURTH]);
        for how in [json!({}), Value::Null, json!({"maxDepth": null, "followDirectorySymlinks": null, "pruneHiddenDirectories": false})] {
            assert_eq!(walk(peer, place.path(), how).await, (all.clone(), false));
        }
        let answer = peer.call("fs/walk", at(place.path())).await;
        assert_eq!(answer["entries"].as_array().map(Vec::len), Some(all.len()), "options may be left out");
        assert_eq!(answer["entries"][0], json!({"path": uri(place.path().join(".dot")), "kind": "file"}));
    }

    async fn a_walk_goes_as_deep_as_it_is_told(peer: &mut Peer) {
        let place = filled();
        let all: [&[&str]; 4] = [&TOP, &SECOND, &THIRD, &FOURTH];
        for depth in [0, 1, 2, 3, 4, 1_000_000] {
            let seen = levels(&all[..all.len().min(depth + 1)]);
            assert_eq!(walk(peer, place.path(), json!({"maxDepth": depth})).await, (seen, false), "{depth}");
        }
    }

    async fn what_is_beyond_a_limit_is_told_to_be_there(peer: &mut Peer) {
        let place = filled();
        let all = levels(&[&TOP, &SECOND, &THIRD, &FOURTH]);
        for most in 1..all.len() + 2 {
            let expected = (all[..most.min(all.len())].to_vec(), most < all.len());
            assert_eq!(walk(peer, place.path(), json!({"maxEntries": most})).await, expected, "{most}");
        }
        // In the order in which they are looked into, which is that of the entries.
        let looked_into: [&[&str]; 8] = [
            &TOP, &SECOND[..2], &SECOND[2..4], &SECOND[4..], &[], &THIRD[..1], &THIRD[1..], &FOURTH,
        ];
        for most in 1..=looked_into.len() + 1 {
            let seen = levels(&looked_into[..most.min(looked_into.len())]);
            let has_more = most < looked_into.len();
            assert_eq!(walk(peer, place.path(), json!({"maxDirectories": most})).await, (seen, has_more), "{most}");
        }
    }

    async fn a_limit_that_is_too_large_is_shortened_and_none_is_zero(server: &TestServer) {
        let mut peer = server.connect().await;
        let limits = peer.handshake().await.limits.expect("they are told");
        assert!(limits.walk_depth > 0 && limits.walk_directories > 0 && limits.walk_entries > 0);
        let place = filled();
        let huge = json!({"maxEntries": u64::MAX, "maxDirectories": u64::MAX, "maxDepth": u64::MAX});
        let (found, has_more) = walk(&mut peer, place.path(), huge).await;
        assert_eq!((found.len(), has_more), (16, false));
        for (name, values) in [("maxEntries", vec![json!(0), json!(-1), json!("1")]), ("maxDirectories", vec![json!(0), json!(1.5)]),
            ("maxDepth", vec![json!(-1), json!([])]), ("followDirectorySymlinks", vec![json!(1)]), ("pruneHiddenDirectories", vec![json!("no")])]
        {
            for value in values {
                let params = options(place.path(), json!({name: value}));
                fails(&mut peer, "fs/walk", params, InvalidParams, Some(&format!("options.{name}"))).await;
            }
        }
        fails(&mut peer, "fs/walk", options(place.path(), json!(7)), InvalidParams, Some("options")).await;
        peer.finish().await;
    }

    async fn a_tree_deeper_than_the_limit_is_walked_down_to_it(server: &TestServer) {
        let mut peer = server.connect().await;
        let depth = usize::try_from(peer.handshake().await.limits.expect("they are told").walk_depth).unwrap();
        let place = place();
        fs::create_dir_all(place.path().join("d/".repeat(depth + 10))).unwrap();
        for (wish, is_truncated) in [(json!(depth + 5), true), (Value::Null, true), (json!(depth), false)] {
            let (found, truncated) = walk(&mut peer, place.path(), json!({"maxDepth": wish})).await;
            assert_eq!(found.len(), depth + 1, "the top, and so many levels below it, were looked into");
            assert_eq!(truncated, is_truncated, "{wish}");
        }
        peer.finish().await;
    }

    async fn links_to_directories_are_followed_if_that_is_asked_for(peer: &mut Peer) {
        let place = filled();
        let follow = json!({"followDirectorySymlinks": true});
        // The loop is seen and not gone; what `across` leads to is looked into once, by the way that is shorter or comes first.
        let second = [".hidden/h", ".hidden/in/", "a/deep/", "a/file", "c/across/", "c/file", "c/up/"];
        let all = levels(&[&TOP, &second, &THIRD, &FOURTH]);
        assert_eq!(walk(peer, place.path(), follow.clone()).await, (all, false));
        // It is looked into by the way of the link where there is no other.
        let expected = levels(&[&["across/", "file", "up/"], &["across/er/", "across/x", "up/.dot", "up/.hidden/", "up/B", "up/a/", "up/b", "up/c/", "up/z/"]]);
        let from_c = with(follow.clone(), json!({"maxDepth": 1}));
        assert_eq!(walk(peer, &place.path().join("c"), from_c).await, (expected, false));
        // A walk that begins at a link.
        symlink("a", place.path().join("to-a")).unwrap();
        let top = place.path().join("to-a");
        assert_eq!(walk(peer, &top, json!({})).await, (Vec::new(), false));
        assert_eq!(walk(peer, &top, follow).await, (levels(&[&["deep/", "file", "deep/er/", "deep/x", "deep/er/y"]]), false));
    }

    async fn hidden_directories_are_told_and_not_looked_into_if_that_is_asked_for(peer: &mut Peer) {
        let place = filled();
        let prune = json!({"pruneHiddenDirectories": true});
        let expected = levels(&[&TOP, &SECOND[2..], &THIRD[1..], &FOURTH]);
        assert_eq!(walk(peer, place.path(), prune.clone()).await, (expected, false));
        // The top is what was asked for.
        let inside = place.path().join(".hidden");
        assert_eq!(walk(peer, &inside, prune).await, (levels(&[&["h", "in/", "in/i"]]), false));
    }

    async fn what_is_no_directory_has_no_entries(peer: &mut Peer) {
        let place = filled();
        for name in ["b", "fifo", "link-to-b"] {
            for follow in [true, false] {
                let how = json!({"followDirectorySymlinks": follow});
                assert_eq!(walk(peer, &place.path().join(name), how).await, (Vec::new(), false), "{name}");
            }
        }
        assert_eq!(walk(peer, &place.path().join("z"), json!({})).await, (Vec::new(), false));
        for name in ["none", "dangling"] {
            fails(peer, "fs/walk", at(place.path().join(name)), PathNotFound, None).await;
        }
    }

    async fn what_cannot_be_looked_at_is_an_error_and_the_walk_goes_on(peer: &mut Peer) {
        let place = place();
        // Nobody, not even root, can name a path that is so long.
        let name = "n".repeat(250);
        let mut directory = openat(CWD, place.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..20 {
            mkdirat(&directory, &*name, Mode::RWXU).unwrap();
            directory = openat(&directory, &*name, OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        fs::create_dir(place.path().join("other")).unwrap();
        fs::write(place.path().join("other/file"), "x").unwrap();
        let answer = peer.call("fs/walk", at(place.path())).await;
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &answer["truncated"]), (1, &json!(false)), "{errors:?}");
        assert!(errors[0]["path"].as_str().unwrap().ends_with(&name));
        assert!(!errors[0]["message"].as_str().unwrap().is_empty());
        let entries = answer["entries"].as_array().unwrap();
        assert_eq!(entries.last().unwrap()["path"], errors[0]["path"]);
        let beside = json!({"path": uri(place.path().join("other/file")), "kind": "file"});
        assert!(entries.contains(&beside));
        assert!(entries.len() > 15, "{}", entries.len());
        // It can be removed all the same.
        peer.call("fs/remove", at(place.path().join(&name))).await;
        assert_eq!(names(place.path()), ["other"]);
    }
}
