//! `fs/readFile`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{ReadFile, ReadFileParams, ReadFileResult};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, Touch, tidied};
use crate::session::Session;

impl FileMethod for ReadFile {
    fn plan(params: ReadFileParams, _session: &Arc<Session>) -> Result<Plan<ReadFileResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), params.follow_symlinks)?;
        let path = tidied(params.path);
        let plan = Plan::writing(vec![Touch::look(&path)], move |_, out| files::read(&path, out));
        Ok(plan.long())
    }
}
