//! Web pages that want to connect.

use exec_tests::program::server as program;
use exec_tests::{TestServer, on_program, on_wires};

use super::{host, status_with};
use crate::http::{get, status};

on_wires! {
    [websocket]
    async fn no_web_page_may_connect(server: &TestServer) {
        let host = host(server);
        assert_eq!(status_with(server, &host).await, 101);
        for origin in ["https://evil.example", "http://localhost", "http://127.0.0.1", "null", "file://", ""] {
            assert_eq!(status_with(server, &format!("{host}Origin: {origin}\r\n")).await, 403, "{origin}");
        }
        let twice = format!("{host}Origin: https://a.example\r\nOrigin: https://a.example\r\n");
        assert_eq!(status_with(server, &twice).await, 400);
    }

    [websocket]
    async fn a_web_page_learns_nothing_of_the_server(server: &TestServer) {
        let metrics = get("/metrics").replace("Host:", "Origin: https://evil.example\r\nHost:");
        assert_eq!(status(server, metrics).await, 403);
        assert_eq!(status(server, get("/metrics")).await, 200);
    }
}

#[tokio::test]
async fn a_web_page_that_is_listed_may() {
    let listed = [
        "--allow-origin",
        "https://app.example",
        "--allow-origin",
        "http://localhost:3000",
    ];
    on_program(program(listed), async |server| {
        let host = host(server);
        for (origin, expected) in [
            ("https://app.example", 101),
            ("HTTPS://APP.example:443", 101),
            ("http://localhost:3000", 101),
            ("http://app.example", 403),
            ("https://app.example.evil", 403),
            ("https://app.example:8443", 403),
            ("http://localhost:3001", 403),
        ] {
            let headers = format!("{host}Origin: {origin}\r\n");
            assert_eq!(status_with(server, &headers).await, expected, "{origin}");
        }
    })
    .await;
}
