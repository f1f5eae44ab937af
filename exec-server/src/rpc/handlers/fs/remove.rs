//! `fs/remove`

use std::sync::Arc;

use exec_protocol::fs::{Remove, RemoveParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, tidied};
use crate::session::Session;

impl FileMethod for Remove {
    fn plan(params: RemoveParams, _session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), params.follow_symlinks)?;
        Ok(Plan::change(tidied(params.path), move |path| {
            files::remove(path, params.recursive, params.force)?;
            Ok(Empty {})
        }))
    }
}
