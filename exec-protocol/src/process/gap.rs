//! Output that was dropped before it was told.

use serde::{Deserialize, Serialize};

use crate::Seq;

/// A run of output that is lost: it was dropped to make room before the client had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The first chunk of which bytes are lost.
    pub from_seq: Seq,
    /// The last chunk of which bytes are lost.
    pub to_seq: Seq,
    /// The first byte that is lost.
    pub from_offset: u64,
    /// The first byte behind it that is not.
    pub to_offset: u64,
    /// How many bytes are lost: `to_offset - from_offset`.
    pub bytes: u64,
}

impl Gap {
    /// The gap between two positions.
    ///
    /// # Panics
    ///
    /// If `to_offset` lies before `from_offset`.
    pub fn new(from_seq: Seq, to_seq: Seq, from_offset: u64, to_offset: u64) -> Self {
        assert!(from_offset <= to_offset, "a gap ends behind its beginning");
        Self {
            from_seq,
            to_seq,
            from_offset,
            to_offset,
            bytes: to_offset - from_offset,
        }
    }
}
