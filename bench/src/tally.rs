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
    holes: u64,
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
        if seq != self.last_seq + 1 {
            self.holes += 1;
        }
        self.last_seq = seq;
    }

    /// How many bytes have come.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How often a number did not follow the one before.
    pub(crate) fn holes(&self) -> u64 {
        self.holes
    }

    /// What is wrong, if something is, and how many bytes are missing.
    pub(crate) fn verdict(&self, expected: Expected) -> Option<Loss> {
        let lost_bytes = expected.bytes.saturating_sub(self.bytes);
        let has_hash = self.hash.clone().finalize() == expected.hash;
        let is_whole = self.bytes == expected.bytes && has_hash && self.holes == 0;
        (!is_whole).then(|| Loss {
            bytes: lost_bytes,
            text: format!(
                "lost {lost_bytes} of {} bytes ({} came, {} holes in seq{})",
                expected.bytes,
                self.bytes,
                self.holes,
                if lost_bytes == 0 && !has_hash {
                    ", wrong bytes"
                } else {
                    ""
                }
            ),
        })
    }
}

/// Output that is not what the child wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// How much is missing.
    pub(crate) bytes: u64,
    /// For people.
    pub(crate) text: String,
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
        assert_eq!(tally.verdict(expected(b"hi!")), None);
    }

    #[test]
    fn a_hole_a_missing_byte_and_a_wrong_one_are_each_noticed() {
        let mut tally = Tally::default();
        tally.output(2, b"aGk=").unwrap();
        assert!(tally.verdict(expected(b"hi")).unwrap().text.contains("1 holes"));
        let mut tally = Tally::default();
        tally.output(1, b"aGk=").unwrap();
        assert_eq!(tally.verdict(expected(b"hi!")).unwrap().bytes, 1);
        assert!(
            tally
                .verdict(expected(b"ho"))
                .unwrap()
                .text
                .contains("wrong bytes")
        );
    }
}
