//! What the commands under test are: this program in a hidden mode, where no tool of the system would do.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd as _;
use std::time::Duration;

use clap::Subcommand;
use crc32fast::Hasher;

use crate::clock;
use crate::tally::Expected;

/// Lines in the block that is written again and again. A prime, so that no power of two fits to it, and a
/// chunk in the wrong place changes the hash.
const LINES: u64 = 1021;

/// Length of a line, with its newline.
const LINE_BYTES: u64 = 64;

/// The commands.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum ChildMode {
    /// Writes this many bytes of text.
    Lines {
        /// How many.
        bytes: u64,
    },
    /// Writes its number and the time, again and again.
    Stamps {
        /// From one line to the next.
        interval_ms: u64,
        /// How many lines.
        count: u64,
    },
    /// Reads this many bytes, then writes their CRC-32 as a number.
    Drain {
        /// How many.
        bytes: u64,
    },
}

/// Is the command.
pub(crate) fn run(mode: ChildMode) -> io::Result<()> {
    let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    match mode {
        ChildMode::Lines { bytes } => write_lines(&mut stdout, bytes),
        ChildMode::Stamps { interval_ms, count } => write_stamps(&mut stdout, interval_ms, count),
        ChildMode::Drain { bytes } => {
            let mut hash = Hasher::new();
            let mut room = vec![0; 64 << 10];
            let mut stdin = File::from(io::stdin().as_fd().try_clone_to_owned()?).take(bytes);
            loop {
                let count = stdin.read(&mut room)?;
                if count == 0 {
                    break;
                }
                hash.update(&room[..count]);
            }
            write!(stdout, "{}", hash.finalize())
        }
    }
}

/// What `Lines` writes.
pub(crate) fn expected_lines(bytes: u64) -> Expected {
    let mut hash = Hasher::new();
    // A Vec takes any write.
    let mut sink = HashWriter(&mut hash);
    let _ = write_lines(&mut sink, bytes);
    Expected {
        bytes,
        hash: hash.finalize(),
    }
}

/// What `head -c BYTES /dev/zero` writes.
pub(crate) fn expected_zeros(bytes: u64) -> Expected {
    let mut hash = Hasher::new();
    let zeros = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(1 << 20);
        hash.update(&zeros[..usize::try_from(count).unwrap_or(0)]);
        left -= count;
    }
    Expected {
        bytes,
        hash: hash.finalize(),
    }
}

struct HashWriter<'a>(&'a mut Hasher);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_lines(to: &mut impl Write, bytes: u64) -> io::Result<()> {
    let mut block = Vec::new();
    for line in 0..LINES {
        writeln!(
            block,
            "{line:08} a line of text as a compiler or a test run writes it.."
        )?;
    }
    debug_assert_eq!(block.len() as u64, LINES * LINE_BYTES, "each line has its length");
    let mut left = bytes;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        to.write_all(&block[..count])?;
        left -= count as u64;
    }
    Ok(())
}

/// Length of a stamp with its newline: two numbers of 16 digits.
pub(crate) const STAMP_BYTES: usize = 34;

fn write_stamps(to: &mut impl Write, interval_ms: u64, count: u64) -> io::Result<()> {
    let step_ns = interval_ms * clock::MILLISECOND_NS;
    let start_ns = clock::now_ns();
    for number in 0..count {
        let wait_ns = (start_ns + number * step_ns).saturating_sub(clock::now_ns());
        std::thread::sleep(Duration::from_nanos(wait_ns));
        let line = format!("{number:016} {:016}\n", clock::now_ns());
        to.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// The number and the time of a stamp.
pub(crate) fn parse_stamp(line: &[u8]) -> Option<(u64, u64)> {
    let (number, rest) = crate::event::number(line)?;
    let (time_ns, _) = crate::event::number(rest.strip_prefix(b" ")?)?;
    Some((number, time_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_as_long_as_they_say() {
        let mut text = Vec::new();
        write_lines(&mut text, 100_000).unwrap();
        assert_eq!(text.len(), 100_000);
        assert!(text.split(|byte| *byte == b'\n').all(|line| line.len() < 64));
        assert_eq!(
            expected_lines(100_000),
            Expected {
                bytes: 100_000,
                hash: crc32fast::hash(&text)
            }
        );
        assert_eq!(expected_zeros(3).hash, crc32fast::hash(&[0; 3]));
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let mut text = Vec::new();
        write_stamps(&mut text, 0, 2).unwrap();
        assert_eq!(text.len(), 2 * STAMP_BYTES);
        let (number, time_ns) = parse_stamp(&text[STAMP_BYTES..]).unwrap();
        assert_eq!(number, 1);
        assert!(time_ns <= clock::now_ns());
    }
}
