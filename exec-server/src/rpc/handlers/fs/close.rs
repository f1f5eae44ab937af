//! `fs/close`

use std::sync::Arc;

use exec_protocol::fs::{Close, CloseParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan};
use crate::files::{Place, Touch};
use crate::session::Session;

impl FileMethod for Close {
    const MAKES_LESS: bool = true;

    fn plan(params: CloseParams, session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        let handle_id = params.handle_id;
        let handles = Arc::clone(session.files().handles());
        let withdrawn = handles.withdraw(&handle_id);
        let on_paths = withdrawn.iter().map(|path| Touch::change(path));
        let on_handle = Touch::Change(Place::Handle(handle_id.clone()));
        let touches = on_paths.chain([on_handle]).collect();
        Ok(Plan::new(touches, move |_| {
            handles.close(&handle_id)?;
            Ok(Empty {})
        }))
    }
}
