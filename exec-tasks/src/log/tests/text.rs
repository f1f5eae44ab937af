//! Output as text.

use super::super::text::{line_of, text_of};
use super::*;

#[test]
fn escapes_go_and_what_was_written_over_too() {
    for (bytes, text) in [
        (&b""[..], ""),
        (b"a\tb\n", "a\tb\n"),
        (b"a\r\nb\r\r\nc\r", "a\nb\nc"),
        (b"10%\r20%\r30%\ndone\n", "30%\ndone\n"),
        (b"10%\r20%\r", "20%"),
        (b"\x1B[31mred\x1B[0m\n", "red\n"),
        (b"red\x1B[0m\r\x1B[0m\n", "red\n"),
        (b"10%\r\x1B[K20%\x1B[0m\n", "20%\n"),
        (b"10%\x1B[2K\x1B[1G20%\n", "20%\n"),
        (b"10%\x1B[G20%\n", "20%\n"),
        (b"a\x1B[5Gb\n", "ab\n"),
        (b"|\x08/\x08-\x08\\\n", "\\\n"),
        (b"12%\x08\x08\x0813%\x08", "13%"),
        (b"\x1B]0;title\x07text\n", "text\n"),
        (b"\x1B]8;;http://x\x1B\\link\x1B]8;;\x1B\\\n", "link\n"),
        // It ends with its line.
        (b"\x1B]0;title\ntext\n", "\ntext\n"),
        (b"\x1B[3\nmore\n", "\nmore\n"),
        (b"bell\x07 null\0\n", "bell null\n"),
        (b"\xFFa\xE2\x82\n\xE2\x82", "\u{fffd}a\u{fffd}\n\u{fffd}"),
        (
            "gr\u{fc}n \u{20ac}\u{9b}m\u{a0}\n".as_bytes(),
            "gr\u{fc}n \u{20ac}m\u{a0}\n",
        ),
    ] {
        assert_eq!(text_of(bytes), text, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn a_text_has_no_control_characters(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = text_of(&bytes);
        prop_assert!(text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{text:?}");
        prop_assert_eq!(counts::line_feeds(text.as_bytes()), counts::line_feeds(&bytes));
    }

    #[test]
    fn a_text_is_its_lines(bytes in outputs()) {
        let lines: Vec<_> = bytes.split(|&byte| byte == b'\n').map(|line| line_of(line).into_owned()).collect();
        prop_assert_eq!(text_of(&bytes).into_bytes(), lines.join(&b'\n'));
    }

    #[test]
    fn what_is_plain_stays_as_it_is(text in "[ -~\t\n\u{20ac}\u{fc}\u{1f600}]*") {
        prop_assert_eq!(text_of(text.as_bytes()), text);
    }

    #[test]
    fn no_character_is_halved_by_chunks(text in "[a\u{20ac}\u{fc}\u{1f600}\n]{0,40}", length in 1..5usize) {
        let mut fixture = Fixture::new(u64::MAX, OnOutputLimit::Stop);
        fixture.append(&text.as_bytes().chunks(length).collect::<Vec<_>>(), 0);
        prop_assert_eq!(texts_of(&fixture.read(&text_params())).concat(), text);
    }
}
