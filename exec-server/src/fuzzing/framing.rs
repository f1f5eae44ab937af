//! Lines, against a model that has all of them at once.

use bytes::Bytes;

use super::cuts;
use crate::framing::{Frame, LineDecoder};

/// However a stream comes, the same messages are in it, and no more is kept of it than a message may have.
pub fn framing(bytes: &[u8]) {
    let first = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    // What the first line has and has not, with the `\r` of its end, is where limits are.
    for max_bytes in [1, 8, first.saturating_sub(2).max(1), first.max(1), 1 << 20] {
        let expected = model(bytes, max_bytes);
        assert_eq!(decode(&[bytes], max_bytes), expected, "at most {max_bytes}");
        for pieces in cuts(bytes) {
            assert_eq!(decode(&pieces, max_bytes), expected, "at most {max_bytes}");
        }
    }
}

/// What is in this stream.
pub(crate) fn model(stream: &[u8], max_bytes: usize) -> Vec<Frame> {
    let mut lines: Vec<_> = stream.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let without_return = |line| <[u8]>::strip_suffix(line, b"\r").unwrap_or(line);
    let lines = lines.into_iter().map(without_return);
    let frames = lines.filter_map(|line| match line {
        line if line.len() > max_bytes => Some(Frame::TooLong),
        line if line.trim_ascii().is_empty() => None,
        line => Some(Frame::Message(Bytes::copy_from_slice(line))),
    });
    frames.collect()
}

fn decode(pieces: &[&[u8]], max_bytes: usize) -> Vec<Frame> {
    let mut decoder = LineDecoder::new(max_bytes);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.buffer().extend_from_slice(piece);
        frames.extend(std::iter::from_fn(|| decoder.next()));
        // One more for a `\r` that may belong to the end of the line.
        assert!(decoder.buffer().len() <= max_bytes + 1, "too much is kept");
    }
    frames.extend(decoder.finish());
    assert_eq!(decoder.next(), None, "there is more behind the end");
    assert!(decoder.buffer().is_empty(), "something is kept behind the end");
    frames
}
