use base64_simd::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use ring::hmac;
use serde_json::json;

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The moment of all tests, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

fn rules() -> SignedBearer {
    SignedBearer::new(Secret::of(SECRET))
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn signed_by(algorithm: hmac::Algorithm, key: &[u8], header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode_to_string(part));
    let message = format!("{header}.{claims}");
    let signature = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
}

fn signed(header: &str, claims: &str) -> String {
    signed_by(hmac::HMAC_SHA256, SECRET, header, claims)
}

/// What becomes of a token that is well signed and says this.
fn told(rules: &SignedBearer, claims: &serde_json::Value) -> Result<Identity, Refusal> {
    rules.check(signed(HEADER, &claims.to_string()).as_bytes(), at(NOW))
}

fn subject(issuer: Option<&str>, subject: Option<&str>) -> Identity {
    let [issuer, subject] = [issuer, subject].map(|name| name.map(Into::into));
    Identity::Subject { issuer, subject }
}

fn good() -> String {
    signed(
        HEADER,
        &json!({ "exp": NOW + 60, "sub": "alice", "iss": "ci" }).to_string(),
    )
}

#[test]
fn a_good_token_names_its_subject() {
    assert_eq!(
        rules().check(good().as_bytes(), at(NOW)),
        Ok(subject(Some("ci"), Some("alice")))
    );
    assert_eq!(
        told(&rules(), &json!({ "exp": NOW + 60 })),
        Ok(subject(None, None))
    );
}

/// The example of RFC 7515, appendix A.1, which others have signed.
#[test]
fn a_token_of_others_is_understood() {
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let rules = SignedBearer::new(Secret::of(&URL_SAFE_NO_PAD.decode_to_vec(key).unwrap()));
    assert_eq!(
        rules.check(token.as_bytes(), at(1_300_819_379)),
        Ok(subject(Some("joe"), None))
    );
    assert_eq!(rules.check(token.as_bytes(), at(NOW)), Err(Refusal::Expired));
}

#[test]
fn only_hs256_with_the_servers_secret_counts() {
    let claims = json!({ "exp": NOW + 60 }).to_string();
    let mut tokens = vec![
        signed_by(
            hmac::HMAC_SHA256,
            b"another secret of thirty-two byte",
            HEADER,
            &claims,
        ),
        signed_by(hmac::HMAC_SHA256, b"", HEADER, &claims),
        signed_by(hmac::HMAC_SHA384, SECRET, r#"{"alg":"HS384"}"#, &claims),
        signed_by(hmac::HMAC_SHA512, SECRET, r#"{"alg":"HS512"}"#, &claims),
        // The signature is by another algorithm than the header says.
        signed_by(hmac::HMAC_SHA384, SECRET, HEADER, &claims),
    ];
    for algorithm in [
        "none", "None", "NONE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA",
    ] {
        tokens.push(signed(&json!({ "alg": algorithm }).to_string(), &claims));
    }
    for header in [
        "{}",
        "[]",
        "null",
        "",
        "HS256",
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
    ] {
        tokens.push(signed(header, &claims));
    }
    for token in tokens {
        assert_eq!(
            rules().check(token.as_bytes(), at(NOW)),
            Err(Refusal::NotSigned),
            "{token}"
        );
    }
}

#[test]
fn a_header_that_wants_something_understood_is_refused() {
    let claims = json!({ "exp": NOW + 60 }).to_string();
    for header in [
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":[]}"#,
    ] {
        assert_eq!(
            rules().check(signed(header, &claims).as_bytes(), at(NOW)),
            Err(Refusal::InvalidClaims)
        );
    }
    // A key that the token brings along is not used.
    let header = r#"{"alg":"HS256","kid":"x","jku":"https://evil.example"}"#;
    assert!(rules().check(signed(header, &claims).as_bytes(), at(NOW)).is_ok());
}

#[test]
fn what_is_no_token_is_refused() {
    let good = good();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let texts = [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        header.into(),
        message.into(),
        format!("{message}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{good} "),
        format!("{good}="),
        format!("{good}A"),
        format!("{good}\n"),
        format!("{message}.{}", &signature[..42]),
        format!("{message}.!{}", &signature[1..]),
        format!("{header}.%{claims}.{signature}"),
        "a".repeat(8 << 10),
        ".".repeat(8 << 10),
        "é.é.é".into(),
    ];
    for text in texts {
        assert_eq!(
            rules().check(text.as_bytes(), at(NOW)),
            Err(Refusal::NotSigned),
            "{text}"
        );
    }
    assert_eq!(
        rules().check(b"\xff\xfe.\xff.\xff", at(NOW)),
        Err(Refusal::NotSigned)
    );
}

#[test]
fn a_long_token_is_a_token() {
    let claims = json!({ "exp": NOW + 60, "roles": "x".repeat(6 << 10) });
    assert!(told(&rules(), &claims).is_ok());
}

#[test]
fn the_skew_ends_at_both_ends_on_the_second() {
    let mut rules = rules();
    rules.max_clock_skew = Duration::from_secs(30);
    let token = signed(HEADER, &json!({ "exp": NOW, "nbf": NOW - 100 }).to_string());
    let at = |seconds| rules.check(token.as_bytes(), at(seconds)).err();
    assert_eq!(at(NOW - 131), Some(Refusal::NotYetValid));
    assert_eq!(at(NOW - 130), None);
    assert_eq!(at(NOW + 29), None);
    assert_eq!(at(NOW + 30), Some(Refusal::Expired));
}

#[test]
fn an_expiry_is_required_and_a_number() {
    let cases = [
        (json!({}), Some(Refusal::InvalidClaims)),
        (json!({ "exp": null }), Some(Refusal::InvalidClaims)),
        (
            json!({ "exp": (NOW + 60).to_string() }),
            Some(Refusal::InvalidClaims),
        ),
        (json!({ "exp": true }), Some(Refusal::InvalidClaims)),
        (
            json!({ "exp": NOW + 60, "nbf": "0" }),
            Some(Refusal::InvalidClaims),
        ),
        (
            json!({ "exp": NOW + 60, "iss": ["ci"] }),
            Some(Refusal::InvalidClaims),
        ),
        (json!({ "exp": NOW + 60, "sub": 5 }), Some(Refusal::InvalidClaims)),
        (json!({ "exp": -1 }), Some(Refusal::Expired)),
        (json!({ "exp": 0 }), Some(Refusal::Expired)),
        (json!({ "exp": 1_800_000_000.5 }), None),
        (json!({ "exp": 1e300 }), None),
        (json!({ "exp": u64::MAX }), None),
        (json!({ "exp": NOW + 60, "nbf": -1.5 }), None),
        (
            json!({ "exp": NOW + 60, "nbf": u64::MAX }),
            Some(Refusal::NotYetValid),
        ),
        (json!({ "exp": NOW + 60, "iat": "whenever" }), None),
    ];
    for (claims, expected) in cases {
        assert_eq!(told(&rules(), &claims).err(), expected, "{claims}");
    }
    for claims in [
        r#"{"exp":1e400}"#,
        r#"{"exp":NaN}"#,
        r#"{"exp":[9999999999]}"#,
        "[9999999999]",
        r#"{"exp":9999999999,"exp":0}"#,
        "",
        "exp",
    ] {
        let refused = rules().check(signed(HEADER, claims).as_bytes(), at(NOW));
        assert!(refused.is_err(), "{claims}");
    }
}

#[test]
fn the_issuer_is_the_one_that_was_configured() {
    let mut rules = rules();
    rules.issuer = Some("ci".into());
    let cases = [
        (json!({ "exp": NOW + 60, "iss": "ci" }), None),
        (
            json!({ "exp": NOW + 60, "iss": "CI" }),
            Some(Refusal::ForeignIssuer),
        ),
        (
            json!({ "exp": NOW + 60, "iss": "" }),
            Some(Refusal::ForeignIssuer),
        ),
        (json!({ "exp": NOW + 60 }), Some(Refusal::ForeignIssuer)),
    ];
    for (claims, expected) in cases {
        assert_eq!(told(&rules, &claims).err(), expected, "{claims}");
    }
}

#[test]
fn a_token_for_others_is_refused() {
    let audiences = [
        (json!("exec"), true),
        (json!(["web", "exec"]), true),
        (json!("Exec"), false),
        (json!("web"), false),
        (json!([]), false),
        (json!(["exec2"]), false),
        (json!({ "exec": "exec" }), false),
        (json!(5), false),
    ];
    let mut ours = rules();
    ours.audience = Some("exec".into());
    for (audience, is_ours) in audiences {
        let claims = json!({ "exp": NOW + 60, "aud": audience });
        let expected = (!is_ours).then_some(Refusal::ForeignAudience);
        assert_eq!(told(&ours, &claims).err(), expected, "{claims}");
        // A server without a name is never meant.
        assert_eq!(
            told(&rules(), &claims).err(),
            Some(Refusal::ForeignAudience),
            "{claims}"
        );
    }
    assert_eq!(
        told(&ours, &json!({ "exp": NOW + 60 })).err(),
        Some(Refusal::ForeignAudience)
    );
}

#[test]
fn no_changed_byte_is_overlooked() {
    let good = good().into_bytes();
    for position in 0..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[position] ^= 1 << bit;
            assert!(
                rules().check(&changed, at(NOW)).is_err(),
                "bit {bit} of byte {position}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_single_change_is_accepted(position in any::<prop::sample::Index>(), byte: u8) {
        let mut changed = good().into_bytes();
        let position = position.index(changed.len());
        prop_assume!(changed[position] != byte);
        changed[position] = byte;
        prop_assert_eq!(rules().check(&changed, at(NOW)), Err(Refusal::NotSigned));
    }

    #[test]
    fn nothing_that_is_not_signed_comes_in(token in "[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){0,4}") {
        prop_assert_eq!(rules().check(token.as_bytes(), at(NOW)), Err(Refusal::NotSigned));
    }
}
