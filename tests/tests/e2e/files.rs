//! `fs/*`: files of the machine that commands run on, as a client sees them and as they are on the disk.

mod atomic;
mod copies;
mod directories;
mod handles;
mod hostile;
mod limits;
mod lists;
mod long_walks;
mod metadata;
mod names;
mod paths;
mod pipelines;
mod rights;
mod round_trips;
mod sandbox;
mod sessions;
mod special;
mod walks;

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use exec_protocol::{Blob, ErrorKind, WirePath};
use exec_tests::{Peer, base64};
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::with;

/// How the name of a file begins that is not in place yet.
const STAGED: &[u8] = b".exec-server-";

/// A directory of a test's own, by a path without symlinks.
fn place() -> TempDir {
    let above = fs::canonicalize(std::env::temp_dir()).unwrap();
    tempfile::tempdir_in(above).unwrap()
}

fn uri(path: impl AsRef<Path>) -> String {
    WirePath::new(path.as_ref().to_owned()).unwrap().to_string()
}

/// Params with this path.
fn at(path: impl AsRef<Path>) -> Value {
    json!({"path": uri(path)})
}

/// Params of a write.
fn holding(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Value {
    with(at(path), json!({"dataBase64": base64(contents)}))
}

/// Params of a copy.
fn from_to(source: impl AsRef<Path>, destination: impl AsRef<Path>) -> Value {
    json!({"sourcePath": uri(source), "destinationPath": uri(destination)})
}

/// Params of an open.
fn handle(id: &str, path: impl AsRef<Path>, mode: &str) -> Value {
    with(at(path), json!({"handleId": id, "mode": mode}))
}

/// Params of a block that is written.
fn block(id: &str, offset: u64, bytes: impl AsRef<[u8]>) -> Value {
    json!({"handleId": id, "offset": offset, "chunk": base64(bytes)})
}

/// Params of a block that is read.
fn part(id: &str, offset: u64, length: u64) -> Value {
    json!({"handleId": id, "offset": offset, "len": length})
}

/// Calls a method whose result says nothing.
async fn does(peer: &mut Peer, method: &str, params: Value) {
    assert_eq!(peer.call(method, params).await, json!({}), "{method}");
}

async fn write(peer: &mut Peer, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
    does(peer, "fs/writeFile", holding(path, contents)).await;
}

async fn read(peer: &mut Peer, path: impl AsRef<Path>) -> Vec<u8> {
    contents(&peer.call("fs/readFile", at(path)).await)
}

/// What is in the answer to a read.
fn contents(answer: &Value) -> Vec<u8> {
    decoded(&answer["dataBase64"])
}

fn decoded(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("it is text");
    Blob::from_base64(text).expect("it is base64").0.into()
}

/// Expects a refusal of this kind.
async fn fails(peer: &mut Peer, method: &str, params: Value, kind: ErrorKind, field: Option<&str>) {
    let shown: String = params.to_string().chars().take(300).collect();
    let error = peer.refused(method, params).await;
    assert_eq!(error.kind(), Some(kind), "{method} {shown}: {error:?}");
    assert_eq!(error.data.field.as_deref(), field, "{method} {shown}: {error:?}");
}

/// The names in a directory, as they are on the disk, by their bytes.
fn names(directory: impl AsRef<Path>) -> Vec<OsString> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// How many files in a directory wait to be put in place.
fn staged(directory: impl AsRef<Path>) -> usize {
    let names = names(directory);
    names
        .iter()
        .filter(|name| name.as_bytes().starts_with(STAGED))
        .count()
}

/// Contents in which a byte that is out of place shows.
fn bytes(length: usize) -> Vec<u8> {
    let letters: Vec<u8> = (0..=250).collect();
    let mut contents = letters.repeat(length / letters.len() + 1);
    contents.truncate(length);
    contents
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn fifo(path: impl AsRef<Path>) {
    mkfifoat(CWD, path.as_ref(), Mode::from_raw_mode(0o600)).unwrap();
}

/// Each method that takes a path that is to be there, with params for this one, and what the path is called in them.
fn on_path(path: &Value) -> Vec<(&'static str, Value, &'static str)> {
    let mut all = vec![
        ("fs/writeFile", json!({"path": path, "dataBase64": ""}), "path"),
        ("fs/open", json!({"handleId": "h", "path": path}), "path"),
        (
            "fs/open",
            json!({"handleId": "h", "path": path, "mode": "replace"}),
            "path",
        ),
        (
            "fs/copy",
            json!({"sourcePath": path, "destinationPath": "/tmp"}),
            "sourcePath",
        ),
        (
            "fs/copy",
            json!({"sourcePath": "/etc/passwd", "destinationPath": path}),
            "destinationPath",
        ),
    ];
    let others = [
        "fs/getMetadata",
        "fs/readFile",
        "fs/createDirectory",
        "fs/remove",
        "fs/readDirectory",
        "fs/canonicalize",
        "fs/walk",
    ];
    all.extend(others.map(|method| (method, json!({"path": path}), "path")));
    all
}

fn name_of(path: &Path) -> &OsStr {
    path.file_name().expect("it has a name")
}
