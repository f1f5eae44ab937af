//! Files and directories of the machine that commands run on.
//!
//! A path that is not there is answered with [`ErrorKind::PathNotFound`](crate::ErrorKind::PathNotFound) by each of these
//! methods.

mod canonicalize;
mod close;
mod copy;
mod create_directory;
mod get_metadata;
mod open;
mod read_block;
mod read_directory;
mod read_file;
mod remove;
mod walk;
mod write_block;
mod write_file;

pub use canonicalize::{Canonicalize, CanonicalizeParams, CanonicalizeResult};
pub use close::{Close, CloseParams};
pub use copy::{Copy, CopyParams};
pub use create_directory::{CreateDirectory, CreateDirectoryParams};
pub use get_metadata::{GetMetadata, GetMetadataParams, Metadata};
pub use open::{Open, OpenMode, OpenParams, OpenResult};
pub use read_block::{ReadBlock, ReadBlockParams, ReadBlockResult};
pub use read_directory::{DirectoryEntry, ReadDirectory, ReadDirectoryParams, ReadDirectoryResult};
pub use read_file::{ReadFile, ReadFileParams, ReadFileResult};
pub use remove::{Remove, RemoveParams};
pub use walk::{Walk, WalkEntry, WalkError, WalkKind, WalkOptions, WalkParams, WalkResult};
pub use write_block::{WriteBlock, WriteBlockParams};
pub use write_file::{WriteFile, WriteFileParams};
