//! `exec-server run`: a command, as if it had been called directly.

mod pipes;
mod terminal;
