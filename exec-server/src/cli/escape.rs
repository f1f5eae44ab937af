//! Letters of others where they could do harm: on a terminal of ours, in a line of our log.

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

/// Whether a letter ends a line, commands a terminal, or changes the direction of writing.
pub(super) fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
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
}
