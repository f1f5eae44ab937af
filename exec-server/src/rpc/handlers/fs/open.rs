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
        let on_path = match mode {
            OpenMode::Read => Touch::look(&path),
            OpenMode::Replace => {
                handles.declare(&handle_id, &path);
                Touch::change(&path)
            }
        };
        let touches = vec![on_path, Touch::Change(Place::Handle(handle_id.clone()))];
        Ok(Plan::new(touches, move |_| {
            handles.open(&handle_id, &path, mode)?;
            Ok(OpenResult { handle_id })
        }))
    }
}
