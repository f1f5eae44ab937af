//! Bad input costs only itself: it gets the error that the contract names, what comes right after it
//! works, and processes do not notice.

mod ignored;
mod messages;
mod params;
mod stdio;
mod websocket;
