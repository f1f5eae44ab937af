//! A text that somebody may have written who means harm.

use std::fmt::{self, Write};

use super::super::escape::is_dangerous;
use crate::limits::MAX_LOG_VALUE_BYTES;

/// Stands for what is cut off.
const ELLIPSIS: char = '…';

/// The beginning of a text, as much of it as is logged. More is taken, and dropped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    kept: String,
    is_cut: bool,
}

/// Where in a line a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among other words.
    Free,
    /// Between quotation marks.
    Quoted,
    /// Between those of JSON.
    Json,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.is_cut {
            let room = MAX_LOG_VALUE_BYTES - self.kept.len();
            let end = text.floor_char_boundary(room);
            self.kept.push_str(&text[..end]);
            self.is_cut = end < text.len();
        }
        Ok(())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut taken = Self::default();
        taken.write_str(text).expect("it takes everything");
        taken
    }
}

impl Text {
    /// As much of it as is kept.
    pub(super) fn as_str(&self) -> &str {
        &self.kept
    }

    /// Whether it can stand among other words and be told from them.
    pub(super) fn is_word(&self) -> bool {
        let stands_out = |letter: char| {
            letter.is_whitespace() || is_dangerous(letter) || matches!(letter, '"' | '\\' | '=')
        };
        !self.kept.is_empty() && !self.is_cut && !self.kept.contains(stands_out)
    }

    /// Adds it to a line. It takes no more than [`MAX_LOG_VALUE_BYTES`] there, and can neither end the line nor leave its place.
    pub(super) fn write_to(&self, line: &mut String, place: Place) {
        let end = line.len() + MAX_LOG_VALUE_BYTES - ELLIPSIS.len_utf8();
        for letter in self.kept.chars() {
            let before = line.len();
            write_letter(line, letter, place);
            if line.len() > end {
                line.truncate(before);
                line.push(ELLIPSIS);
                return;
            }
        }
        if self.is_cut {
            line.push(ELLIPSIS);
        }
    }
}

fn write_letter(line: &mut String, letter: char, place: Place) {
    match (letter, place) {
        ('"' | '\\', Place::Quoted | Place::Json) => line.extend(['\\', letter]),
        (letter, _) if !is_dangerous(letter) => line.push(letter),
        (letter, Place::Free | Place::Quoted) => line.extend(letter.escape_default()),
        (letter, Place::Json) => {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                write!(line, "\\u{unit:04x}").expect("a string takes everything");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, place: Place) -> String {
        let mut line = String::new();
        Text::from(text).write_to(&mut line, place);
        line
    }

    #[test]
    fn a_text_stays_in_its_place() {
        let evil = "a\"b\\c\n\u{9b}\u{2028}\u{202e}é";
        assert_eq!(written(evil, Place::Free), r#"a"b\c\n\u{9b}\u{2028}\u{202e}é"#);
        assert_eq!(
            written(evil, Place::Quoted),
            r#"a\"b\\c\n\u{9b}\u{2028}\u{202e}é"#
        );
        assert_eq!(written(evil, Place::Json), r#"a\"b\\c\u000a\u009b\u2028\u202eé"#);
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        for letter in ["a", "é", "漢", "🦀", "\u{1b}", "\""] {
            for place in [Place::Free, Place::Quoted, Place::Json] {
                let text = written(&letter.repeat(MAX_LOG_VALUE_BYTES), place);
                assert!(text.ends_with(ELLIPSIS), "{letter:?}");
                assert!(text.len() <= MAX_LOG_VALUE_BYTES, "{letter:?}");
                assert!(text.len() > MAX_LOG_VALUE_BYTES - 16, "{letter:?}");
            }
        }
        let short = "a".repeat(MAX_LOG_VALUE_BYTES - ELLIPSIS.len_utf8());
        assert_eq!(written(&short, Place::Free), short);
    }

    #[test]
    fn only_what_cannot_be_mistaken_is_a_word() {
        assert!(Text::from("/a/b:c").is_word());
        for text in ["", "a b", "a=b", "a\"", "a\\", "a\u{202e}", "a\n"] {
            assert!(!Text::from(text).is_word(), "{text:?}");
        }
    }
}
