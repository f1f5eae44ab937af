//! Logs against simple models, and against coreutils and grep.
