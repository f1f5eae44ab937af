//! `fs/getMetadata`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{GetMetadata, GetMetadataParams, Metadata};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, tidied};
use crate::session::Session;

impl FileMethod for GetMetadata {
    fn plan(params: GetMetadataParams, _session: &Arc<Session>) -> Result<Plan<Metadata>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), params.follow_symlinks)?;
        Ok(Plan::look(tidied(params.path), files::metadata))
    }
}
