//! What must hold for any bytes at all. Each function panics where it does not.
//!
//! Fuzzers call these, one for each of their targets; the tests call them with the inputs in `fuzz/corpus`.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says no")]

use std::sync::Arc;

use crate::framing::{Frame, LineDecoder};
use crate::limits::MAX_HTTP_HEAD_BYTES;
use crate::output::{Fed, Found, Pattern, Scanner, Surroundings};
use crate::transport::answer_to;

/// How many bytes come at a time.
const READS: [usize; 4] = [1, 2, 7, 64];

/// Longest text of a match that is asked for, in bytes.
const MATCH_TEXT_BYTES: usize = 64;

/// However a stream comes, the same messages are in it, and no more is kept of it than a message may have.
pub fn framing(bytes: &[u8]) {
    for max_bytes in [1, 8, 100, 1 << 20] {
        let whole = frames(bytes, bytes.len().max(1), max_bytes);
        for frame in &whole {
            if let Frame::Message(line) = frame {
                assert!(line.len() <= max_bytes && !line.contains(&b'\n'));
            }
        }
        for read_bytes in READS {
            assert_eq!(frames(bytes, read_bytes, max_bytes), whole);
        }
    }
}

fn frames(stream: &[u8], read_bytes: usize, max_bytes: usize) -> Vec<Frame> {
    let mut decoder = LineDecoder::new(max_bytes);
    let mut frames = Vec::new();
    for piece in stream.chunks(read_bytes) {
        decoder.buffer().extend_from_slice(piece);
        frames.extend(std::iter::from_fn(|| decoder.next()));
        // One more for a `\r` that may belong to the end of the line.
        assert!(decoder.buffer().len() <= max_bytes + 1, "too much is kept");
    }
    frames.extend(decoder.finish());
    frames
}

/// However the head of an HTTP request comes, it is answered in the same way, as soon as it can be, with one answer that is
/// whole.
pub fn handshake(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MAX_HTTP_HEAD_BYTES - 1)];
    let whole = answer_to(bytes);
    for read_bytes in READS {
        let mut ends = (0..bytes.len()).step_by(read_bytes).skip(1).chain([bytes.len()]);
        let answered = ends.find_map(|end| answer_to(&bytes[..end]));
        assert_eq!(answered, whole);
    }
    let Some((answer, head_bytes)) = whole else {
        return;
    };
    assert!(head_bytes <= bytes.len());
    let Some(answer) = answer else {
        return;
    };
    let answer = String::from_utf8(answer).expect("an answer is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("its head has an end");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status
        .and_then(|rest| rest.split(' ').next())
        .expect("it has a status");
    assert!(lines.all(|line| line.contains(": ")), "{answer}");
    if status == "101" {
        assert!(body.is_empty() && head.to_ascii_lowercase().contains("\r\nsec-websocket-accept: "));
    } else {
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{answer}"
        );
        assert!(status.starts_with(['2', '4']), "{answer}");
    }
}

/// The first line is a pattern, which is looked for in the rest: its match ends in the same place however that comes.
pub fn pattern(bytes: &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let Ok(text) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let Ok(pattern) = Pattern::new(text, 1) else {
        return;
    };
    let pattern = Arc::new(pattern);
    let output = bytes.get(end + 1..).unwrap_or_default();
    let whole = match_end(&pattern, output, output.len().max(1));
    for read_bytes in READS {
        assert_eq!(match_end(&pattern, output, read_bytes), whole);
    }
    if let Some(end) = whole {
        text_of_match(pattern, output, end);
    }
}

fn match_end(pattern: &Arc<Pattern>, output: &[u8], read_bytes: usize) -> Option<usize> {
    let mut scanner = Scanner::new(Arc::clone(pattern));
    let mut seen = 0;
    for piece in output.chunks(read_bytes) {
        let mut left = piece;
        while !left.is_empty() {
            match scanner.feed(left, &mut pattern.go()) {
                Fed::Match(at) => return Some(seen + at),
                Fed::Taken(taken) => {
                    seen += taken;
                    left = &left[taken..];
                }
            }
        }
    }
    scanner.matches_at_end().then_some(seen)
}

fn text_of_match(pattern: Arc<Pattern>, output: &[u8], end: usize) {
    let around = Surroundings {
        bytes: output.to_vec(),
        end,
        seen_from: 0,
        is_cut: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("it has no I/O");
    let text = runtime.block_on(Found::new(pattern, around).text(MATCH_TEXT_BYTES));
    assert!(text.len() <= MATCH_TEXT_BYTES);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(target: &str, check: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fuzz/corpus")
            .join(target);
        let mut seeds = 0;
        for entry in fs::read_dir(corpus).unwrap() {
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
        replay("framing", super::framing);
    }

    #[test]
    fn however_the_corpus_is_cut_the_handshake_is_answered_alike() {
        replay("handshake", super::handshake);
    }

    #[test]
    fn however_the_corpus_is_cut_patterns_match_in_the_same_place() {
        replay("pattern", super::pattern);
    }
}
