//! `fs/canonicalize`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{Canonicalize, CanonicalizeParams, CanonicalizeResult};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, tidied};
use crate::session::Session;

impl FileMethod for Canonicalize {
    fn plan(
        params: CanonicalizeParams,
        _session: &Arc<Session>,
    ) -> Result<Plan<CanonicalizeResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        Ok(Plan::look(tidied(params.path), |path| {
            let path = files::canonical(path)?;
            Ok(CanonicalizeResult { path })
        }))
    }
}
