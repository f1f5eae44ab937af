//! What this program says: results on standard output, remarks on standard error.

use std::io::{self, Write as _};

use serde::Serialize;

/// Writes a text to standard output.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a result to standard output as the wire has it, in a line of its own.
pub(super) fn print_json(result: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(result)?;
    line.push('\n');
    print(&line)
}

/// Writes a line for people to standard error. Nobody may be reading.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
