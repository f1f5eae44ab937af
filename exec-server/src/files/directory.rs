//! Directories: made, read, removed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use exec_protocol::WirePath;
use exec_protocol::fs::DirectoryEntry;
use rustix::io::Errno;

use super::removal::remove_tree;
use super::{FileError, identity};
use crate::limits::MAX_FILE_LIST_BYTES;

/// What stands around an entry in the answer, in bytes.
const AROUND_ENTRY_BYTES: usize = 80;

/// Makes a directory; with `recursive`, those above it too, and it may be there already.
pub(crate) fn create(path: &Path, recursive: bool) -> Result<(), FileError> {
    let made = if recursive {
        fs::create_dir_all(path)
    } else {
        fs::create_dir(path)
    };
    made.map_err(|error| FileError::of_making(error, path))
}

/// All entries of a directory, in the order of the bytes of their names.
pub(crate) fn read(path: &Path) -> Result<Vec<DirectoryEntry>, FileError> {
    let mut names = Vec::new();
    let mut room = MAX_FILE_LIST_BYTES;
    for entry in list(path)? {
        let entry = entry?;
        let path = WirePath::new(entry.path()).map_err(io::Error::other)?;
        let length = path.to_string().len() + length_in_json(&entry.file_name()) + AROUND_ENTRY_BYTES;
        room = room.checked_sub(length).ok_or(FileError::TooManyEntries)?;
        names.push((entry, path));
    }
    names.sort_by_key(|(entry, _)| entry.file_name());
    Ok(names
        .into_iter()
        .map(|(entry, path)| described(&entry, path))
        .collect())
}

/// How long a name becomes as a string.
fn length_in_json(name: &OsStr) -> usize {
    let length_of = |character: char| match character {
        '"' | '\\' => 2,
        ..' ' => 6,
        _ => character.len_utf8(),
    };
    name.to_string_lossy().chars().map(length_of).sum()
}

fn described(entry: &fs::DirEntry, path: WirePath) -> DirectoryEntry {
    // Only what a symlink leads to has to be looked for.
    let file_type = entry.file_type().ok().and_then(|own| {
        if own.is_symlink() {
            Some(fs::metadata(entry.path()).ok()?.file_type())
        } else {
            Some(own)
        }
    });
    DirectoryEntry {
        file_name: entry.file_name().to_string_lossy().into_owned(),
        is_directory: file_type.is_some_and(|it| it.is_dir()),
        is_file: file_type.is_some_and(|it| it.is_file()),
        path: Some(path),
    }
}

/// The entries of a directory as they come.
pub(super) fn list(path: &Path) -> Result<fs::ReadDir, FileError> {
    fs::read_dir(path).map_err(|error| match error.kind() {
        // Is it the path itself, or something on the way to it?
        io::ErrorKind::NotADirectory if path.exists() => FileError::NotADirectory(path.to_owned()),
        _ => error.into(),
    })
}

/// Removes what is at the path; of a symlink, the link.
pub(crate) fn remove(path: &Path, recursive: bool, force: bool) -> Result<(), FileError> {
    // Of what ends in `..` the entries would be gone before it showed that it cannot go itself.
    if path.file_name().is_none() {
        return Err(FileError::NoName);
    }
    let own = match fs::symlink_metadata(path) {
        Err(error)
            if force
                && matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
        {
            return Ok(());
        }
        own => own?,
    };
    if identity(&own) == identity(&fs::metadata("/")?) {
        // By another name, such as that of a mount.
        return Err(FileError::Io(Errno::BUSY.into()));
    }
    let removed = if !own.is_dir() {
        fs::remove_file(path)
    } else if recursive {
        remove_tree(path)
    } else {
        fs::remove_dir(path)
    };
    removed.or_else(|error| match error.kind() {
        // Somebody else was quicker.
        io::ErrorKind::NotFound if force => Ok(()),
        io::ErrorKind::DirectoryNotEmpty if !recursive => Err(FileError::NotEmpty(path.to_owned())),
        _ => Err(error.into()),
    })
}

/// The path without symlinks, `.` and `..`.
pub(crate) fn canonical(path: &Path) -> Result<WirePath, FileError> {
    let path = fs::canonicalize(path)?;
    Ok(WirePath::new(path).map_err(io::Error::other)?)
}
