//! `fs/writeFile`

use std::sync::Arc;

use exec_protocol::fs::{WriteFile, WriteFileParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, FileError, tidied};
use crate::limits::MAX_FILE_BYTES;
use crate::session::Session;

impl FileMethod for WriteFile {
    fn plan(params: WriteFileParams, _session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), params.follow_symlinks)?;
        let data = params.data.0;
        let bytes = data.len();
        if bytes > MAX_FILE_BYTES {
            return Err(FileError::TooLarge.into());
        }
        let plan = Plan::change(tidied(params.path), move |path| {
            files::write(path, &data)?;
            Ok(Empty {})
        });
        Ok(plan.of_bytes(bytes))
    }
}
