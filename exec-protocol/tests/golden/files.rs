//! What is said of files.

use exec_protocol::fs::{
    Canonicalize, CanonicalizeParams, CanonicalizeResult, Close, CloseParams, Copy, CopyParams,
    CreateDirectory, CreateDirectoryParams, DirectoryEntry, GetMetadata, GetMetadataParams, Metadata, Open,
    OpenMode, OpenParams, OpenResult, ReadBlock, ReadBlockParams, ReadBlockResult, ReadDirectory,
    ReadDirectoryParams, ReadDirectoryResult, ReadFile, ReadFileParams, ReadFileResult, Remove, RemoveParams,
    Walk, WalkEntry, WalkError, WalkKind, WalkOptions, WalkParams, WalkResult, WriteBlock, WriteBlockParams,
    WriteFile, WriteFileParams,
};
use exec_protocol::{Blob, Empty, HandleId, WirePath};
use serde_json::json;

use crate::file::method;
use crate::path;

fn this() -> WirePath {
    path("/w/a b")
}

/// Paths that are not UTF-8 are read and written too.
fn strange() -> WirePath {
    WirePath::parse("file:///w/%FF").unwrap()
}

fn handle() -> HandleId {
    HandleId::new("h").unwrap()
}

fn bytes() -> Blob {
    Blob::from(b"hi\n".as_slice())
}

pub(crate) fn get_metadata() -> &'static str {
    let params = |follow_symlinks, sandbox| GetMetadataParams {
        path: this(),
        follow_symlinks,
        sandbox,
    };
    let result = Metadata {
        is_directory: false,
        is_file: true,
        is_symlink: true,
        size: 9,
        created_at_ms: 0,
        modified_at_ms: 1_795_210_424_515,
    };
    let sandbox = Some(json!({"permissions": {}}));
    method::<GetMetadata>(&[params(true, None), params(false, sandbox)], &[result])
}

pub(crate) fn read_file() -> &'static str {
    let params = |follow_symlinks, sandbox| ReadFileParams {
        path: this(),
        follow_symlinks,
        sandbox,
    };
    let results = [bytes(), Blob::default()].map(|data| ReadFileResult { data });
    method::<ReadFile>(&[params(true, None), params(false, Some(json!(1)))], &results)
}

pub(crate) fn write_file() -> &'static str {
    let params = |data, follow_symlinks, sandbox| WriteFileParams {
        path: this(),
        data,
        follow_symlinks,
        sandbox,
    };
    let params = [
        params(bytes(), true, None),
        params(Blob::default(), false, Some(json!([]))),
    ];
    method::<WriteFile>(&params, &[Empty {}])
}

pub(crate) fn create_directory() -> &'static str {
    let params = |recursive, follow_symlinks, sandbox| CreateDirectoryParams {
        path: this(),
        recursive,
        follow_symlinks,
        sandbox,
    };
    let params = [params(true, true, None), params(false, false, Some(json!("")))];
    method::<CreateDirectory>(&params, &[Empty {}])
}

pub(crate) fn remove() -> &'static str {
    let params = |yes, sandbox| RemoveParams {
        path: this(),
        recursive: yes,
        force: yes,
        follow_symlinks: yes,
        sandbox,
    };
    method::<Remove>(&[params(true, None), params(false, Some(json!({})))], &[Empty {}])
}

pub(crate) fn copy() -> &'static str {
    let params = |recursive, sandbox| CopyParams {
        source_path: path("/a"),
        destination_path: path("/b"),
        recursive,
        sandbox,
    };
    method::<Copy>(&[params(false, None), params(true, Some(json!({})))], &[Empty {}])
}

pub(crate) fn read_directory() -> &'static str {
    let params = |sandbox| ReadDirectoryParams {
        path: this(),
        sandbox,
    };
    let entries = vec![
        DirectoryEntry {
            file_name: "\u{fffd}".into(),
            is_directory: false,
            is_file: true,
            path: Some(strange()),
        },
        DirectoryEntry {
            file_name: "sub".into(),
            is_directory: true,
            is_file: false,
            path: None,
        },
    ];
    let results = [entries, Vec::new()].map(|entries| ReadDirectoryResult { entries });
    method::<ReadDirectory>(&[params(None), params(Some(json!({})))], &results)
}

pub(crate) fn canonicalize() -> &'static str {
    let params = |sandbox| CanonicalizeParams {
        path: this(),
        sandbox,
    };
    let result = CanonicalizeResult { path: strange() };
    method::<Canonicalize>(&[params(None), params(Some(json!({})))], &[result])
}

pub(crate) fn walk() -> &'static str {
    let params = |options, sandbox| WalkParams {
        path: this(),
        options,
        sandbox,
    };
    let options = WalkOptions {
        max_depth: Some(1),
        max_directories: Some(2),
        max_entries: Some(3),
        follow_directory_symlinks: true,
        prune_hidden_directories: true,
    };
    let entry = |at, kind| WalkEntry { path: path(at), kind };
    let found = WalkResult {
        entries: vec![entry("/w/d", WalkKind::Directory), entry("/w/f", WalkKind::File)],
        errors: vec![WalkError {
            path: path("/w/x"),
            message: "why".into(),
        }],
        truncated: true,
    };
    let nothing = WalkResult {
        entries: Vec::new(),
        errors: Vec::new(),
        truncated: false,
    };
    let params = [
        params(WalkOptions::default(), None),
        params(options, Some(json!({}))),
    ];
    method::<Walk>(&params, &[found, nothing])
}

pub(crate) fn open() -> &'static str {
    let params = [
        OpenParams {
            handle_id: handle(),
            path: this(),
            mode: OpenMode::Read,
            sandbox: None,
        },
        OpenParams {
            handle_id: HandleId::new("").unwrap(),
            path: this(),
            mode: OpenMode::Replace,
            sandbox: Some(json!({})),
        },
    ];
    method::<Open>(&params, &[OpenResult { handle_id: handle() }])
}

pub(crate) fn read_block() -> &'static str {
    let params = ReadBlockParams {
        handle_id: handle(),
        offset: u64::MAX,
        len: 1,
    };
    let results = [(bytes(), false), (Blob::default(), true)];
    let results = results.map(|(chunk, eof)| ReadBlockResult { chunk, eof });
    method::<ReadBlock>(&[params], &results)
}

pub(crate) fn write_block() -> &'static str {
    let params = WriteBlockParams {
        handle_id: handle(),
        offset: 7,
        chunk: bytes(),
    };
    method::<WriteBlock>(&[params], &[Empty {}])
}

pub(crate) fn close() -> &'static str {
    method::<Close>(&[CloseParams { handle_id: handle() }], &[Empty {}])
}
