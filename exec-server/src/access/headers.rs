//! Headers of a request that mean something here only if they are there once.

use super::Refusal;

/// How often a header stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header<'a> {
    /// Not at all.
    Absent,
    /// Once, with this value.
    Once(&'a [u8]),
    /// More often: whoever stands between us and the peer may have looked at another one than we would.
    Repeated,
}

/// The header of this name, in any case.
pub(super) fn header<'a>(request: &httparse::Request<'_, 'a>, name: &str) -> Header<'a> {
    let mut values = request
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value);
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => Header::Once(value),
        (Some(_), Some(_)) => Header::Repeated,
    }
}

/// The token that the request shows as RFC 6750 says, in its header.
///
/// # Errors
///
/// A [`Refusal`] if there is none. One in the URL does not count: URLs are logged and remembered.
pub(super) fn bearer<'a>(request: &httparse::Request<'_, 'a>) -> Result<&'a [u8], Refusal> {
    let value = match header(request, "authorization") {
        Header::Once(value) => value,
        Header::Repeated => return Err(Refusal::SeveralCredentials),
        Header::Absent if has_token_in_url(request) => return Err(Refusal::TokenInUrl),
        Header::Absent => return Err(Refusal::NoCredential),
    };
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Refusal::OtherScheme);
    }
    match token.trim_ascii() {
        [] => Err(Refusal::NoCredential),
        token => Ok(token),
    }
}

fn has_token_in_url(request: &httparse::Request<'_, '_>) -> bool {
    let query = request.path.and_then(|target| target.split_once('?'));
    query.is_some_and(|(_, query)| {
        query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            name.eq_ignore_ascii_case("token") || name.eq_ignore_ascii_case("access_token")
        })
    })
}
