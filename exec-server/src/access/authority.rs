//! A host and its port, as Host headers and origins name them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest name of a host in bytes, by RFC 1035.
const MAX_NAME_BYTES: usize = 253;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// By its address: nobody can make it mean another one.
    Address(IpAddr),
    /// By its name, in small letters, without the dot at its end.
    Name(String),
}

impl Authority {
    /// Takes `HOST`, `HOST:PORT`, `[V6]` and `[V6]:PORT` apart. None for anything else, such as one with a user.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, rest) = if let Some(text) = text.strip_prefix('[') {
            let (address, rest) = text.split_once(']')?;
            (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), rest)
        } else {
            let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (Host::parse(host)?, rest)
        };
        let port = match rest.strip_prefix(':') {
            // RFC 3986 allows for a colon without a port.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            None if rest.is_empty() => None,
            Some(_) | None => return None,
        };
        Some(Self { host, port })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(may_be_in_a_name);
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

/// Names of containers have underscores, which those of RFC 1123 have not.
fn may_be_in_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(name: &str, port: Option<u16>) -> Authority {
        let host = Host::Name(name.to_owned());
        Authority { host, port }
    }

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(
            Authority::parse("LocalHost:4000"),
            Some(name("localhost", Some(4000)))
        );
        assert_eq!(Authority::parse("localhost."), Some(name("localhost", None)));
        assert_eq!(Authority::parse("a_b.example:"), Some(name("a_b.example", None)));
        // What only looks like an address is a name, which nobody has allowed.
        assert_eq!(Authority::parse("127.1"), Some(name("127.1", None)));
        assert_eq!(Authority::parse("2130706433"), Some(name("2130706433", None)));
        let addresses = ["127.0.0.1", "[::1]:80", "10.0.0.1:4000", "[::ffff:127.0.0.1]"];
        for address in addresses {
            let parsed = Authority::parse(address).unwrap();
            assert!(matches!(parsed.host, Host::Address(_)), "{address}");
        }
    }

    #[test]
    fn anything_else_is_no_authority() {
        let long = "a".repeat(MAX_NAME_BYTES + 1);
        let texts = [
            "",
            ".",
            ":80",
            "user@localhost",
            "localhost:+1",
            "localhost:65536",
            "localhost:80:80",
            "::1",
            "[::1",
            "[::1]80",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "local host",
            "localhost/",
            "localhost,evil",
            "local\u{7f}host",
            "lo\tcal",
            "*",
            "é.example",
            &long,
        ];
        for text in texts {
            assert_eq!(Authority::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_what_it_says_comes_out(text in "[a-zA-Z0-9.:@\\[\\]/\u{0}é-]{0,20}") {
            let Some(authority) = Authority::parse(&text) else { return Ok(()) };
            let host = match authority.host {
                Host::Address(IpAddr::V4(address)) => address.to_string(),
                Host::Address(IpAddr::V6(_)) => return Ok(()),
                Host::Name(name) => name,
            };
            prop_assert!(text.to_ascii_lowercase().starts_with(&host));
            prop_assert!(host.bytes().all(may_be_in_a_name));
        }
    }
}
