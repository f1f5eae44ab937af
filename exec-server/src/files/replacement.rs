//! New contents for a file, in its place all at once.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::FileError;

/// What the name of a file begins with that is not in place yet.
const PREFIX: &str = ".exec-server-";

/// The mode of a file that was not there before, without what the umask takes away.
const NEW_MODE: u32 = 0o666;

/// The mode of one that is there, without its type.
const MODE: u32 = 0o7777;

/// Symlinks that are followed from one to the next: as many as the kernel follows.
const MAX_SYMLINKS: usize = 40;

/// New contents for a file that are not in its place yet. Dropped, it leaves the file as it was.
///
/// Whoever opens the file sees the old contents or the new ones, never a part: they are written beside it and renamed.
/// Where that cannot be, because the directory is not ours to write to, the file is a mount of its own, or its owner
/// could not be kept, they are written over the old ones.
#[derive(Debug)]
pub(super) struct Replacement {
    target: PathBuf,
    staged: Staged,
}

#[derive(Debug)]
enum Staged {
    /// In the directory of the file, to be renamed.
    Beside(NamedTempFile),
    /// Anywhere, to be copied.
    Elsewhere(File),
}

impl Replacement {
    /// Begins with nothing. The file's directory has to be there; of a symlink, what it leads to is meant.
    pub(super) fn begin(path: &Path) -> Result<Self, FileError> {
        let target = follow(path)?;
        let old = match fs::metadata(path) {
            Ok(old) if !old.is_file() => return Err(FileError::NotAFile(target)),
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if old.is_some() {
            // A directory that can be written to makes no file writable that is not.
            accessat(CWD, &target, Access::WRITE_OK, AtFlags::EACCESS).map_err(io::Error::from)?;
        }
        let staged = match (beside(&target, old.as_ref()), &old) {
            (Ok(staged), _) => Staged::Beside(staged),
            (Err(error), Some(_)) if is_forbidden(&error) => Staged::Elsewhere(tempfile::tempfile()?),
            (Err(error), _) => return Err(error.into()),
        };
        Ok(Self { target, staged })
    }

    /// Where the new contents are written to.
    pub(super) fn file(&self) -> &File {
        match &self.staged {
            Staged::Beside(staged) => staged.as_file(),
            Staged::Elsewhere(staged) => staged,
        }
    }

    /// Gives the file this mode, whatever it had.
    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        let permissions = Permissions::from_mode(mode & MODE);
        match &self.staged {
            Staged::Beside(staged) => staged.as_file().set_permissions(permissions),
            Staged::Elsewhere(_) => fs::set_permissions(&self.target, permissions),
        }
    }

    /// Puts the new contents in place.
    pub(super) fn commit(self) -> Result<(), FileError> {
        match self.staged {
            Staged::Beside(staged) => match staged.persist(&self.target) {
                Ok(_) => Ok(()),
                // It is a mount of its own.
                Err(failed) if failed.error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                    overwrite(&self.target, failed.file.as_file())
                }
                Err(failed) => Err(failed.error.into()),
            },
            Staged::Elsewhere(staged) => overwrite(&self.target, &staged),
        }
    }
}

/// Where symlinks lead, also if there is nothing there.
fn follow(path: &Path) -> Result<PathBuf, FileError> {
    let mut target = path.to_owned();
    for _ in 0..MAX_SYMLINKS {
        match fs::read_link(&target) {
            Ok(next) => {
                target.pop();
                target.push(next);
            }
            // No symlink, or nothing at all.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(target);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(FileError::Io(Errno::LOOP.into()))
}

/// An empty file beside `target` with the mode and the owner that it has.
fn beside(target: &Path, old: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let directory = target.parent().unwrap_or(target);
    let mode = if old.is_some() { 0o600 } else { NEW_MODE };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    let mut said = None;
    let create = |path: &Path| {
        options
            .open(path)
            .inspect_err(|error| said = error.raw_os_error())
    };
    let created = tempfile::Builder::new().prefix(PREFIX).make_in(directory, create);
    // Without the path, which is nobody's.
    let staged = created.map_err(|error| said.map_or(error, io::Error::from_raw_os_error))?;
    if let Some(old) = old {
        let ours = staged.as_file().metadata()?;
        if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(staged.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
        let permissions = Permissions::from_mode(old.mode() & MODE);
        staged.as_file().set_permissions(permissions)?;
    }
    Ok(staged)
}

/// Whether something cannot be done in this directory that may be done to the file itself.
fn is_forbidden(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn overwrite(target: &Path, mut staged: &File) -> Result<(), FileError> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(target)?;
    if !file.metadata()?.is_file() {
        return Err(FileError::NotAFile(target.to_owned()));
    }
    staged.rewind()?;
    let length = io::copy(&mut staged, &mut file)?;
    Ok(file.set_len(length)?)
}

/// Gives a file new contents, or makes one.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let replacement = Replacement::begin(path)?;
    io::Write::write_all(&mut replacement.file(), contents)?;
    replacement.commit()
}
