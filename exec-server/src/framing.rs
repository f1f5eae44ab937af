//! Messages as lines. Pure: bytes in, messages out.

use bytes::{Bytes, BytesMut};

/// Most memory that is kept between messages, in bytes.
const KEPT_BYTES: usize = 256 << 10;

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A message, without the end of its line.
    Message(Bytes),
    /// A line grew longer than the limit. What is left of it will be skipped.
    TooLong,
}

/// Cuts a stream of bytes into lines.
///
/// Lines end with `\n` or `\r\n`; blank ones are passed over. A line that is too long is told of
/// once, and skipped without being kept.
#[derive(Debug)]
pub(crate) struct LineDecoder {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of line.
    scanned: usize,
    max_bytes: usize,
    is_skipping: bool,
}

impl LineDecoder {
    /// A decoder for lines of at most `max_bytes`, their end not counted.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            scanned: 0,
            max_bytes,
            is_skipping: false,
        }
    }

    /// Where the bytes that were read next are to be appended.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next frame, if the buffer holds one.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            let Some(found) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) else {
                return self.wait_for_more();
            };
            let line = self.buffer.split_to(self.scanned + found + 1).freeze();
            self.scanned = 0;
            let line = without_end(&line);
            if std::mem::take(&mut self.is_skipping) {
                continue;
            }
            if line.len() > self.max_bytes {
                return Some(Frame::TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Some(Frame::Message(line));
            }
        }
    }

    /// What is left at the end of the stream: a last line may lack its end.
    pub(crate) fn finish(&mut self) -> Option<Frame> {
        self.buffer.extend_from_slice(b"\n");
        self.next()
    }

    fn wait_for_more(&mut self) -> Option<Frame> {
        self.scanned = self.buffer.len();
        // One more for the `\r` that may turn out to belong to the end of the line.
        if self.is_skipping {
            self.buffer.clear();
            self.scanned = 0;
        } else if self.scanned > self.max_bytes + 1 {
            self.buffer = BytesMut::new();
            self.scanned = 0;
            self.is_skipping = true;
            return Some(Frame::TooLong);
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BYTES {
            self.buffer = BytesMut::new();
        }
        None
    }
}

fn without_end(line: &Bytes) -> Bytes {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    line.slice(..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::lines_of;
    use proptest::prelude::*;

    fn decode(pieces: &[Vec<u8>], max_bytes: usize) -> Vec<Frame> {
        let mut decoder = LineDecoder::new(max_bytes);
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.buffer().extend_from_slice(piece);
            frames.extend(std::iter::from_fn(|| decoder.next()));
        }
        frames.extend(decoder.finish());
        frames
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_the_lines_are_the_same(
            pieces in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'x')], 0..12),
                0..20,
            ),
            max_bytes in 1..8_usize,
        ) {
            prop_assert_eq!(decode(&pieces, max_bytes), lines_of(&pieces.concat(), max_bytes));
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_beyond_the_limit() {
        let mut decoder = LineDecoder::new(1000);
        let mut told = 0;
        for _ in 0..10_000 {
            decoder.buffer().extend_from_slice(&[b'x'; 100]);
            told += std::iter::from_fn(|| decoder.next()).count();
            assert!(decoder.buffer().len() <= 1001);
        }
        assert_eq!(told, 1);
        decoder.buffer().extend_from_slice(b"x\n{}\n");
        assert_eq!(decoder.next(), Some(Frame::Message(Bytes::from_static(b"{}"))));
    }
}
