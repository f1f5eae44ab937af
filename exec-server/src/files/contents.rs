//! What is in a file.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use exec_protocol::envelope::ReadFileWriter;
use exec_protocol::fs as wire;
use rustix::fs::OFlags;

use super::FileError;
use crate::limits::MAX_FILE_BYTES;

/// How much of a file is read before it is encoded, in bytes: what stays in the processor's cache.
const PIECE_BYTES: usize = 192 << 10;

/// Tells what a path leads to.
pub(crate) fn metadata(path: &Path) -> Result<wire::Metadata, FileError> {
    let own = fs::symlink_metadata(path)?;
    let is_symlink = own.is_symlink();
    let followed = if is_symlink { fs::metadata(path)? } else { own };
    Ok(wire::Metadata {
        is_directory: followed.is_dir(),
        is_file: followed.is_file(),
        is_symlink,
        size: followed.len(),
        created_at_ms: unix_ms(followed.created()),
        modified_at_ms: unix_ms(followed.modified()),
    })
}

/// Opens a regular file for reading. Anything else is not even touched: opening a FIFO waits, and opening some devices
/// does something.
pub(super) fn open(path: &Path) -> Result<(File, Metadata), FileError> {
    let not_a_file = || FileError::NotAFile(path.to_owned());
    if !fs::metadata(path)?.is_file() {
        return Err(not_a_file());
    }
    // Nothing is waited for if it is something else by now.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_a_file());
    }
    Ok((file, metadata))
}

/// Reads all of a file that fits into a message, and appends the result to `out`.
pub(crate) fn read(path: &Path, out: &mut Vec<u8>) -> Result<(), FileError> {
    let (mut file, metadata) = open(path)?;
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if length > MAX_FILE_BYTES {
        return Err(FileError::TooLarge);
    }
    let mut result = ReadFileWriter::new(out, length);
    let mut piece = vec![0; PIECE_BYTES.min(length + 1)];
    let mut room = MAX_FILE_BYTES;
    // Some files of the system have no length, and any may grow while it is read.
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                room = room.checked_sub(count).ok_or(FileError::TooLarge)?;
                result.push(&piece[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    result.finish();
    Ok(())
}

/// Reads from `offset` on until there are `length` bytes, or the file ends.
pub(super) fn read_at(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
    let mut block = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let position = offset.saturating_add(filled as u64);
        // No file is longer, and what would end beyond may not be asked for.
        let left = i64::MAX.cast_unsigned().saturating_sub(position);
        let end = length.min(filled.saturating_add(usize::try_from(left).unwrap_or(usize::MAX)));
        if end == filled {
            break;
        }
        match file.read_at(&mut block[filled..end], position) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    block.truncate(filled);
    Ok(block)
}

/// In Unix milliseconds; 0 if it is not known or before that time.
fn unix_ms(time: std::io::Result<std::time::SystemTime>) -> u64 {
    let since = time
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, crate::clock::milliseconds)
}
