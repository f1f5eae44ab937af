//! Trees that go, however deep they are.

use std::ffi::{CStr, CString};
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

/// Subdirectories of one directory that are remembered before the first of them is looked into.
const REMEMBERED: usize = 1024;

/// How often a directory is looked into again that should be empty and is not.
const MOST_LOOKS: u32 = 8;

/// A directory on the way down.
struct Level {
    /// By which name it is known above; none for the top.
    name: CString,
    /// What it is, to be known again on the way up.
    identity: (i128, u64),
    /// Subdirectories that are still there.
    ahead: Vec<CString>,
    /// Whether there may be more of them.
    has_more: bool,
    /// How often it was looked into without getting any further.
    looks: u32,
}

/// Removes a directory with all that is in it. Symlinks are not followed, also if somebody puts them there meanwhile; what
/// somebody else removes is as good as removed.
///
/// It goes down without recursion and holds one descriptor, so no depth is too much for it.
///
/// # Errors
///
/// Not found only if the directory itself was not there. With others a part may be gone.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    let mut here = open(CWD, path)?;
    let mut levels = vec![look_into(here.as_fd(), CString::default())?];
    while let Some((level, above)) = levels.split_last_mut() {
        if let Some(name) = level.ahead.pop() {
            if is_gone_when_empty(here.as_fd(), &name)? {
                level.looks = 0;
            } else if let Some(next) = enter(here.as_fd(), &name)? {
                here = next;
                levels.push(look_into(here.as_fd(), name)?);
            }
        } else if level.has_more {
            look_again(level, here.as_fd())?;
        } else if let Some(parent) = above.last_mut() {
            let up = open(&here, c"..")?;
            if identity(&fstat(&up)?) != parent.identity {
                // It was moved to somewhere else.
                return Err(Errno::BUSY.into());
            }
            match unlinkat(&up, &level.name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {
                    parent.looks = 0;
                    levels.pop();
                    here = up;
                }
                // Somebody puts something there.
                Err(Errno::NOTEMPTY | Errno::EXIST) => look_again(level, here.as_fd())?,
                Err(error) => return Err(error.into()),
            }
        } else {
            break;
        }
    }
    Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Looks into a directory once more, unless that has been of no use for too long.
fn look_again(level: &mut Level, here: BorrowedFd<'_>) -> io::Result<()> {
    let looks = level.looks + 1;
    if looks > MOST_LOOKS {
        return Err(Errno::NOTEMPTY.into());
    }
    *level = look_into(here, mem::take(&mut level.name))?;
    level.looks = looks;
    Ok(())
}

/// Removes a directory if there is nothing in it.
fn is_gone_when_empty(here: BorrowedFd<'_>, name: &CStr) -> io::Result<bool> {
    match unlinkat(here, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens a directory. None if it is gone by now.
fn enter(here: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<OwnedFd>> {
    match open(here, name) {
        Ok(next) => Ok(Some(next)),
        Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Ok(None),
            // Something else has its name now.
            Some(Errno::NOTDIR | Errno::LOOP) => {
                gone(unlinkat(here, name, AtFlags::empty()))?;
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

fn open<P: rustix::path::Arg>(at: impl AsFd, name: P) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

/// Device and inode. Systems count devices in different types.
fn identity(stat: &Stat) -> (i128, u64) {
    (i128::from(stat.st_dev), stat.st_ino)
}

/// Removes what is no directory, and remembers the first of those that are.
fn look_into(here: BorrowedFd<'_>, name: CString) -> io::Result<Level> {
    let mut level = Level {
        name,
        identity: identity(&fstat(here)?),
        ahead: Vec::new(),
        has_more: false,
        looks: 0,
    };
    for entry in Dir::read_from(here)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if !is_directory(here, name, entry.file_type())? {
            gone(unlinkat(here, name, AtFlags::empty()))?;
        } else if level.ahead.len() < REMEMBERED {
            level.ahead.push(name.to_owned());
        } else {
            level.has_more = true;
        }
    }
    Ok(level)
}

fn is_directory(here: BorrowedFd<'_>, name: &CStr, told: FileType) -> io::Result<bool> {
    if told != FileType::Unknown {
        return Ok(told == FileType::Directory);
    }
    match statat(here, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What somebody else has removed is as good as removed.
fn gone(removed: rustix::io::Result<()>) -> io::Result<()> {
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::mkdirat;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_goes_and_what_its_links_lead_to_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for directory in ["tree/a/b", "tree/c", "stays/d"] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        for file in ["tree/1", "tree/a/b/2", "stays/3"] {
            fs::write(path(file), "x").unwrap();
        }
        symlink(path("stays"), path("tree/a/link")).unwrap();
        for number in 0..2 * REMEMBERED + 10 {
            fs::create_dir(path(&format!("tree/c/{number}"))).unwrap();
        }
        remove_tree(&path("tree")).unwrap();
        assert!(!path("tree").exists() && path("stays/3").exists());
        assert!(remove_tree(&path("tree")).is_err());
        assert!(remove_tree(&path("stays/3")).is_err());
    }

    #[test]
    fn no_tree_is_too_deep() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut here = open(CWD, &top).unwrap();
        for _ in 0..20_000 {
            mkdirat(&here, c"d", Mode::from_raw_mode(0o700)).unwrap();
            here = open(here, c"d").unwrap();
        }
        drop(here);
        std::thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(move || remove_tree(&top).unwrap())
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
