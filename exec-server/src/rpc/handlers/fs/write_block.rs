//! `fs/writeBlock`

use std::sync::Arc;

use exec_protocol::fs::{WriteBlock, WriteBlockParams};
use exec_protocol::{Empty, RpcError};

use super::{FileMethod, Plan, error, refuse_length};
use crate::files::{Place, Touch};
use crate::session::Session;

impl FileMethod for WriteBlock {
    fn refused(params: WriteBlockParams, session: &Arc<Session>) {
        drop(session.files().handles().block(params.handle_id));
    }

    fn plan(params: WriteBlockParams, session: &Arc<Session>) -> Result<Plan<Empty>, RpcError> {
        let (offset, block) = (params.offset, params.chunk.0);
        refuse_length(block.len(), "chunk")?;
        let end = offset.checked_add(block.len() as u64);
        if end.is_none_or(|end| i64::try_from(end).is_err()) {
            return Err(error::invalid_param("offset", "no file is that long"));
        }
        let touches = vec![Touch::Change(Place::Handle(params.handle_id.clone()))];
        let to_write = session.files().handles().block(params.handle_id);
        let bytes = block.len();
        let plan = Plan::new(touches, move |_| {
            to_write.write(offset, &block)?;
            Ok(Empty {})
        });
        Ok(plan.of_bytes(bytes))
    }
}
