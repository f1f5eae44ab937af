//! How deep a message nests, found out before anything is built from it.

/// Deepest nesting of arrays and objects in a message.
///
/// The deepest message of the contract needs six levels. A parser that recurses, ours or that of
/// someone who forwards our messages, overflows its stack at some depth; this one is far below.
pub const MAX_DEPTH: usize = 100;

/// Whether `text` nests deeper than [`MAX_DEPTH`].
///
/// Exact for well-formed JSON; on other text it may say anything, and the parser will refuse it.
/// Strings, which is where long messages are long, are passed over at the speed of `memchr`.
pub(super) fn is_too_deep(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(text, at),
            _ => {}
        }
    }
    false
}

/// The position behind the string whose opening quote stands before `at`.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        ["[".repeat(depth), "]".repeat(depth)].concat().into_bytes()
    }

    #[test]
    fn the_limit_is_exact() {
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        assert!(is_too_deep("{\"a\":".repeat(200_000).as_bytes()));
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = format!(r#"{{"a":"{}","b\"[":"\\"}}"#, "[".repeat(500));
        assert!(!is_too_deep(text.as_bytes()));
        assert!(!is_too_deep(b"\"unfinished \\"));
    }

    #[test]
    fn siblings_do_not_add_up() {
        assert!(!is_too_deep("[],".repeat(1000).as_bytes()));
    }
}
