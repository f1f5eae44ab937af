//! Caps of connections, and of whoever wants to come in by one.

use std::time::Duration;

/// Websocket connections at a time. Beyond it the server answers 503.
pub const MAX_CONNECTIONS: usize = 1024;

/// How long nothing comes from a websocket's peer before it is pinged, and again before the next ping.
///
/// Three fit into [`SILENT_PEER`], so that one that is lost costs nothing, and it is well within the minute after which
/// routers begin to forget a connection that is idle.
pub const PING_AFTER: Duration = Duration::from_secs(20);

/// How long nothing comes from a websocket's peer before it is hung up on. Its session can be resumed.
///
/// A network that is away for half a minute is a nuisance, and its connections often survive it. It leaves a
/// client that comes back the better part of [`DETACHED_SESSION`](super::DETACHED_SESSION), which only begins then.
pub const SILENT_PEER: Duration = Duration::from_mins(1);

/// Pings and pongs of one peer at once, on a websocket. Beyond it the connection is closed with 1008, and its session can be
/// resumed.
///
/// As many as come in a minute at the rate that is allowed: so long may we not read from a peer that takes nothing, before it counts
/// as [gone](SILENT_PEER). All of them take us some milliseconds, in turns.
pub const CONTROL_FRAMES_AT_ONCE: u32 = 8192;

/// Pings and pongs of one peer, once [`CONTROL_FRAMES_AT_ONCE`] is used up.
///
/// A client that measures its latency does so some twenty times a second, and six times that costs us next to nothing.
pub const CONTROL_FRAMES_PER_SECOND: u32 = 128;

/// Heads of the fragments of one message together, in bytes, if they come to more than what they hold. Beyond it the connection is
/// closed with 1008, and its session can be resumed.
///
/// So a short message may come byte by byte, and a long one in fragments of six bytes and more. Ten thousand empty ones take us
/// a millisecond or two.
pub const FRAGMENT_HEADS_BYTES: usize = 64 << 10;

/// Longest head of an HTTP request, in bytes. Beyond it the server answers 431.
pub const MAX_HTTP_HEAD_BYTES: usize = 8 << 10;

/// Connections of which it is not known yet whose they are, as their HTTP request was not answered. When there is one more, one
/// goes of those that come from where most of them come from.
///
/// A client is one for milliseconds.
pub const MAX_NEWCOMERS: usize = 64;

/// How long a connection may take for TLS, its HTTP request and `initialize` together. Then it is hung up on.
pub const NEWCOMER_WAIT: Duration = Duration::from_secs(10);

/// Shortest secret that is accepted from a file, in bytes. A shorter one is refused, because it can be guessed.
///
/// As much as HS256 wants of its key, and in hexadecimal digits still more than anybody can try.
pub const MIN_SECRET_BYTES: usize = 32;

/// Longest file with a secret, in bytes. A longer one is refused: it is something else.
pub const MAX_SECRET_FILE_BYTES: usize = 4 << 10;

/// How far the clocks of this server and of whoever signs its tokens may be apart, where nobody says otherwise.
///
/// Machines that ask for the time are apart by milliseconds; a token that lives a minute too long would be a risk.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Refused requests of one source at once that are answered. Beyond it, it is hung up on without an answer.
///
/// A person who tries out settings needs a few.
pub const REFUSALS_AT_ONCE: u32 = 10;

/// From one refused request to the next that is answered, once [`REFUSALS_AT_ONCE`] is used up.
pub const BETWEEN_REFUSALS: Duration = Duration::from_secs(1);

/// Sources of refused requests that are remembered. Beyond it the one is forgotten that would be answered in full soonest.
///
/// Each takes some 50 bytes. Who has more addresses than this learns nothing by it but refusals.
pub const MAX_REFUSED_SOURCES: usize = 1024;
