//! Output in which every byte has its place, cheap enough for many megabytes.

use std::io::Write as _;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 4096;

/// Bytes in front of a block that tell its number; the rest is a letter, over and over.
const HEAD_BYTES: usize = 16;

/// The block of this number.
pub fn block(number: u64) -> [u8; BLOCK_BYTES] {
    let letter = b'a' + u8::try_from(number % 26).expect("it is below 26");
    let mut block = [letter; BLOCK_BYTES];
    let mut head = &mut block[..HEAD_BYTES];
    writeln!(head, "{number:015}").expect("it fits");
    block
}

/// Checks that these are the bytes at this offset.
///
/// # Panics
///
/// With the first block that is wrong.
pub fn check(mut offset: u64, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let number = offset / BLOCK_BYTES as u64;
        let skipped = usize::try_from(offset % BLOCK_BYTES as u64).expect("it is below 4096");
        let expected = &block(number)[skipped..];
        let length = expected.len().min(bytes.len());
        let (here, rest) = bytes.split_at(length);
        assert!(
            here == &expected[..length],
            "at offset {offset} there is {:?}",
            String::from_utf8_lossy(&here[..length.min(HEAD_BYTES)])
        );
        offset += length as u64;
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_right_at_its_own_offset_only() {
        let all = [block(0), block(1), block(2)].concat();
        check(0, &all);
        check(5000, &all[5000..9000]);
        let elsewhere = std::panic::catch_unwind(|| check(4999, &all[5000..9000]));
        assert!(elsewhere.is_err());
    }
}
