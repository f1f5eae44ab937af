//! Tokens that somebody has signed.

use base64_simd::URL_SAFE_NO_PAD;
use exec_tests::program::{output, server as program};
use exec_tests::{TestServer, on_program};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Known, bearer, host, status_with, write_secret};

const SECRET: &[u8; 32] = b"a secret that nobody else knows.";

/// Long after these tests.
const LATER: u64 = 4_000_000_000;

/// The claims, signed with [`SECRET`] by HS256.
fn sign(claims: &Value) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = encode(hmac::sign(&key, message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

/// Runs a test against a server that shares [`SECRET`] with whoever signs, with what signs.
pub(super) async fn on_a_server_that_trusts(
    options: &[&str],
    test: impl AsyncFnOnce(&TestServer, &dyn Fn(&Value) -> String),
) {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("secret");
    write_secret(&path, SECRET);
    let mut command = program(["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file"]);
    command.arg(&path).args(options);
    on_program(command, async |server| test(server, &sign).await).await;
}

#[tokio::test]
async fn a_token_is_as_good_as_what_it_says() {
    on_a_server_that_trusts(&[], async |server, sign| {
        let host = host(server);
        let hs256 = json!({"alg": "HS256"});
        let good = json!({"sub": "alice", "exp": LATER});
        for (token, expected) in [
            (sign(&good), 101),
            (sign(&json!({"sub": "alice"})), 401),
            (sign(&json!({"sub": "alice", "exp": 1})), 401),
            (
                sign(&json!({"sub": "alice", "exp": LATER, "nbf": LATER - 1})),
                401,
            ),
            (
                sign(&json!({"sub": "alice", "exp": LATER, "aud": "another"})),
                401,
            ),
            (signed(&hs256, &good, b"another secret of as many bytes."), 401),
            (signed(&json!({"alg": "none"}), &good, SECRET), 401),
            (signed(&json!({"alg": "HS384"}), &good, SECRET), 401),
            (sign(&good) + "A", 401),
            ("not.a.token".to_owned(), 401),
        ] {
            let status = status_with(server, &(host.clone() + &bearer(&token))).await;
            assert_eq!(status, expected, "{token}");
        }
        assert_eq!(status_with(server, &host).await, 401);
    })
    .await;
}

#[tokio::test]
async fn issuer_audience_and_clock_are_those_that_were_asked_for() {
    let options = [
        "--ws-issuer",
        "here",
        "--ws-audience",
        "exec",
        "--ws-max-clock-skew-seconds",
        "600",
    ];
    on_a_server_that_trusts(&options, async |server, sign| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.expect("it is later than that").as_secs();
        for (claims, expected) in [
            (json!({"iss": "here", "aud": "exec", "exp": now - 60}), 101),
            (
                json!({"iss": "here", "aud": ["other", "exec"], "exp": LATER}),
                101,
            ),
            (json!({"iss": "here", "aud": "exec", "exp": now - 6000}), 401),
            (json!({"iss": "there", "aud": "exec", "exp": LATER}), 401),
            (json!({"aud": "exec", "exp": LATER}), 401),
            (json!({"iss": "here", "exp": LATER}), 401),
        ] {
            let status = status_with(server, &(host(server) + &bearer(sign(&claims)))).await;
            assert_eq!(status, expected, "{claims}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_outlives_the_token_that_opened_it() {
    on_a_server_that_trusts(&["--ws-max-clock-skew-seconds", "0"], async |server, sign| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let soon = now.expect("it is later than that").as_secs() + 3;
        let headers = host(server) + &bearer(sign(&json!({"sub": "alice", "exp": soon})));
        let mut known = Known::connect(server.url(), &headers).await;
        while status_with(server, &headers).await == 101 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert!(known.call("environment/info", &Value::Null).await["result"].is_object());
    })
    .await;
}

#[tokio::test]
async fn options_that_do_not_fit_together_are_refused() {
    let place = tempdir().expect("there is room for a directory");
    let path = place.path().join("secret");
    write_secret(&path, SECRET);
    let path = path.to_str().expect("it is text");
    for options in [
        &["--ws-auth", "signed-bearer-token"][..],
        &["--ws-auth", "capability-token"],
        &["--ws-auth", "capability-token", "--ws-shared-secret-file", path],
        &["--ws-auth", "signed-bearer-token", "--ws-token-file", path],
        &["--ws-token-file", path, "--ws-shared-secret-file", path],
        &["--ws-issuer", "here"],
        &["--ws-token-sha256", "abc"],
        &["--token-fd", "1"],
        &["--token-fd", "77"],
        &["--allow-origin", "evil"],
        &["--allow-host", "a/b"],
        &["--tls-cert", path],
        &["--ws-auth", "none"],
    ] {
        let listen = ["--no-tasks", "--listen", "ws://127.0.0.1:0"];
        let output = output(program(listen.into_iter().chain(options.iter().copied())), "").await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{options:?}: {said}"
        );
        assert!(
            !said.is_empty() && !said.contains("a secret"),
            "{options:?}: {said}"
        );
    }
}
