//! Names that are not only letters.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use exec_protocol::ErrorKind::{InvalidPath, PathNotFound};
use exec_protocol::WirePath;
use exec_tests::{Peer, base64, on_every_wire};
use serde_json::{Value, json};

use super::{at, contents, does, fails, from_to, holding, name_of, names, place, read, uri, write};

const NAMES: [&[u8]; 16] = [
    b"with space",
    " größe ü 漢 ".as_bytes(),
    b"100%25",
    b"100%",
    b"a#b",
    b"what?",
    b"two\nlines\r\n\ttab",
    b"not \xff\xfe\x80 UTF-8",
    b"\xc3",
    b"a;b&c=d+e,f:g@h",
    b"back\\slash",
    b"\"quoted\" 'quoted' `x` $(x) {a} [b] <c> |^~",
    b".hidden",
    b"...",
    b"-rf",
    b"\x01\x7f\x1b[0m",
];

fn path_in(answer: &Value) -> WirePath {
    let text = answer["path"].as_str().expect("it has a path");
    assert!(text.starts_with("file:///") && text.is_ascii(), "{text}");
    WirePath::parse(text).expect("it is one")
}

/// The path with every byte escaped that may be.
fn escaped(path: &Path) -> String {
    let mut text = String::from("file://");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' => text.push('/'),
            byte => write!(text, "%{byte:02x}").unwrap(),
        }
    }
    text
}

on_every_wire! {
    async fn a_file_of_any_name_can_be_made_found_read_and_removed(peer: &mut Peer) {
        for name in NAMES {
            let (place, shown) = (place(), String::from_utf8_lossy(name));
            let path = place.path().join(OsStr::from_bytes(name));
            write(peer, &path, name).await;
            assert_eq!(names(place.path()), [OsStr::from_bytes(name)], "on the disk");
            assert_eq!(fs::read(&path).unwrap(), name);
            let metadata = peer.call("fs/getMetadata", at(&path)).await;
            assert_eq!((&metadata["isFile"], &metadata["size"]), (&json!(true), &json!(name.len())), "{shown}");

            let listed = peer.call("fs/readDirectory", at(place.path())).await;
            let entry = &listed["entries"][0];
            assert_eq!(entry["fileName"], *shown);
            assert_eq!(path_in(entry).as_path(), path);
            let walked = peer.call("fs/walk", at(place.path())).await;
            assert_eq!(path_in(&walked["entries"][0]).as_path(), path);
            let canonical = peer.call("fs/canonicalize", at(&path)).await;
            assert_eq!(path_in(&canonical).as_path(), path);
            for answer in [entry, &walked["entries"][0], &canonical] {
                let read = peer.call("fs/readFile", json!({"path": answer["path"]})).await;
                assert_eq!(contents(&read), name, "{shown}: a path that was told leads back");
            }

            let copy = place.path().join("copy").join(OsStr::from_bytes(name));
            does(peer, "fs/createDirectory", at(copy.parent().unwrap())).await;
            does(peer, "fs/copy", from_to(&path, &copy)).await;
            assert_eq!(fs::read(&copy).unwrap(), name);
            does(peer, "fs/remove", at(&path)).await;
            assert_eq!(names(place.path()), ["copy"], "{shown}");
        }
    }

    async fn a_directory_of_any_name_can_be_made_filled_and_removed(peer: &mut Peer) {
        let place = place();
        for name in NAMES {
            let directory = place.path().join(OsStr::from_bytes(name));
            does(peer, "fs/createDirectory", at(&directory)).await;
            assert!(directory.is_dir());
            let inner = directory.join(OsStr::from_bytes(name));
            write(peer, &inner, "in it").await;
            assert_eq!(read(peer, &inner).await, b"in it");
        }
        let mut sorted = NAMES;
        sorted.sort_unstable();
        let listed = peer.call("fs/readDirectory", at(place.path())).await;
        let listed: Vec<_> = listed["entries"].as_array().unwrap().iter().map(path_in).collect();
        let listed: Vec<_> = listed.iter().map(|path| name_of(path.as_path()).as_bytes()).collect();
        assert_eq!(listed, sorted, "by the bytes of their names");
        let walked = peer.call("fs/walk", at(place.path())).await;
        assert_eq!(walked["entries"].as_array().unwrap().len(), 2 * NAMES.len());
        for name in NAMES {
            does(peer, "fs/remove", at(place.path().join(OsStr::from_bytes(name)))).await;
        }
        assert_eq!(names(place.path()), [""; 0]);
    }

    async fn a_path_may_be_a_uri_with_needless_escapes_or_none_at_all(peer: &mut Peer) {
        let place = place();
        let path = place.path().join("a%20b c");
        fs::write(&path, "literal").unwrap();
        let plain = path.to_str().unwrap();
        let local = uri(&path).replacen("file://", "file://localhost", 1);
        for text in [plain, &escaped(&path), &escaped(&path).to_uppercase().replacen("FILE", "file", 1), &uri(&path), &local] {
            let answer = peer.call("fs/readFile", json!({"path": text})).await;
            assert_eq!(contents(&answer), b"literal", "{text}");
        }
        // A plain path is taken as it is, percent signs and all.
        let write = json!({"path": place.path().join("%00?#"), "dataBase64": base64("odd")});
        does(peer, "fs/writeFile", write).await;
        assert_eq!(names(place.path()), ["%00?#", "a%20b c"]);
    }

    async fn slashes_at_the_end_and_dots_mean_nothing(peer: &mut Peer) {
        let place = place();
        let directory = place.path().display();
        fs::create_dir(place.path().join("sub")).unwrap();
        for text in [format!("{directory}/sub//./file/"), format!("file://{directory}/./sub/file//"), format!("{directory}//sub/file/.")] {
            does(peer, "fs/writeFile", json!({"path": text, "dataBase64": base64(&text)})).await;
            assert_eq!(read(peer, place.path().join("sub/file")).await, text.as_bytes());
            let read = peer.call("fs/readFile", json!({"path": text})).await;
            assert_eq!(contents(&read), text.as_bytes(), "{text}");
        }
        let listed = peer.call("fs/readDirectory", json!({"path": format!("{directory}/sub/")})).await;
        assert_eq!(path_in(&listed["entries"][0]).as_path(), place.path().join("sub/file"));
    }

    async fn a_name_that_is_too_long_is_no_path(peer: &mut Peer) {
        let place = place();
        let longest = place.path().join("n".repeat(255));
        write(peer, &longest, "fits").await;
        assert_eq!(read(peer, &longest).await, b"fits");
        let too_long = place.path().join("n".repeat(256));
        fails(peer, "fs/getMetadata", at(&too_long), InvalidPath, None).await;
        fails(peer, "fs/writeFile", holding(&too_long, ""), InvalidPath, None).await;
        fails(peer, "fs/createDirectory", at(place.path().join("n/".repeat(3000))), InvalidPath, None).await;
        fails(peer, "fs/getMetadata", at(place.path().join("n")), PathNotFound, None).await;
        assert_eq!(names(place.path()), [longest.file_name().unwrap()]);
    }
}
