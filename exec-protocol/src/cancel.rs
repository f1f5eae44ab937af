//! `$/cancelRequest`

use serde::{Deserialize, Serialize};

use crate::Notice;
use crate::envelope::RequestId;

/// `$/cancelRequest`: the client no longer wants an answer to what it asked for.
///
/// A notification of the client's. A request that waits is answered with the kind `cancelled`; one that is
/// answered already, or that no longer waits, is none of its business.
#[derive(Debug)]
pub enum CancelRequest {}

impl Notice for CancelRequest {
    const NAME: &'static str = "$/cancelRequest";
    type Params = CancelParams;
}

/// Which request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelParams {
    /// The request's id, written as it was written in the request.
    pub id: RequestId<'static>,
}
