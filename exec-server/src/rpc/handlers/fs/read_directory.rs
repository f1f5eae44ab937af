//! `fs/readDirectory`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{ReadDirectory, ReadDirectoryParams, ReadDirectoryResult};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, tidied};
use crate::session::Session;

impl FileMethod for ReadDirectory {
    fn plan(
        params: ReadDirectoryParams,
        _session: &Arc<Session>,
    ) -> Result<Plan<ReadDirectoryResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        let plan = Plan::look(tidied(params.path), |path| {
            let entries = files::read_directory(path)?;
            Ok(ReadDirectoryResult { entries })
        });
        Ok(plan.long())
    }
}
