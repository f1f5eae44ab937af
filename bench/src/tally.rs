//! Whether output is what the child wrote: every byte, once, in order.

use base64_simd::{AsOut as _, STANDARD};
use crc32fast::Hasher;

use crate::client::Failure;

/// Counts the output of one process.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    bytes: u64,
    hash: Hasher,
    last_seq: u64,
    events: u64,
    out_of_order: u64,
    decoded: Vec<u8>,
}

/// What output has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// Its CRC-32.
    pub(crate) hash: u32,
}

impl Tally {
    /// Takes a chunk, and lends it out decoded.
    pub(crate) fn output(&mut self, seq: u64, chunk: &[u8]) -> Result<&[u8], Failure> {
        self.number(seq);
        if self.decoded.len() < chunk.len() {
            self.decoded.resize(chunk.len(), 0);
        }
        let bytes = STANDARD
            .decode(chunk, self.decoded.as_mut_slice().as_out())
            .map_err(|_| Failure::Wrong("a chunk is not base64".to_owned()))?;
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        Ok(bytes)
    }

    /// Takes the number of an event, of an exit and a close too.
    pub(crate) fn number(&mut self, seq: u64) {
        self.events += 1;
        if seq <= self.last_seq {
            self.out_of_order += 1;
        }
        self.last_seq = seq.max(self.last_seq);
    }

    /// How many bytes have come.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is wrong with the numbers, if something is.
    pub(crate) fn disorder(&self) -> Option<String> {
        let missing = self.last_seq.saturating_sub(self.events);
        let is_fine = missing == 0 && self.out_of_order == 0 && self.last_seq == self.events;
        (!is_fine).then(|| format!("{missing} seqs are missing, {} came late", self.out_of_order))
    }

    /// What is wrong, if something is, and how many bytes are missing.
    pub(crate) fn verdict(&self, expected: Expected) -> Loss {
        let bytes = expected.bytes.saturating_sub(self.bytes);
        let is_whole = self.bytes == expected.bytes;
        let mut texts = Vec::new();
        if !is_whole {
            texts.push(format!(
                "lost {bytes} bytes: {} of {} came",
                self.bytes, expected.bytes
            ));
        } else if self.hash.clone().finalize() != expected.hash {
            texts.push("wrong bytes".to_owned());
        }
        texts.extend(self.disorder());
        Loss { bytes, texts }
    }
}

/// Output that is not what the child wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// How much is missing.
    pub(crate) bytes: u64,
    /// What is wrong, for people; nothing if it is all there.
    pub(crate) texts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(text: &[u8]) -> Expected {
        Expected {
            bytes: text.len() as u64,
            hash: crc32fast::hash(text),
        }
    }

    #[test]
    fn all_of_it_is_no_loss() {
        let mut tally = Tally::default();
        assert_eq!(tally.output(1, b"aGk=").unwrap(), b"hi");
        tally.number(2);
        tally.output(3, b"IQ==").unwrap();
        assert_eq!(
            tally.verdict(expected(b"hi!")),
            Loss {
                bytes: 0,
                texts: vec![]
            }
        );
    }

    #[test]
    fn a_hole_a_missing_byte_and_a_wrong_one_are_each_noticed() {
        let mut tally = Tally::default();
        tally.output(2, b"aGk=").unwrap();
        assert_eq!(
            tally.verdict(expected(b"hi")).texts,
            ["1 seqs are missing, 0 came late"]
        );
        let mut tally = Tally::default();
        tally.output(1, b"aGk=").unwrap();
        assert_eq!(tally.verdict(expected(b"hi!")).bytes, 1);
        assert_eq!(
            tally.verdict(expected(b"hi!")).texts,
            ["lost 1 bytes: 2 of 3 came"]
        );
        assert_eq!(tally.verdict(expected(b"ho")).texts, ["wrong bytes"]);
    }

    #[test]
    fn what_comes_late_is_no_hole() {
        let mut tally = Tally::default();
        for seq in [1, 3, 2] {
            tally.number(seq);
        }
        assert_eq!(tally.disorder().unwrap(), "0 seqs are missing, 1 came late");
    }
}
