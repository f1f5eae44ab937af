//! What a peer must know.

use std::time::SystemTime;

use super::{CapabilityToken, Identity, Refusal, SignedBearer};

/// What a peer must know, and shows as `Authorization: Bearer …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// One token for everybody.
    Capability(CapabilityToken),
    /// A token that somebody signed who shares a secret with this server.
    SignedBearer(SignedBearer),
}

impl Credentials {
    /// Who it is that shows this token.
    pub(super) fn check(&self, token: &[u8], now: SystemTime) -> Result<Identity, Refusal> {
        match self {
            Self::Capability(expected) if expected.is(token) => Ok(Identity::Token),
            Self::Capability(_) => Err(Refusal::WrongToken),
            Self::SignedBearer(rules) => rules.check(token, now),
        }
    }
}
