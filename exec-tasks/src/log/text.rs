//! Output as text.

use std::borrow::Cow;

use vte::{Params, Parser, Perform};

/// How long a sequence of UTF-8 is at most that lacks its end, in bytes.
const MAX_UNFINISHED: usize = 3;

/// How far from the end an escape sequence is looked for that lacks its end, in bytes.
const MAX_ESCAPE_BYTES: usize = 32;

/// Output as it is read: UTF-8, with a replacement character for what is none, without escape sequences and control
/// characters but tab and line feed. A carriage return before a line feed is none. Of a line that was written over after
/// another carriage return, or a backspace, what was written last is told; one at the end has not written over anything yet.
///
/// Each line is told by itself: an escape sequence ends with the line that it is in.
pub(super) fn text_of(bytes: &[u8]) -> String {
    let is_plain = |line: &[u8]| line.iter().fold(true, |plain, &byte| plain & is_plain(byte));
    let mut text = String::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let (line, end) = match line.split_last() {
            Some((b'\n', line)) => (line, "\n"),
            Some(_) | None => (line, ""),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_plain(line) {
            text.push_str(&String::from_utf8_lossy(line));
        } else {
            text.push_str(&told(line));
        }
        text.push_str(end);
    }
    text
}

/// A line as the text view tells it, without its line feed.
pub(super) fn line_of(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.iter().fold(true, |plain, &byte| plain & is_plain(byte)) {
        Cow::Owned(told(line).into_bytes())
    } else if line.is_ascii() {
        Cow::Borrowed(line)
    } else {
        match String::from_utf8_lossy(line) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }
}

/// How long the character at the end is, in bytes, if it lacks its own end; else 0.
pub(super) fn unfinished_character(bytes: &[u8]) -> usize {
    let is_unfinished = |&length: &usize| {
        let tail = &bytes[bytes.len() - length..];
        std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=MAX_UNFINISHED.min(bytes.len()))
        .find(is_unfinished)
        .unwrap_or(0)
}

/// How long the character or the escape sequence at the end is, in bytes, if it lacks its own end; else 0.
pub(super) fn unfinished_end(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(MAX_ESCAPE_BYTES)..];
    let escape = memchr::memrchr(0x1B, tail).filter(|&start| match &tail[start + 1..] {
        [] => true,
        [b'[', parameters @ ..] => parameters.iter().all(|byte| (0x20..0x40).contains(byte)),
        _ => false,
    });
    match escape {
        Some(start) => tail.len() - start,
        None => unfinished_character(bytes),
    }
}

/// Whether a byte of a line stands for itself in the text, or for a part of a character. 0xC2 begins some control
/// characters, among others.
fn is_plain(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7F && byte != 0xC2)
}

fn told(line: &[u8]) -> String {
    let mut told = Told::default();
    Parser::new().advance(&mut told, String::from_utf8_lossy(line).as_bytes());
    told.text
}

/// What a line comes to while it is written.
#[derive(Debug, Default)]
struct Told {
    text: String,
    /// How many characters at the end are written over by the next one.
    over: usize,
}

impl Told {
    fn back_to_begin(&mut self) {
        self.over = usize::MAX;
    }
}

impl Perform for Told {
    fn print(&mut self, character: char) {
        if character == '\x7F' {
            return;
        }
        if self.over == usize::MAX {
            self.text.clear();
        }
        for _ in 0..self.over.min(self.text.len()) {
            self.text.pop();
        }
        self.over = 0;
        self.text.push(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.print('\t'),
            b'\r' => self.back_to_begin(),
            0x08 => self.over = self.over.saturating_add(1),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        // To the first column: what some programs say instead of a carriage return.
        let column = params.iter().next().and_then(|values| values.first());
        if action == 'G' && intermediates.is_empty() && column.is_none_or(|&column| column <= 1) {
            self.back_to_begin();
        }
    }
}
