//! What a process is bound to say.

use exec_protocol::process::Stream;
use exec_tests::blocks::{self, BLOCK_BYTES};

/// What a process is bound to say: every byte follows from its offset.
#[derive(Debug, Clone)]
pub(super) struct Speech {
    /// What it says first.
    pub(super) head: &'static str,
    /// What follows.
    pub(super) body: Body,
    /// How much it is in all if nobody disturbs it, in bytes, where that is known.
    pub(super) total: Option<u64>,
}

/// What follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing.
    Nothing,
    /// Numbered blocks.
    Blocks,
    /// The same, as a terminal writes it: a carriage return before each newline.
    TerminalBlocks,
    /// Digits on two streams, which only follow from each other on each of them.
    Digits,
}

impl Speech {
    /// Checks that these are the bytes at this offset.
    pub(super) fn check(&self, offset: u64, bytes: &[u8]) {
        let head = self.head.as_bytes();
        let begun = usize::try_from(offset).map_or(head.len(), |offset| offset.min(head.len()));
        let (first, rest) = bytes.split_at((head.len() - begun).min(bytes.len()));
        assert!(
            first == &head[begun..begun + first.len()],
            "{:?} at offset {offset} of {self:?}",
            String::from_utf8_lossy(first)
        );
        let offset = offset.saturating_sub(head.len() as u64);
        match self.body {
            Body::Nothing => assert!(rest.is_empty(), "{} more bytes than {self:?}", rest.len()),
            Body::Blocks => blocks::check(offset, rest),
            Body::TerminalBlocks => check_terminal(offset, rest),
            Body::Digits => assert!(rest.iter().all(u8::is_ascii_digit), "no digits at {offset}"),
        }
    }

    /// How long numbered blocks become on a terminal.
    pub(super) fn on_terminal(bytes: u64) -> u64 {
        /// Where the newline of a block stands.
        const NEWLINE_AT: u64 = 15;
        let block = BLOCK_BYTES as u64;
        bytes + bytes / block + u64::from(bytes % block > NEWLINE_AT)
    }
}

/// Bytes of stdin that come back as numbered blocks.
pub(super) fn typed(offset: u64, bytes: u64) -> Vec<u8> {
    let block = BLOCK_BYTES as u64;
    let all: Vec<u8> = (offset / block..=(offset + bytes) / block)
        .flat_map(blocks::block)
        .collect();
    let skipped = usize::try_from(offset % block).expect("it is below 4096");
    all[skipped..][..usize::try_from(bytes).expect("it fits into memory")].to_vec()
}

fn check_terminal(mut offset: u64, mut bytes: &[u8]) {
    let period = BLOCK_BYTES as u64 + 1;
    while !bytes.is_empty() {
        let block = blocks::block(offset / period);
        let newline = block
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("it has a line");
        let expected = [&block[..newline], b"\r", &block[newline..]].concat();
        let skipped = usize::try_from(offset % period).expect("it is below 4097");
        let expected = &expected[skipped..];
        let (here, rest) = bytes.split_at(expected.len().min(bytes.len()));
        assert!(
            here == &expected[..here.len()],
            "other bytes at offset {offset} of a terminal"
        );
        offset += here.len() as u64;
        bytes = rest;
    }
}

/// The digits of two streams, of which each follows the one before it on its stream.
#[derive(Debug, Default)]
pub(super) struct Digits {
    last: Option<[Option<u8>; 2]>,
}

impl Digits {
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let lasts = self.last.get_or_insert([None; 2]);
        let last = &mut lasts[usize::from(stream == Stream::Stderr)];
        for digit in bytes.iter().map(|byte| byte - b'0') {
            if let Some(last) = *last {
                assert_eq!(
                    digit,
                    (last + 1) % 10,
                    "a digit is lost or repeated on {stream:?}"
                );
            }
            *last = Some(digit);
        }
    }

    /// Some are lost, and nobody knows how many of which stream.
    pub(super) fn lose(&mut self) {
        self.last = None;
    }
}
