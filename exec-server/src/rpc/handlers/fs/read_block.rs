//! `fs/readBlock`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{ReadBlock, ReadBlockParams, ReadBlockResult};

use super::{FileMethod, Plan, refuse_length};
use crate::files::{Place, Touch};
use crate::session::Session;

impl FileMethod for ReadBlock {
    fn plan(params: ReadBlockParams, session: &Arc<Session>) -> Result<Plan<ReadBlockResult>, RpcError> {
        let length = usize::try_from(params.len).unwrap_or(usize::MAX);
        refuse_length(length, "len")?;
        let handles = Arc::clone(session.files().handles());
        let touches = vec![Touch::Look(Place::Handle(params.handle_id.clone()))];
        Ok(Plan::writing(touches, move |_, out| {
            handles.read(&params.handle_id, params.offset, length, out)
        }))
    }
}
