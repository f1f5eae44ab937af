//! `fs/open`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{Open, OpenMode, OpenParams, OpenResult};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{Place, Touch, tidied};
use crate::session::Session;

impl FileMethod for Open {
    fn plan(params: OpenParams, session: &Arc<Session>) -> Result<Plan<OpenResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        let (handle_id, path, mode) = (params.handle_id, tidied(params.path), params.mode);
        let handles = Arc::clone(session.files().handles());
        let on_handle = Touch::Change(Place::Handle(handle_id.clone()));
        Ok(match mode {
            OpenMode::Read => Plan::new(vec![Touch::look(&path), on_handle], move |_| {
                handles.open(&handle_id, &path)?;
                Ok(OpenResult { handle_id })
            }),
            OpenMode::Replace => {
                let declaration = handles.declare(&handle_id, &path);
                Plan::new(vec![Touch::change(&path), on_handle], move |_| {
                    declaration.open(&path)?;
                    Ok(OpenResult { handle_id })
                })
            }
        })
    }
}
