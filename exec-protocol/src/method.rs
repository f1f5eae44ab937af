//! What ties a name on the wire to its types.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A request and its answer.
pub trait Method {
    /// The method's name on the wire.
    const NAME: &'static str;
    /// Whether sending the request twice does what sending it once does, so that a client may
    /// repeat it when a connection broke before the answer came.
    const REPEATABLE: bool;
    /// What the client sends.
    type Params: Serialize + DeserializeOwned + Send + 'static;
    /// What the server answers.
    type Result: Serialize + DeserializeOwned + Send + 'static;
}

/// A message without an answer.
pub trait Notice {
    /// The notification's name on the wire.
    const NAME: &'static str;
    /// What it carries.
    type Params: Serialize + DeserializeOwned + Send + 'static;
}

/// Params or a result without members: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}
