//! `fs/createDirectory`

use std::sync::Arc;

use exec_protocol::fs::{CreateDirectory, CreateDirectoryParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, Touch, tidied};
use crate::session::Session;

impl FileMethod for CreateDirectory {
    fn plan(params: CreateDirectoryParams, _session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), params.follow_symlinks)?;
        let path = tidied(params.path);
        let touch = if params.recursive {
            Touch::make_with_parents()
        } else {
            Touch::change(&path)
        };
        Ok(Plan::new(vec![touch], move |_| {
            files::create_directory(&path, params.recursive)?;
            Ok(Empty {})
        }))
    }
}
