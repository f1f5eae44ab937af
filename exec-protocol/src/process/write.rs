//! `process/write`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use crate::lenient::null_as_default;
use crate::{Blob, Method, WriteId};

/// `process/write`: bytes for a process's stdin. Taken whole or refused.
#[derive(Debug)]
pub enum Write {}

impl Method for Write {
    const NAME: &'static str = "process/write";
    // With a write id, which our client always sends.
    const REPEATABLE: bool = true;
    type Params = WriteParams;
    type Result = WriteResult;
}

about_one_process! {
    /// What to write.
    pub struct WriteParams {
        /// The process.
        pub process: Target,
        /// The raw bytes.
        #[serde(default, deserialize_with = "null_as_default")]
        pub chunk: Blob,
        /// Names the write, so that a repeated one is typed once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub write_id: Option<WriteId>,
        /// Close stdin after these bytes.
        #[serde(
            default,
            deserialize_with = "null_as_default",
            skip_serializing_if = "std::ops::Not::not"
        )]
        pub eof: bool,
        /// The position in stdin of the first byte, counted from 0. With it a write may be taken in part, and bytes
        /// that were taken before are skipped. Given always or never for one process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub offset: Option<u64>,
    }
}

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteResult {
    /// See there.
    pub status: WriteStatus,
    /// How many of the bytes were taken, now or before. None if the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_bytes: Option<u64>,
}

/// What became of the bytes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteStatus {
    /// They will be written in the order of arrival, or already were.
    Accepted,
    /// There is no such process.
    UnknownProcess,
    /// The process has no stdin, or not any more.
    StdinClosed,
    /// Only of a write with an offset: not all of them were taken. Those that were not come again, or first come
    /// the bytes before them.
    Full,
}
