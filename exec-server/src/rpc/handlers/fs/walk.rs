//! `fs/walk`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{Walk, WalkParams, WalkResult};

use super::{FileMethod, Plan, error, refuse_limits};
use crate::files::{self, Touch, tidied};
use crate::session::Session;

impl FileMethod for Walk {
    fn plan(params: WalkParams, _session: &Arc<Session>) -> Result<Plan<WalkResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        let options = params.options;
        for (value, field) in [
            (options.max_directories, "options.maxDirectories"),
            (options.max_entries, "options.maxEntries"),
        ] {
            if value == Some(0) {
                return Err(error::invalid_param(
                    field,
                    "with 0 there would be nothing to tell",
                ));
            }
        }
        let top = tidied(params.path);
        let plan = Plan::new(vec![Touch::look(&top)], move |given_up| {
            files::walk(&top, options, given_up)
        });
        Ok(plan.long())
    }
}
