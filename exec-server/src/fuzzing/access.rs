//! Who comes in, against a model of what a request must show.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use exec_protocol::Blob;
use ring::hmac;
use serde_json::Value;

use super::handshake::is_this_machine;
use super::head::Head;
use crate::access::{Access, Bound, CapabilityToken, Credentials, Identity, Secret, SignedBearer};
use crate::limits::CLOCK_SKEW;

/// The one token, and the secret that others are signed with.
const TOKEN: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Where in an input the token is to stand, and where the signed one.
const PLACES: [&str; 2] = ["%TOKEN%", "%SIGNED%"];

/// The moment of all requests, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

const UID: u32 = 1000;
const ISSUER: &str = "ci";
const AUDIENCE: &str = "exec";
const NAME: &str = "build.example";
const NAME_PORT: u16 = 4000;
const PAGE: &str = "https://ide.example";

/// Headers that say no more than they must.
const PLAIN: [&str; 2] = [r#"{"alg":"HS256"}"#, r#"{"alg":"HS256","typ":"JWT"}"#];

static SHARED: LazyLock<Access> = LazyLock::new(|| {
    let token = CapabilityToken::new(&Secret::of(TOKEN)).expect("it fits into a header");
    access_by(Credentials::Capability(token))
});

static SIGNED: LazyLock<Access> = LazyLock::new(|| {
    let mut rules = SignedBearer::new(Secret::of(TOKEN));
    rules.issuer = Some(ISSUER.to_owned());
    rules.audience = Some(AUDIENCE.to_owned());
    access_by(Credentials::SignedBearer(rules))
});

fn access_by(credentials: Credentials) -> Access {
    Access {
        credentials: Some(credentials),
        origins: vec![PAGE.parse().expect("it is an origin")],
        hosts: vec![format!("{NAME}:{NAME_PORT}").parse().expect("it is a name")],
    }
}

/// A request comes in that shows what it must, and no other.
///
/// The first line of the input is the header of a signed token, the second what the token says, and the rest a request, in which
/// `%SIGNED%` stands for that token and `%TOKEN%` for the one that all share.
pub fn access(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (header, claims, request) = (part(), part(), part());
    let token = signed(header, claims);
    let request = replaced(request, PLACES[0], TOKEN);
    let bytes = replaced(&request, PLACES[1], token.as_bytes());
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = request.parse(&bytes) else {
        return;
    };
    let head = Head::parse(&bytes[..length]);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let admit = |access: &Access, bound| access.admit(&request, bound, now).ok();

    let is_this_machine = is_this_machine(&head).is_ok();
    let has_origin = !head.values("origin").is_empty();
    let anybody = (is_this_machine && !has_origin).then_some(Identity::Local);
    assert_eq!(admit(&Access::default(), Bound::Tcp), anybody);

    let is_welcome = !has_origin || is_the_page(&head);
    let user = is_welcome.then_some(Identity::User(UID));
    assert_eq!(admit(&SHARED, Bound::Unix { uid: UID }), user);

    let is_for_us = is_welcome && (is_this_machine || is_the_name(&head));
    let shown = shown(&head).filter(|_| is_for_us);
    let sharer = shown.filter(|shown| *shown == TOKEN).map(|_| Identity::Token);
    assert_eq!(admit(&SHARED, Bound::Tcp), sharer);

    let signer = shown.filter(|shown| *shown == token.as_bytes());
    let subject = signer.and_then(|_| subject(header, claims));
    match admit(&SIGNED, Bound::Tcp) {
        Some(admitted) => assert_eq!(Some(admitted), subject),
        None => assert!(subject.is_none() || !is_plain(header), "a good token is refused"),
    }
}

/// The token that says this, signed with the secret.
fn signed(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", base64_url(header), base64_url(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, TOKEN), message.as_bytes());
    format!("{message}.{}", base64_url(signature.as_ref()))
}

fn base64_url(bytes: &[u8]) -> String {
    let text = serde_json::to_string(&Blob(bytes.to_vec().into())).expect("it is written as text");
    text.trim_matches(['"', '=']).replace('+', "-").replace('/', "_")
}

fn replaced(bytes: &[u8], place: &str, by: &[u8]) -> Vec<u8> {
    match memchr::memmem::find(bytes, place.as_bytes()) {
        Some(at) => [&bytes[..at], by, &bytes[at + place.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// What the request shows, if that is one token in the one place for it.
fn shown<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    let [value] = head.values("authorization")[..] else {
        return None;
    };
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

/// Whether it is for the one name that was listed.
fn is_the_name(head: &Head<'_>) -> bool {
    matches!(head.values("host")[..], [value] if is_at(value, NAME, Some(NAME_PORT)).is_some())
}

/// Whether it is from the one page that was listed, and from no other.
fn is_the_page(head: &Head<'_>) -> bool {
    // Its port is the one of its scheme.
    matches!(head.values("origin")[..], [value] if [None, Some(443)].into_iter().any(|port| is_at(value, PAGE, port).is_some()))
}

/// Whether this is that name, with that port.
fn is_at(value: &[u8], name: &str, port: Option<u16>) -> Option<()> {
    let text = str::from_utf8(value).ok()?.to_ascii_lowercase();
    let rest = text.strip_prefix(name)?;
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let named = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(digits) if digits.starts_with('+') => return None,
        Some(digits) => Some(digits.parse::<u16>().ok()?),
    };
    (named == port).then_some(())
}

fn is_plain(header: &[u8]) -> bool {
    PLAIN.iter().any(|plain| plain.as_bytes() == header)
}

/// Whom a token names that has this header and says this, if it is one for this server and this moment.
fn subject(header: &[u8], claims: &[u8]) -> Option<Identity> {
    let header: Value = serde_json::from_slice(header).ok()?;
    if header["alg"] != "HS256" || !header["crit"].is_null() {
        return None;
    }
    let claims: Value = serde_json::from_slice(claims).ok()?;
    let skew = CLOCK_SKEW.as_secs_f64();
    let now = Duration::from_secs(NOW).as_secs_f64();
    let time = |name: &str| claims[name].as_f64();
    let is_in_time = time("exp")? > now - skew
        && match &claims["nbf"] {
            Value::Null => true,
            _ => time("nbf")? <= now + skew,
        };
    let audience = Value::from(AUDIENCE);
    let is_ours = claims["aud"] == audience
        || claims["aud"]
            .as_array()
            .is_some_and(|names| names.contains(&audience));
    let is_trusted = claims["iss"] == ISSUER;
    let subject = match &claims["sub"] {
        Value::Null => None,
        Value::String(subject) => Some(subject.as_str().into()),
        _ => return None,
    };
    (is_in_time && is_ours && is_trusted).then(|| Identity::Subject {
        issuer: Some(ISSUER.into()),
        subject,
    })
}
