//! Names that lead to this server and are not its own, as a page has them that was rebound to it.

use exec_tests::program::server as program;
use exec_tests::{TestServer, on_program, on_wires};

use super::status_with;
use crate::http::{get, status};

on_wires! {
    [websocket]
    async fn a_name_of_somebody_else_is_refused(server: &TestServer) {
        for host in ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example"] {
            assert_eq!(status_with(server, &format!("Host: {host}\r\n")).await, 421, "{host}");
        }
        for path in ["/metrics", "/readyz"] {
            assert_eq!(status(server, get(path).replace("localhost", "evil.example")).await, 421, "{path}");
        }
        for host in ["localhost", "LOCALHOST:1234", "127.0.0.1", "[::1]:80", "10.1.2.3"] {
            assert_eq!(status_with(server, &format!("Host: {host}\r\n")).await, 101, "{host}");
        }
        for headers in ["", "Host: a\r\nHost: a\r\n", "Host: \r\n", "Host: user@localhost\r\n"] {
            assert_eq!(status_with(server, headers).await, 400, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_listed_is_the_servers() {
    on_program(program(["--allow-host", "box.example"]), async |server| {
        for (host, expected) in [
            ("box.example", 101),
            ("BOX.example:443", 101),
            ("other.example", 421),
        ] {
            assert_eq!(
                status_with(server, &format!("Host: {host}\r\n")).await,
                expected,
                "{host}"
            );
        }
    })
    .await;
}
