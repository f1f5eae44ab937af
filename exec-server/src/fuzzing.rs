//! What must hold for any bytes at all. Each function panics where it does not.
//!
//! Fuzzers call these, one for each of their targets; the tests call them with the inputs in `fuzz/corpus`, and with those
//! in `fuzz/reached`.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says no")]

mod access;
mod framing;
mod handshake;
mod head;
mod pattern;

pub use access::access;
pub use framing::framing;
#[cfg(test)]
pub(crate) use framing::model as lines_of;
pub use handshake::handshake;
pub use pattern::pattern;

/// How many bytes come at a time.
const READS: [usize; 4] = [1, 2, 7, 64];

/// Longest piece that a byte of the input asks for, in bytes.
const LONGEST_PIECE: usize = 32;

/// The same bytes in pieces of one length, and of lengths that they say themselves, so that a fuzzer comes to all of them.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let alike = READS.into_iter().map(|length| bytes.chunks(length).collect());
    alike.chain([cut_by_itself(bytes)])
}

fn cut_by_itself(bytes: &[u8]) -> Vec<&[u8]> {
    let mut left = bytes;
    let mut pieces = Vec::new();
    while let Some(last) = left.last() {
        let length = 1 + usize::from(*last) * usize::from(left[0]) % LONGEST_PIECE;
        let (piece, rest) = left.split_at(length.min(left.len()));
        pieces.push(piece);
        left = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(inputs: &str, check: fn(&[u8])) {
        let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(inputs);
        let mut seeds = 0;
        for entry in fs::read_dir(inputs).unwrap() {
            let path = entry.unwrap().path();
            // A failure names its input.
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "there are no inputs");
    }

    #[test]
    fn however_the_corpus_is_cut_the_lines_are_the_same() {
        replay("corpus/framing", super::framing);
        replay("reached/framing", super::framing);
    }

    #[test]
    fn however_the_corpus_is_cut_the_handshake_is_answered_alike() {
        replay("corpus/handshake", super::handshake);
        replay("reached/handshake", super::handshake);
    }

    #[test]
    fn however_the_corpus_is_cut_patterns_match_in_the_same_place() {
        replay("corpus/pattern", super::pattern);
        replay("reached/pattern", super::pattern);
    }

    #[test]
    fn nobody_in_the_corpus_comes_in_without_the_token() {
        replay("corpus/access", super::access);
        replay("reached/access", super::access);
    }
}
