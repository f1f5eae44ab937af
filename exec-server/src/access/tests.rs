use proptest::prelude::*;

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const UNIX: Bound = Bound::Unix { uid: 1000 };

/// What becomes of a request for `target` with these headers, each a line.
fn admitted(access: &Access, target: &str, headers: &[&str]) -> Result<Identity, Refusal> {
    admitted_by(access, Bound::Tcp, target, headers)
}

fn admitted_by(access: &Access, bound: Bound, target: &str, headers: &[&str]) -> Result<Identity, Refusal> {
    let request_line = format!("GET {target} HTTP/1.1");
    let lines = [&[request_line.as_str()], headers, &["", ""]].concat();
    let text = lines.join("\r\n");
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let mut request = httparse::Request::new(&mut headers);
    assert!(request.parse(text.as_bytes()).unwrap().is_complete());
    access.admit(&request, bound, SystemTime::now())
}

fn probed(version: &str, headers: &str) -> Result<(), Refusal> {
    let text = format!("GET /readyz HTTP/{version}\r\n{headers}\r\n");
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let mut request = httparse::Request::new(&mut headers);
    assert!(request.parse(text.as_bytes()).unwrap().is_complete());
    Access::default().admit_probe(&request, Bound::Tcp)
}

fn with_token() -> Access {
    let token = CapabilityToken::new(&Secret::of(TOKEN.as_bytes()));
    Access {
        credentials: Some(Credentials::Capability(token.unwrap())),
        ..Access::default()
    }
}

fn with_names(hosts: &[&str], origins: &[&str]) -> Access {
    Access {
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        origins: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
        ..Access::default()
    }
}

#[test]
fn addresses_and_localhost_are_always_ours() {
    for host in [
        "127.0.0.1:4000",
        "[::1]:4000",
        "10.1.2.3",
        "localhost",
        "LOCALHOST:80",
        "localhost.:1",
    ] {
        let header = format!("Host: {host}");
        assert_eq!(
            admitted(&Access::default(), "/", &[&header]),
            Ok(Identity::Local),
            "{host}"
        );
    }
}

#[test]
fn a_name_must_be_listed() {
    let access = with_names(&["Build.example", "ci.example:4000", "web.example:443"], &[]);
    let cases = [
        ("build.example:1", Ok(Identity::Local)),
        ("BUILD.EXAMPLE", Ok(Identity::Local)),
        ("ci.example:4000", Ok(Identity::Local)),
        ("web.example", Ok(Identity::Local)),
        ("ci.example:4001", Err(Refusal::ForeignHost)),
        ("ci.example", Err(Refusal::ForeignHost)),
        ("evil.example", Err(Refusal::ForeignHost)),
        ("build.example.evil.example", Err(Refusal::ForeignHost)),
        ("localhost.evil.example", Err(Refusal::ForeignHost)),
        ("127.0.0.1.evil.example", Err(Refusal::ForeignHost)),
    ];
    for (host, expected) in cases {
        let header = format!("Host: {host}");
        assert_eq!(admitted(&access, "/", &[&header]), expected, "{host}");
    }
}

#[test]
fn a_host_that_is_none_is_refused() {
    let access = Access::default();
    for host in [
        "",
        "user@localhost",
        "localhost/",
        "localhost localhost",
        "localhost:99999",
        "l\tocalhost",
        "ö",
    ] {
        let header = format!("Host: {host}");
        assert_eq!(
            admitted(&access, "/", &[&header]),
            Err(Refusal::InvalidHost),
            "{host}"
        );
    }
    assert_eq!(admitted(&access, "/", &[]), Err(Refusal::NoHost));
    let twice = ["Host: localhost", "host: localhost"];
    assert_eq!(admitted(&access, "/", &twice), Err(Refusal::SeveralHosts));
}

#[test]
fn a_probe_needs_a_good_host_and_nothing_else() {
    assert_eq!(probed("1.0", ""), Ok(()));
    assert_eq!(probed("1.1", ""), Err(Refusal::NoHost));
    assert_eq!(probed("1.0", "Host: evil.example\r\n"), Err(Refusal::ForeignHost));
    assert_eq!(
        probed("1.1", "Host: 10.0.0.1:80\r\nOrigin: https://evil.example\r\n"),
        Ok(())
    );
}

#[test]
fn a_web_page_must_be_listed() {
    let access = with_names(
        &[],
        &[
            "https://IDE.example",
            "http://localhost:3000",
            "vscode-webview://abc",
        ],
    );
    let cases = [
        ("https://ide.example", Ok(Identity::Local)),
        ("HTTPS://ide.example:443", Ok(Identity::Local)),
        ("http://localhost:3000", Ok(Identity::Local)),
        ("vscode-webview://ABC", Ok(Identity::Local)),
        ("http://ide.example", Err(Refusal::ForeignOrigin)),
        ("https://ide.example:444", Err(Refusal::ForeignOrigin)),
        ("https://ide.example.evil.example", Err(Refusal::ForeignOrigin)),
        (
            "https://evil.example https://ide.example",
            Err(Refusal::ForeignOrigin),
        ),
        ("https://ide.example/", Err(Refusal::ForeignOrigin)),
        ("http://localhost", Err(Refusal::ForeignOrigin)),
        ("http://127.0.0.1:4000", Err(Refusal::ForeignOrigin)),
        ("null", Err(Refusal::ForeignOrigin)),
        ("", Err(Refusal::ForeignOrigin)),
    ];
    for (origin, expected) in cases {
        let header = format!("Origin: {origin}");
        let headers = ["Host: localhost", &header];
        assert_eq!(admitted(&access, "/", &headers), expected, "{origin}");
        let by_file = admitted_by(&access, UNIX, "/", &headers);
        assert_eq!(by_file.map(|_| Identity::Local), expected, "{origin}");
    }
    let twice = [
        "Host: localhost",
        "Origin: https://ide.example",
        "Origin: https://ide.example",
    ];
    assert_eq!(admitted(&access, "/", &twice), Err(Refusal::SeveralOrigins));
    let null = with_names(&[], &["null"]);
    let headers = ["Host: localhost", "Origin: null"];
    assert_eq!(admitted(&null, "/", &headers), Ok(Identity::Local));
}

#[test]
fn what_is_no_origin_cannot_be_listed() {
    let texts = [
        "",
        "ide.example",
        "https://",
        "https://a/",
        "https://a b",
        "://a",
        "1https://a",
        "https://u@a",
        "Null",
        "*",
    ];
    for text in texts {
        assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text}");
    }
}

#[test]
fn the_token_belongs_in_the_header() {
    let access = with_token();
    let cases: &[(&str, &[&str], _)] = &[
        (
            "/",
            &["Authorization: Bearer 0123456789abcdef0123456789abcdef"],
            Ok(Identity::Token),
        ),
        (
            "/",
            &["authorization: bEARER   0123456789abcdef0123456789abcdef"],
            Ok(Identity::Token),
        ),
        (
            "/",
            &["Authorization: Bearer 0123456789abcdef0123456789abcdeF"],
            Err(Refusal::WrongToken),
        ),
        (
            "/",
            &["Authorization: Bearer 0123456789abcdef0123456789abcdef x"],
            Err(Refusal::WrongToken),
        ),
        ("/", &["Authorization: Bearer"], Err(Refusal::NoCredential)),
        ("/", &["Authorization: Bearer  "], Err(Refusal::NoCredential)),
        (
            "/",
            &["Authorization: Basic 0123456789abcdef0123456789abcdef"],
            Err(Refusal::OtherScheme),
        ),
        (
            "/",
            &["Authorization: 0123456789abcdef0123456789abcdef"],
            Err(Refusal::OtherScheme),
        ),
        (
            "/",
            &["Authorization: Bearer0123456789abcdef0123456789abcdef"],
            Err(Refusal::OtherScheme),
        ),
        ("/", &["Authorization:"], Err(Refusal::OtherScheme)),
        ("/", &[], Err(Refusal::NoCredential)),
        ("/?x=token", &[], Err(Refusal::NoCredential)),
        (
            "/?token=0123456789abcdef0123456789abcdef",
            &[],
            Err(Refusal::TokenInUrl),
        ),
        (
            "/?a=b&Access_Token=0123456789abcdef0123456789abcdef",
            &[],
            Err(Refusal::TokenInUrl),
        ),
        (
            "/?token=0123456789abcdef0123456789abcdef",
            &["Authorization: Bearer wrong"],
            Err(Refusal::WrongToken),
        ),
        (
            "/",
            &[
                "Authorization: Bearer 0123456789abcdef0123456789abcdef",
                "Authorization: Bearer x",
            ],
            Err(Refusal::SeveralCredentials),
        ),
    ];
    for (target, headers, expected) in cases {
        let headers: Vec<&str> = ["Host: localhost"].iter().chain(*headers).copied().collect();
        assert_eq!(
            admitted(&access, target, &headers),
            *expected,
            "{target} {headers:?}"
        );
    }
}

#[test]
fn a_foreign_host_or_page_is_refused_whatever_it_knows() {
    let token = format!("Authorization: Bearer {TOKEN}");
    let foreign_host = ["Host: evil.example", &token];
    assert_eq!(
        admitted(&with_token(), "/", &foreign_host),
        Err(Refusal::ForeignHost)
    );
    let foreign_page = ["Host: localhost", "Origin: https://evil.example", &token];
    assert_eq!(
        admitted(&with_token(), "/", &foreign_page),
        Err(Refusal::ForeignOrigin)
    );
}

#[test]
fn on_a_unix_socket_the_user_is_what_counts() {
    let headers = ["Host: whatever.example"];
    let user = Ok(Identity::User(1000));
    assert_eq!(admitted_by(&with_token(), UNIX, "/", &headers), user);
    assert_eq!(admitted_by(&Access::default(), UNIX, "/", &[]), user);
}

#[test]
fn a_refusal_has_the_status_that_clients_expect() {
    let cases = [
        (Refusal::NoHost, 400, None),
        (Refusal::ForeignHost, 421, None),
        (Refusal::ForeignOrigin, 403, None),
        (Refusal::SeveralCredentials, 400, None),
        (Refusal::TokenInUrl, 401, Some("Bearer")),
        (Refusal::WrongToken, 401, Some(r#"Bearer error="invalid_token""#)),
        (Refusal::Expired, 401, Some(r#"Bearer error="invalid_token""#)),
    ];
    for (refusal, status, challenge) in cases {
        assert_eq!(
            (refusal.status().as_u16(), refusal.challenge()),
            (status, challenge)
        );
    }
}

proptest! {
    /// Of all that a peer may write there, only the token itself lets it in.
    #[test]
    fn only_the_token_lets_in(value in "(Bearer )?[ -~]{0,48}") {
        let header = format!("Authorization: {value}");
        let came_in = admitted(&with_token(), "/", &["Host: localhost", &header]).is_ok();
        let shown = value.trim().split_once(' ').map(|(scheme, token)| (scheme.to_lowercase(), token.trim()));
        prop_assert_eq!(came_in, shown == Some(("bearer".to_owned(), TOKEN)));
    }
}
