//! A coding agent that was written for another server: what it was recorded to say is said again.

mod differences;
mod folders;
mod recording;
mod replay;
mod scenarios;
mod told;
