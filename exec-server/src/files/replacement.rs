//! New contents for a file, in its place all at once.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, XattrFlags, accessat, fremovexattr, fsetxattr, getxattr};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::{FileError, if_there};

/// What the name of a file begins with that is not in place yet.
const PREFIX: &str = ".exec-server-";

/// The mode of a file that was not there before, without what the umask takes away.
const NEW_MODE: u32 = 0o666;

/// The mode of one whose own is not decided yet: nobody else may read what is written.
const PRIVATE_MODE: u32 = 0o600;

/// The mode of one that is there, without its type.
const MODE: u32 = 0o7777;

/// Symlinks that are followed from one to the next: as many as the kernel follows.
const MAX_SYMLINKS: usize = 40;

/// The access list of a file (acl(5)), which can take from the group what its mode seems to give.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Longest value of an extended attribute, in bytes (xattr(7)).
const MAX_XATTR_BYTES: usize = 64 << 10;

/// New contents for a file that are not in its place yet. Dropped, it leaves the file as it was.
///
/// Whoever opens the file sees the old contents or the new ones, never a part: they are written beside it and renamed.
/// Where that cannot be, because the directory is not ours to write to, the file is a mount of its own, or its owner
/// could not be kept, they are written over the old ones.
#[derive(Debug)]
pub(super) struct Replacement {
    target: PathBuf,
    /// What the file is to have, whatever it has.
    wish: Option<u32>,
    /// What it had when this began. None if it was not there.
    old: Option<u32>,
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
    /// Begins with nothing. The file's directory has to be there; of a symlink, what it leads to is meant. It will have
    /// the mode `wish`, or else keep the one that it has.
    pub(super) fn begin(path: &Path, wish: Option<u32>) -> Result<Self, FileError> {
        let (target, there) = follow(path)?;
        let old = there.map(|there| there.mode() & MODE);
        if old.is_some() {
            // A directory that can be written to makes no file writable that is not.
            accessat(CWD, &target, Access::WRITE_OK, AtFlags::EACCESS).map_err(io::Error::from)?;
        }
        let mode = match (wish, old) {
            (None, None) => NEW_MODE,
            _ => PRIVATE_MODE,
        };
        let staged = match beside(&target, mode) {
            Ok(staged) => Staged::Beside(staged),
            // What stands in the way of another file need not stand in the way of this one.
            Err(error) if old.is_some() && !is_shortage(&error) => {
                Staged::Elsewhere(elsewhere().map_err(FileError::NotStaged)?)
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            target,
            wish,
            old,
            staged,
        })
    }

    /// Where the new contents are written to.
    pub(super) fn file(&self) -> &File {
        match &self.staged {
            Staged::Beside(staged) => staged.as_file(),
            Staged::Elsewhere(staged) => staged,
        }
    }

    /// Puts the new contents in place.
    pub(super) fn commit(self) -> Result<(), FileError> {
        let Self {
            target,
            wish,
            old,
            staged,
        } = self;
        let staged = match staged {
            Staged::Beside(staged) => staged,
            Staged::Elsewhere(staged) => return overwrite(&target, &staged, wish),
        };
        let there = regular(&target)?;
        let mode = wish.or(there.as_ref().map(|there| there.mode() & MODE)).or(old);
        let list = match &there {
            Some(_) if wish.is_none() => access_list(&target),
            _ => Ok(None),
        };
        let like_it = list.and_then(|list| resemble(staged.as_file(), there.as_ref(), mode, list.as_deref()));
        let (staged, error) = match like_it {
            Ok(()) => match staged.persist(&target) {
                Ok(_) => return Ok(()),
                Err(failed) => (failed.file, failed.error),
            },
            Err(error) => (staged, error),
        };
        // It cannot take the place of one that is a mount of its own, say, or whose owner we may not give it.
        if there.is_some() && !is_shortage(&error) {
            overwrite(&target, staged.as_file(), wish)
        } else {
            Err(error.into())
        }
    }
}

/// Where symlinks lead, and the regular file that is there, if there is something.
fn follow(path: &Path) -> Result<(PathBuf, Option<Metadata>), FileError> {
    let mut target = path.to_owned();
    // What the system makes up may be a symlink by name only, as those of open files in /proc.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(FileError::NotAFile(target));
    }
    for _ in 0..=MAX_SYMLINKS {
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
                let there = regular(&target)?;
                return Ok((target, there));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(FileError::Io(Errno::LOOP.into()))
}

/// The regular file of this name, if there is something. Symlinks are not followed: somebody may have put one there.
fn regular(target: &Path) -> Result<Option<Metadata>, FileError> {
    match if_there(fs::symlink_metadata(target))? {
        Some(there) if !there.is_file() => Err(FileError::NotAFile(target.to_owned())),
        there => Ok(there),
    }
}

/// An empty file beside `target`.
fn beside(target: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let directory = target.parent().unwrap_or(target);
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
    created.map_err(|error| said.map_or(error, io::Error::from_raw_os_error))
}

/// Gives the new file the owner of the one that is there, this list and this mode: the last thing before it takes its place,
/// so that nobody reads what they may not.
fn resemble(
    staged: &File,
    there: Option<&Metadata>,
    mode: Option<u32>,
    list: Option<&[u8]>,
) -> io::Result<()> {
    if let Some(there) = there {
        let ours = staged.metadata()?;
        if (ours.uid(), ours.gid()) != (there.uid(), there.gid()) {
            std::os::unix::fs::fchown(staged, Some(there.uid()), Some(there.gid()))?;
        }
    }
    let Some(mode) = mode else { return Ok(()) };
    match list {
        // With a list the mode has another meaning, so the list comes first.
        Some(list) => fsetxattr(staged, ACCESS_LIST, list, XattrFlags::empty())?,
        // A directory may have given it one of its own.
        None => match fremovexattr(staged, ACCESS_LIST) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        },
    }
    staged.set_permissions(Permissions::from_mode(mode))
}

fn access_list(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut list = vec![0; MAX_XATTR_BYTES];
    match getxattr(path, ACCESS_LIST, &mut list[..]) {
        Ok(length) => {
            list.truncate(length);
            Ok(Some(list))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is not enough of something, so that another way would fail as well, and maybe in the middle.
fn is_shortage(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(error.kind(), StorageFull | QuotaExceeded) || matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

/// A file that has no name: among the temporary ones or, where those cannot be written to, in memory.
#[cfg(target_os = "linux")]
fn elsewhere() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};

    tempfile::tempfile().or_else(|error| {
        let file = memfd_create(c"exec-server", MemfdFlags::CLOEXEC);
        file.map(File::from).map_err(|_| error)
    })
}

#[cfg(not(target_os = "linux"))]
fn elsewhere() -> io::Result<File> {
    tempfile::tempfile()
}

fn overwrite(target: &Path, mut staged: &File, wish: Option<u32>) -> Result<(), FileError> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(target)?;
    if !file.metadata()?.is_file() {
        return Err(FileError::NotAFile(target.to_owned()));
    }
    reserve(&file, staged.metadata()?.len())?;
    staged.rewind()?;
    let length = io::copy(&mut staged, &mut file)?;
    file.set_len(length)?;
    if let Some(mode) = wish {
        // Only its owner can.
        let _ = file.set_permissions(Permissions::from_mode(mode));
    }
    Ok(())
}

/// Makes sure that so much can be written before anything is, where the file system can tell.
#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};

    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes.max(1)) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be no room")]
fn reserve(_file: &File, _bytes: u64) -> io::Result<()> {
    Ok(())
}

/// Gives a file new contents, or makes one.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let replacement = Replacement::begin(path, None)?;
    io::Write::write_all(&mut replacement.file(), contents)?;
    replacement.commit()
}
