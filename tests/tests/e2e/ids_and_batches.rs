//! The envelope: whose answer is whose, in what style, and what of it may be overtaken.

mod batches;
mod ids;
mod pipelining;
mod style;
