//! Tokens that somebody signed who shares a secret with this server: JSON Web Tokens (RFC 7519), by HS256 and nothing else.

mod claims;
mod hs256;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};

use super::{Identity, Refusal, Secret};
use crate::limits::CLOCK_SKEW;
use claims::Claims;

/// What a signed token must say.
///
/// It must have an expiry, `exp`, and may have a beginning, `nbf`. One that is for some audience is refused unless that is
/// this server's, as RFC 7519 says; so is one that names none if this server has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBearer {
    secret: Secret,
    /// Who must have issued it. None: anybody who knows the secret.
    pub issuer: Option<String>,
    /// What this server is called in tokens that are for it.
    pub audience: Option<String>,
    /// How far the clocks may be apart. A token is good for so much longer on both sides.
    pub max_clock_skew: Duration,
}

impl SignedBearer {
    /// Any token that is signed with this secret, at its time.
    ///
    /// The first call gives the crate `jsonwebtoken` its cryptography for this program, which knows HS256 and nothing else, unless
    /// somebody has given it one. A program that uses the crate for other algorithms as well does so first.
    pub fn new(secret: Secret) -> Self {
        hs256::install();
        Self {
            secret,
            issuer: None,
            audience: None,
            max_clock_skew: CLOCK_SKEW,
        }
    }

    /// Whom this token names, if it is good.
    ///
    /// The library checks its form, its algorithm and its signature. What it says is checked here, because the library looks at
    /// a clock of its own and takes an audience that is no text for none.
    pub(super) fn check(&self, token: &[u8], now: SystemTime) -> Result<Identity, Refusal> {
        let mut signed = Validation::new(Algorithm::HS256);
        signed.required_spec_claims.clear();
        signed.validate_exp = false;
        signed.validate_aud = false;
        let key = DecodingKey::from_secret(self.secret.expose());
        // Whoever did not sign it hears no more of it than that.
        let TokenData { header, claims } =
            decode::<serde_json::Value>(token, &key, &signed).map_err(|_| Refusal::NotSigned)?;
        // It wants something understood that we do not know (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::InvalidClaims);
        }
        let claims: Claims = serde_json::from_value(claims).map_err(|_| Refusal::InvalidClaims)?;
        claims.check(self, seconds(now))?;
        Ok(Identity::Subject {
            issuer: claims.iss.map(Into::into),
            subject: claims.sub.map(Into::into),
        })
    }
}

/// Seconds since 1970, as tokens have them. A clock that is further back knows nothing.
fn seconds(now: SystemTime) -> f64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests;
