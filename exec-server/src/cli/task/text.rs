//! Texts of others on a terminal of ours.

/// Marks where a text was cut.
const ELLIPSIS: char = '…';

/// The text with everything escaped that could command a terminal, or show something else than what it says.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_dangerous(letter) {
            escaped.extend(letter.escape_default());
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The text, cut to so many columns; `…` stands for what is cut off.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += columns_of(letter);
        if used > limit {
            break;
        }
        cut.push(letter);
    }
    if limit > 0 {
        cut.push(ELLIPSIS);
    }
    cut
}

fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            // Separators of lines, and what changes the direction of writing.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Nearly: which letters are wide differs between terminals.
fn columns_of(letter: char) -> usize {
    match u32::from(letter) {
        0x300..=0x36f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_text_holds_commands_the_terminal() {
        let evil = "a\u{1b}]0;owned\u{7}\r\nb\tc\u{7f}\u{9b}31m\u{202e}x\0";
        let text = escaped(evil);
        assert!(!text.chars().any(is_dangerous), "{text:?}");
        assert_eq!(text, r"a\u{1b}]0;owned\u{7}\r\nb\tc\u{7f}\u{9b}31m\u{202e}x\u{0}");
        assert_eq!(escaped("größer 漢字 🦀"), "größer 漢字 🦀");
    }

    #[test]
    fn a_text_is_cut_at_a_column() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(columns("e\u{301}漢"), 3);
    }
}
