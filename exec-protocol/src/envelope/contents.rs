//! Putting the contents of a file into an answer, which may be as long as a message.

use crate::blob;

/// How many bytes base64 takes together.
const GROUP: usize = 3;

/// The text of a [`ReadFileResult`](crate::fs::ReadFileResult) in the making. Contents are encoded straight into the
/// buffer, a piece after the other.
#[derive(Debug)]
pub struct ReadFileWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The end of the last piece, while it is no whole group.
    rest: Vec<u8>,
}

impl<'a> ReadFileWriter<'a> {
    /// Begins the result at the end of `out`, with room for so many bytes of contents.
    pub fn new(out: &'a mut Vec<u8>, expected: usize) -> Self {
        const AROUND: usize = 64;
        out.reserve_exact(expected.div_ceil(GROUP) * 4 + AROUND);
        out.extend_from_slice(b"{\"dataBase64\":\"");
        let rest = Vec::with_capacity(GROUP);
        Self { out, rest }
    }

    /// Appends a piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        if !self.rest.is_empty() {
            let (missing, others) = piece.split_at(piece.len().min(GROUP - self.rest.len()));
            self.rest.extend_from_slice(missing);
            piece = others;
            if self.rest.len() < GROUP {
                return;
            }
            blob::append_base64(self.out, &self.rest);
            self.rest.clear();
        }
        let (groups, rest) = piece.split_at(piece.len() - piece.len() % GROUP);
        blob::append_base64(self.out, groups);
        self.rest.extend_from_slice(rest);
    }

    /// Completes the result.
    pub fn finish(self) {
        blob::append_base64(self.out, &self.rest);
        self.out.extend_from_slice(b"\"}");
    }
}

/// Appends the text of a [`ReadBlockResult`](crate::fs::ReadBlockResult).
pub fn write_block(out: &mut Vec<u8>, bytes: &[u8], eof: bool) {
    out.extend_from_slice(b"{\"chunk\":\"");
    blob::append_base64(out, bytes);
    out.extend_from_slice(b"\",\"eof\":");
    out.extend_from_slice(if eof { b"true" } else { b"false" });
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{ReadBlockResult, ReadFileResult};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn contents_written_by_hand_are_what_serde_writes(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
            eof in any::<bool>(),
        ) {
            let mut out = b"before".to_vec();
            let mut writer = ReadFileWriter::new(&mut out, 7);
            for piece in &pieces {
                writer.push(piece);
            }
            writer.finish();
            let contents = pieces.concat();
            let expected = ReadFileResult { data: contents.clone().into() };
            prop_assert_eq!(&out[6..], serde_json::to_vec(&expected).unwrap());

            out.clear();
            write_block(&mut out, &contents, eof);
            let expected = ReadBlockResult { chunk: contents.into(), eof };
            prop_assert_eq!(out, serde_json::to_vec(&expected).unwrap());
        }
    }
}
