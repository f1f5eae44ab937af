//! Names that nobody else has.

use std::fmt::Write as _;
use std::io;

/// So many random bytes, as letters and digits.
///
/// # Errors
///
/// When the system has no randomness to give.
pub(crate) fn name(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)?;
    let mut name = String::with_capacity(2 * bytes);
    for byte in random {
        // Writing to a text cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}
