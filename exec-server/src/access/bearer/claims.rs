//! What a token says.

use serde::Deserialize;
use serde_json::Value;

use super::SignedBearer;
use crate::access::Refusal;

/// The claims of a token that mean something here. Times are in seconds since 1970, and may be fractions.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    exp: f64,
    nbf: Option<f64>,
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    /// A name, or a list of them.
    aud: Option<Value>,
}

impl Claims {
    /// Refuses a token that is not for this server or not for this moment, in seconds since 1970.
    pub(super) fn check(&self, rules: &SignedBearer, now: f64) -> Result<(), Refusal> {
        let skew = rules.max_clock_skew.as_secs_f64();
        if now >= self.exp + skew {
            return Err(Refusal::Expired);
        }
        if self.nbf.is_some_and(|nbf| now < nbf - skew) {
            return Err(Refusal::NotYetValid);
        }
        if rules.issuer.is_some() && self.iss != rules.issuer {
            return Err(Refusal::ForeignIssuer);
        }
        match (&self.aud, &rules.audience) {
            (None, None) => Ok(()),
            (Some(aud), Some(audience)) if names(aud, audience) => Ok(()),
            (Some(_), _) | (None, Some(_)) => Err(Refusal::ForeignAudience),
        }
    }
}

fn names(aud: &Value, audience: &str) -> bool {
    match aud {
        Value::String(name) => name == audience,
        Value::Array(names) => names.iter().any(|name| name == audience),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}
