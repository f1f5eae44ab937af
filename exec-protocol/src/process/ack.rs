//! `process/ack`

use super::target::{Target, about_one_process};
use crate::{Notice, Seq};

/// `process/ack`: the client has everything up to here and will not ask for it again.
///
/// A notification of the client's. From the first one on, what the client has not acknowledged is
/// kept for it while it is attached, and counts as unsent for a process that is to be blocked.
#[derive(Debug)]
pub enum Ack {}

impl Notice for Ack {
    const NAME: &'static str = "process/ack";
    type Params = AckParams;
}

about_one_process! {
    /// Up to where.
    pub struct AckParams {
        /// The process.
        pub process: Target,
        /// The last event that the client has. 0 says only that more of these will come.
        pub seq: Seq,
    }
}
