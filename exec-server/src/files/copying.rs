//! Copies of files and trees.

use std::fs::{self, DirBuilder, FileType, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::replacement::Replacement;
use super::{FileError, contents, directory, identity, if_there};

/// What of a mode is copied.
const MODE: u32 = 0o777;

/// What the owner needs of a directory to fill it.
const OWNER: u32 = 0o700;

/// Copies a regular file, a symlink as a symlink, or, with `recursive`, a directory with all that is in it.
///
/// A file that is at the destination gets the contents and the mode, a directory that is there the entries beside its
/// own. What fails in the middle leaves what was copied up to there.
pub(crate) fn copy(source: &Path, destination: &Path, recursive: bool) -> Result<(), FileError> {
    let metadata = fs::symlink_metadata(source)?;
    if !metadata.is_dir() {
        return copy_one(source, metadata.file_type(), destination);
    }
    if !recursive {
        return Err(FileError::IsADirectory(source.to_owned()));
    }
    if existing(destination)?.starts_with(fs::canonicalize(source)?) {
        return Err(FileError::IntoItself);
    }
    if let Some(parent) = destination.parent() {
        directory::create(parent, true)?;
    }
    copy_tree(source, &metadata, destination)
}

/// Where the destination is or would be, without symlinks.
fn existing(destination: &Path) -> Result<PathBuf, FileError> {
    for path in destination.ancestors() {
        if let Some(found) = if_there(fs::canonicalize(path))? {
            let rest = destination.strip_prefix(path).unwrap_or(Path::new(""));
            return Ok(found.join(rest));
        }
    }
    Ok(destination.to_owned())
}

/// A step on the way through a tree.
enum Step {
    /// Copies a directory's entries.
    Fill(PathBuf, PathBuf),
    /// Gives a directory its own mode, once it is full.
    Close(PathBuf, Permissions),
}

fn copy_tree(source: &Path, metadata: &Metadata, destination: &Path) -> Result<(), FileError> {
    let mut steps = Vec::new();
    if !is_directory(fs::metadata(destination))? {
        make(metadata, destination, &mut steps)?;
    }
    // It may be met on the way down although it does not lie below the source by its name: a mount leads anywhere.
    let copied = identity(&fs::metadata(destination)?);
    steps.push(Step::Fill(source.to_owned(), destination.to_owned()));
    while let Some(step) = steps.pop() {
        match step {
            Step::Fill(source, destination) => {
                for entry in directory::list(&source)? {
                    let entry = entry?;
                    let (source, destination) = (entry.path(), destination.join(entry.file_name()));
                    let file_type = entry.file_type()?;
                    if file_type.is_dir() {
                        let metadata = entry.metadata()?;
                        if identity(&metadata) == copied {
                            return Err(FileError::IntoItself);
                        }
                        // A symlink that somebody has put there is not the place that was asked for.
                        if !is_directory(fs::symlink_metadata(&destination))? {
                            make(&metadata, &destination, &mut steps)?;
                        }
                        steps.push(Step::Fill(source, destination));
                    } else if fs::symlink_metadata(&destination).is_ok_and(|there| there.is_symlink()) {
                        return Err(FileError::Exists(destination));
                    } else {
                        copy_one(&source, file_type, &destination)?;
                    }
                }
            }
            Step::Close(directory, permissions) => fs::set_permissions(directory, permissions)?,
        }
    }
    Ok(())
}

/// Whether there is one. False if there is nothing; anything else will be in the way.
fn is_directory(found: io::Result<Metadata>) -> io::Result<bool> {
    Ok(if_there(found)?.is_some_and(|there| there.is_dir()))
}

/// Makes a directory, and plans what it takes to finish it.
fn make(metadata: &Metadata, destination: &Path, steps: &mut Vec<Step>) -> Result<(), FileError> {
    let mode = metadata.mode() & MODE;
    let created = DirBuilder::new().mode(mode | OWNER).create(destination);
    created.map_err(|error| FileError::of_making(error, destination))?;
    // Only one that keeps its owner out cannot be as it should be from the beginning.
    if mode & OWNER != OWNER {
        let permissions = Permissions::from_mode(fs::metadata(destination)?.mode() & mode);
        steps.push(Step::Close(destination.to_owned(), permissions));
    }
    Ok(())
}

fn copy_one(source: &Path, file_type: FileType, destination: &Path) -> Result<(), FileError> {
    if file_type.is_symlink() {
        let target = fs::read_link(source)?;
        return symlink(target, destination).map_err(|error| FileError::of_making(error, destination));
    }
    let (mut file, metadata) = contents::open(source)?;
    // What runs with the rights of its owner does so for its owner, not for us.
    let replacement = Replacement::begin(destination, Some(metadata.mode() & MODE))?;
    io::copy(&mut file, &mut replacement.file())?;
    replacement.commit()
}
