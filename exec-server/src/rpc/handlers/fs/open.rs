//! `fs/open`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{Open, OpenMode, OpenParams, OpenResult};

use super::{FileMethod, Plan, refuse_limits};
use crate::files::{Place, Touch, tidied};
use crate::session::Session;

impl FileMethod for Open {
    /// The handle is there from now on: what is asked of it waits until it was opened.
    fn plan(params: OpenParams, session: &Arc<Session>) -> Result<Plan<OpenResult>, RpcError> {
        refuse_limits(params.sandbox.as_ref(), true)?;
        let (handle_id, path) = (params.handle_id, tidied(params.path));
        let reserved = session.files().reserve(&handle_id, &path, params.mode)?;
        let on_path = match params.mode {
            OpenMode::Read => Touch::look(&path),
            OpenMode::Replace => Touch::change(&path),
        };
        let touches = vec![on_path, Touch::Change(Place::Handle(handle_id.clone()))];
        Ok(Plan::new(touches, move |_| {
            reserved.open()?;
            Ok(OpenResult { handle_id })
        }))
    }
}
