//! The records of an index file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::header::record_position;
use super::record::{RECORD_BYTES, Record};

/// How many records are read at a time.
const AT_A_TIME: usize = 1_024;

/// The record of this number. None if there is none.
///
/// # Errors
///
/// What the system says.
pub(super) fn record(index: &File, number: u64) -> io::Result<Option<Record>> {
    let mut bytes = [0; RECORD_BYTES];
    let count = read_up_to(index, &mut bytes, record_position(number))?;
    Ok(Record::decode(&bytes[..count]))
}

/// The records from this number on, up to the first that is none.
pub(super) fn records_from(index: &File, number: u64) -> Records<'_> {
    Records {
        index,
        position: record_position(number),
        buffer: Vec::new(),
        next: 0,
    }
}

/// Records as they stand in the file.
#[derive(Debug)]
pub(super) struct Records<'a> {
    index: &'a File,
    /// What is to be read next.
    position: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next record is.
    next: usize,
}

impl Iterator for Records<'_> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.buffer.len()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        let record = Record::decode(&self.buffer[self.next..])?;
        self.next = self.buffer.len().min(self.next + RECORD_BYTES);
        Some(Ok(record))
    }
}

impl Records<'_> {
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.resize(AT_A_TIME * RECORD_BYTES, 0);
        let count = read_up_to(self.index, &mut self.buffer, self.position)?;
        self.buffer.truncate(count);
        self.position = self.position.saturating_add(count as u64);
        self.next = 0;
        Ok(())
    }
}

/// Reads until the buffer is full, or the file ends.
fn read_up_to(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    // No file reaches further, and what would may not be asked for.
    if position > i64::MAX.cast_unsigned() - buffer.len() as u64 {
        return Ok(0);
    }
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
