//! What an attempt of a task has written, on disk, and the views on it.
//!
//! The bytes of all streams stand one behind the other, in the order in which they were published, in a raw log: byte N
//! of the output is byte N of the file, also when the beginning was dropped. An index beside it says where lines, chunks
//! and times are. A record of the index is written before its bytes: after a crash the index may promise more than there
//! is, never less.
//!
//! Everything here blocks.

mod batch;
mod counts;
mod dropping;
mod fields;
mod files;
mod grep;
mod header;
mod index;
mod lines;
mod pieces;
mod reader;
mod record;
mod repair;
mod scope;
mod selection;
mod source;
mod text;
mod writer;

pub(crate) use batch::Terms;
pub(crate) use counts::LogTotals;
pub(crate) use files::{LogFiles, held, remove};
pub use reader::ViewError;
pub(crate) use reader::{LogReader, View};
pub(crate) use repair::repair;
pub(crate) use writer::{Appended, LogWriter};

#[cfg(test)]
mod tests;
