//! Errors with what is behind them.

use std::error::Error;

/// The error with its causes, in a line.
pub(crate) fn described(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    message
}
