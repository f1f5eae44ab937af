//! A message per line.

use std::io::{self, Read, Write};
use std::ops::Range;

use super::inbox::Inbox;

pub(super) fn send(to: &mut impl Write, message: &[u8], framed: &mut Vec<u8>) -> io::Result<()> {
    framed.extend_from_slice(message);
    framed.push(b'\n');
    to.write_all(framed)
}

pub(super) fn receive(from: &mut impl Read, inbox: &mut Inbox) -> io::Result<Option<Range<usize>>> {
    let mut searched = 0;
    loop {
        let pending = inbox.pending();
        if let Some(found) = memchr::memchr(b'\n', &pending[searched..]) {
            let range = inbox.take(0, searched + found);
            inbox.take(1, 0);
            return Ok(Some(range));
        }
        searched = pending.len();
        if !inbox.fill(from, 0)? {
            return Ok(None);
        }
    }
}
