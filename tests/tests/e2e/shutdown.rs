//! The end of a server: polite first, then the kill, and nothing is left.

mod end_of_input;
mod hang_up;
mod library;
mod load;
mod signals;
