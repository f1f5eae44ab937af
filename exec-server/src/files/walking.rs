//! The files and directories below a directory.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use exec_protocol::WirePath;
use exec_protocol::fs::{WalkEntry, WalkError, WalkKind, WalkOptions, WalkResult};
use tokio_util::sync::CancellationToken;

use super::{FileError, identity};
use crate::limits::{
    MAX_FILE_LIST_BYTES, MAX_WALK_DEPTH, MAX_WALK_DIRECTORIES, MAX_WALK_ENTRIES, MAX_WALK_ERRORS,
};

/// What stands around an entry in the answer, in bytes.
const AROUND_ENTRY_BYTES: usize = 64;

/// Walks level by level, until everything was seen, a limit is reached, or it is given up.
///
/// # Errors
///
/// If there is nothing at the path. What cannot be looked at further down is among the result's errors.
pub(crate) fn walk(
    top: &Path,
    options: WalkOptions,
    given_up: &CancellationToken,
) -> Result<WalkResult, FileError> {
    let metadata = fs::metadata(top)?;
    let is_link = fs::symlink_metadata(top)?.is_symlink();
    let mut walk = Walk::new(options);
    if metadata.is_dir() && (options.follow_directory_symlinks || !is_link) {
        walk.below(top, identity(&metadata), given_up);
    }
    Ok(walk.found)
}

struct Walk {
    follows: bool,
    prunes_hidden: bool,
    max_depth: usize,
    /// Whether that is our limit, and not the client's.
    is_depth_ours: bool,
    /// What is left of the limits.
    directories: usize,
    entries: usize,
    bytes: usize,
    /// Directories that are to be looked into, with how deep they lie.
    ahead: VecDeque<(PathBuf, usize)>,
    /// Device and inode of those that were met, where one can be met twice.
    met: HashSet<(u64, u64)>,
    found: WalkResult,
}

/// What the entry of a directory is good for.
struct Candidate {
    kind: WalkKind,
    /// Of a directory, where it can be met twice.
    identity: Option<(u64, u64)>,
}

impl Walk {
    fn new(options: WalkOptions) -> Self {
        let limited = |wish: Option<u64>, limit: usize| {
            wish.map_or(limit, |wish| usize::try_from(wish).unwrap_or(limit).min(limit))
        };
        Self {
            follows: options.follow_directory_symlinks,
            prunes_hidden: options.prune_hidden_directories,
            max_depth: limited(options.max_depth, MAX_WALK_DEPTH),
            is_depth_ours: options
                .max_depth
                .is_none_or(|depth| depth > MAX_WALK_DEPTH as u64),
            directories: limited(options.max_directories, MAX_WALK_DIRECTORIES),
            entries: limited(options.max_entries, MAX_WALK_ENTRIES),
            bytes: MAX_FILE_LIST_BYTES,
            ahead: VecDeque::new(),
            met: HashSet::new(),
            found: WalkResult {
                entries: Vec::new(),
                errors: Vec::new(),
                truncated: false,
            },
        }
    }

    fn below(&mut self, top: &Path, identity: (u64, u64), given_up: &CancellationToken) {
        self.met.insert(identity);
        self.ahead.push_back((top.to_owned(), 0));
        while let Some((directory, depth)) = self.ahead.pop_front() {
            if self.directories == 0 || given_up.is_cancelled() {
                self.found.truncated = true;
            }
            if self.found.truncated {
                return;
            }
            self.directories -= 1;
            self.look_into(&directory, depth, given_up);
        }
    }

    fn look_into(&mut self, directory: &Path, depth: usize, given_up: &CancellationToken) {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => return self.fail(directory.to_owned(), &error),
        };
        // The first by name of those for which there is room, whatever the order in which they come.
        let mut candidates: BTreeMap<OsString, Candidate> = BTreeMap::new();
        let mut has_more = false;
        for entry in entries {
            if given_up.is_cancelled() {
                break;
            }
            let candidate = entry.and_then(|entry| Ok((entry.file_name(), self.candidate(&entry)?)));
            match candidate {
                Ok((name, Some(candidate))) => {
                    candidates.insert(name, candidate);
                    if candidates.len() > self.entries {
                        candidates.pop_last();
                        has_more = true;
                    }
                }
                Ok((_, None)) => {}
                Err(error) => self.fail(directory.to_owned(), &error),
            }
        }
        for (name, candidate) in candidates {
            if !self.take(directory, &name, &candidate, depth) {
                has_more = true;
                break;
            }
        }
        self.found.truncated |= has_more;
    }

    /// None if it is neither a file nor a directory.
    fn candidate(&self, entry: &fs::DirEntry) -> io::Result<Option<Candidate>> {
        let file_type = entry.file_type()?;
        let found = |kind, identity| Ok(Some(Candidate { kind, identity }));
        if file_type.is_file() {
            return found(WalkKind::File, None);
        }
        if file_type.is_dir() && !self.follows {
            return found(WalkKind::Directory, None);
        }
        let may_lead_to_one = file_type.is_symlink() && self.follows;
        if !(file_type.is_dir() || may_lead_to_one) {
            return Ok(None);
        }
        // It may be met by way of a symlink too.
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => found(WalkKind::Directory, Some(identity(&metadata))),
            Ok(_) => Ok(None),
            // A symlink that leads nowhere.
            Err(_) if file_type.is_symlink() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// False if there is no room for it.
    fn take(&mut self, directory: &Path, name: &OsString, candidate: &Candidate, depth: usize) -> bool {
        let Candidate { kind, identity } = *candidate;
        let path = directory.join(name);
        let Ok(on_wire) = WirePath::new(path.clone()) else {
            return true;
        };
        let length = on_wire.to_string().len() + AROUND_ENTRY_BYTES;
        let Some(bytes) = self.bytes.checked_sub(length) else {
            return false;
        };
        self.bytes = bytes;
        self.entries -= 1;
        self.found.entries.push(WalkEntry { path: on_wire, kind });
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if kind == WalkKind::File || (self.prunes_hidden && is_hidden) {
            return true;
        }
        if depth == self.max_depth {
            self.found.truncated |= self.is_depth_ours;
        } else if identity.is_none_or(|identity| self.met.insert(identity)) {
            self.ahead.push_back((path, depth + 1));
        }
        true
    }

    fn fail(&mut self, path: PathBuf, error: &io::Error) {
        let Ok(path) = WirePath::new(path) else { return };
        let message = error.to_string();
        let length = path.to_string().len() + message.len() + AROUND_ENTRY_BYTES;
        match self.bytes.checked_sub(length) {
            Some(bytes) if self.found.errors.len() < MAX_WALK_ERRORS => {
                self.bytes = bytes;
                self.found.errors.push(WalkError { path, message });
            }
            _ => self.found.truncated = true,
        }
    }
}
