//! Putting the answer to a read together, which may be as long as a message.

use super::outgoing::write_json;
use crate::process::{ReadResult, Stream};
use crate::{Seq, blob};

/// How the text of every [`ReadResult`] without chunks begins.
const NO_CHUNKS: &[u8] = br#"{"chunks":[]"#;

/// The text of a [`ReadResult`] in the making. Chunks are encoded straight into the buffer.
#[derive(Debug)]
pub struct ReadWriter<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> ReadWriter<'a> {
    /// Begins the result at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.extend_from_slice(&NO_CHUNKS[..NO_CHUNKS.len() - 1]);
        Self { out, is_empty: true }
    }

    /// Appends a chunk whose first byte has this offset.
    pub fn chunk(&mut self, seq: Seq, stream: Stream, offset: u64, bytes: &[u8]) {
        let out = &mut *self.out;
        if !std::mem::replace(&mut self.is_empty, false) {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"seq\":");
        write_json(out, &seq);
        out.extend_from_slice(b",\"stream\":\"");
        out.extend_from_slice(stream.as_str().as_bytes());
        out.extend_from_slice(b"\",\"offset\":");
        write_json(out, &offset);
        out.extend_from_slice(b",\"chunk\":\"");
        blob::append_base64(out, bytes);
        out.extend_from_slice(b"\"}");
    }

    /// How long the buffer is by now, in bytes.
    pub fn length(&self) -> usize {
        self.out.len()
    }

    /// Whether no chunk was appended.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Completes the result with the rest of `result`, whose own chunks do not count.
    pub fn finish(self, mut result: ReadResult) {
        result.chunks.clear();
        let start = self.out.len();
        write_json(self.out, &result);
        // Its empty list is where ours ends.
        self.out.drain(start..start + NO_CHUNKS.len() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blob;
    use crate::process::{Chunk, EndReason, Gap};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_result_written_by_hand_is_what_serde_writes(
            chunks in prop::collection::vec((any::<u64>(), any::<u64>(), prop::collection::vec(any::<u8>(), 0..50)), 0..4),
            has_gap in any::<bool>(),
        ) {
            let gap = has_gap.then(|| Gap::new(Seq(1), Seq(2), 3, 5));
            let result = ReadResult {
                chunks: chunks
                    .iter()
                    .map(|(seq, offset, bytes)| Chunk {
                        seq: Seq(*seq),
                        stream: Stream::Stderr,
                        offset: Some(*offset),
                        chunk: Blob::from(bytes.clone()),
                    })
                    .collect(),
                next_seq: Seq(9),
                exited: has_gap,
                exit_code: None,
                closed: false,
                failure: None,
                sandbox_denied: false,
                next_offset: Some(7),
                first_seq: Some(Seq(1)),
                first_offset: Some(0),
                end_offset: Some(7),
                gap,
                signal: has_gap.then(|| "SIGKILL".into()),
                end_reason: has_gap.then_some(EndReason::Terminated),
                incomplete: has_gap,
            };
            let mut out = b"before ".to_vec();
            let mut writer = ReadWriter::new(&mut out);
            for (seq, offset, bytes) in &chunks {
                writer.chunk(Seq(*seq), Stream::Stderr, *offset, bytes);
            }
            prop_assert_eq!(writer.is_empty(), chunks.is_empty());
            writer.finish(result.clone());
            let text = serde_json::to_string(&result).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("before {text}"));
        }
    }
}
