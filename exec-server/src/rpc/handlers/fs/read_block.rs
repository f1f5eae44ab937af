//! `fs/readBlock`

use std::sync::Arc;

use exec_protocol::RpcError;
use exec_protocol::fs::{ReadBlock, ReadBlockParams, ReadBlockResult};

use super::{FileMethod, Plan, error};
use crate::files::{Place, Touch};
use crate::limits::MAX_FILE_BLOCK_BYTES;
use crate::session::Session;

impl FileMethod for ReadBlock {
    fn plan(params: ReadBlockParams, session: &Arc<Session>) -> Result<Plan<ReadBlockResult>, RpcError> {
        let length = usize::try_from(params.len).unwrap_or(usize::MAX);
        if !(1..=MAX_FILE_BLOCK_BYTES).contains(&length) {
            let message = format!("a block has between 1 and {MAX_FILE_BLOCK_BYTES} bytes");
            return Err(error::invalid_param("len", message));
        }
        let handles = Arc::clone(session.files().handles());
        let touches = vec![Touch::Look(Place::Handle(params.handle_id.clone()))];
        Ok(Plan::writing(touches, move |_, out| {
            handles.read(&params.handle_id, params.offset, length, out)
        }))
    }
}
