//! `fs/copy`

use std::sync::Arc;

use exec_protocol::fs::{Copy, CopyParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{self, Touch, tidied};
use crate::session::Session;

impl FileMethod for Copy {
    fn plan(params: CopyParams, _session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        let (source, destination) = (tidied(params.source_path), tidied(params.destination_path));
        let on_destination = if params.recursive {
            Touch::make_with_parents()
        } else {
            Touch::change(&destination)
        };
        let touches = vec![Touch::look(&source), on_destination];
        Ok(Plan::new(touches, move |_| {
            files::copy(&source, &destination, params.recursive)?;
            Ok(Empty {})
        }))
    }
}
