//! The end of a server: polite first, then the kill, and nothing is left.

mod end_of_input;
mod library;
mod signals;
