//! `fs/close`

use std::sync::Arc;

use exec_protocol::fs::{Close, CloseParams, OpenMode};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan};
use crate::files::{Place, Touch};
use crate::session::Session;

impl FileMethod for Close {
    /// The name is free from now on.
    fn plan(params: CloseParams, session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        let handle_id = params.handle_id;
        let Some(handle) = session.files().take(&handle_id) else {
            return Ok(Plan::new(Vec::new(), |_| Ok(Empty {})));
        };
        let mut touches = vec![Touch::Change(Place::Handle(handle_id))];
        if handle.mode == OpenMode::Replace {
            touches.push(Touch::change(&handle.path));
        }
        Ok(Plan::new(touches, move |_| {
            handle.close()?;
            Ok(Empty {})
        }))
    }
}
