//! What is said: every message of the wire as a type, and nothing about who sends it or how.
//!
//! The crate is pure. It does no I/O, holds no policy and knows no runtime, so a client can
//! depend on it without taking a line of the server with it.
//!
//! * [`envelope`] takes a message apart and puts one together: JSON-RPC 2.0, read leniently.
//! * [`Method`] and [`Notice`] tie a name on the wire to its params and result; each message of
//!   [`process`], [`task`], [`fs`], [`session`], [`server`], [`initialize`] and [`environment`] implements one of them.
//! * [`ErrorKind`] is the one place where an error has its name and its code.
//! * [`Blob`], [`ProcessId`], [`SessionId`], [`WriteId`] and the other ids, [`Seq`] and [`WirePath`] are validated
//!   when they are parsed: whoever holds one need not check it again.
//!
//! ```
//! use exec_protocol::{Method, process::{Start, StartParams}};
//!
//! let params: StartParams = exec_protocol::parse_params(Some(
//!     r#"{"processId":"p1","argv":["/bin/echo","hi"],"cwd":"file:///tmp"}"#,
//! ))?;
//! assert_eq!(Start::NAME, "process/start");
//! assert_eq!(params.cwd.as_ref().map(|cwd| cwd.as_path()), Some("/tmp".as_ref()));
//! # Ok::<(), exec_protocol::ParamsError>(())
//! ```

pub mod envelope;
pub mod environment;
pub mod fs;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod initialize;
pub mod process;
pub mod server;
pub mod session;
pub mod task;

mod blob;
mod bounded;
mod cancel;
mod error;
mod id;
mod lenient;
mod method;
mod opaque;
mod params;
mod path;
mod seq;

pub use blob::{Blob, InvalidBase64};
pub use bounded::{MAX_ARGUMENTS, MAX_CHOICES, MAX_GLOBS, MAX_IDS};
pub use cancel::{CancelParams, CancelRequest};
pub use error::{ErrorCode, ErrorData, ErrorKind, LimitReached, RpcError};
pub use id::{Group, HandleId, IdTooLong, MAX_ID_BYTES, ProcessId, SessionId, StartKey, Uid, WriteId};
pub use lenient::{MAX_LABELS, MAX_NAMES, StringMap};
pub use method::{Empty, Method, Notice};
pub use params::{ParamsError, parse_params};
pub use path::{InvalidPath, MAX_PATH_BYTES, WirePath};
pub use seq::Seq;
