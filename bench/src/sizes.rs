//! How much of everything a run does.

use crate::clock::{MILLISECOND_NS, SECOND_NS};

/// How much of everything a run does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Output that is pushed or pulled, in bytes.
    pub(crate) output_bytes: u64,
    /// Input that is uploaded, in bytes.
    pub(crate) input_bytes: u64,
    /// A file, in bytes.
    pub(crate) file_bytes: u64,
    /// How often it is read, or written.
    pub(crate) file_rounds: u32,
    /// Servers that are started one after the other.
    pub(crate) startups: u32,
    /// Commands that are started one after the other.
    pub(crate) spawns: u32,
    /// Commands that are started with 32 of them in flight.
    pub(crate) burst: u32,
    /// Bytes that are echoed.
    pub(crate) echoes: u32,
    /// Most time that the rounds of a loop may take together; a slow server makes fewer of them.
    pub(crate) loop_ns: u64,
    /// Processes that write a line every 10 ms.
    pub(crate) fan: u32,
    /// How long they are watched.
    pub(crate) fan_ns: u64,
    /// How long a reader does not read.
    pub(crate) slow_ns: u64,
    /// Processes that do nothing.
    pub(crate) idle: u32,
}

impl Sizes {
    /// Large enough for figures that mean something.
    pub(crate) const FULL: Self = Self {
        output_bytes: 256 << 20,
        input_bytes: 64 << 20,
        file_bytes: 12 << 20,
        file_rounds: 10,
        startups: 10,
        spawns: 300,
        burst: 1500,
        echoes: 2000,
        loop_ns: 4 * SECOND_NS,
        fan: 200,
        fan_ns: 3 * SECOND_NS,
        slow_ns: 3 * SECOND_NS,
        idle: 1000,
    };

    /// Large enough to see that everything works.
    pub(crate) const QUICK: Self = Self {
        output_bytes: 16 << 20,
        input_bytes: 4 << 20,
        file_bytes: 1 << 20,
        file_rounds: 2,
        startups: 2,
        spawns: 20,
        burst: 64,
        echoes: 100,
        loop_ns: SECOND_NS,
        fan: 20,
        fan_ns: 300 * MILLISECOND_NS,
        slow_ns: 300 * MILLISECOND_NS,
        idle: 50,
    };
}
