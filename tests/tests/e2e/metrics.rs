//! The same for Prometheus.

use std::collections::BTreeMap;

use exec_protocol::ErrorKind;
use exec_protocol::server::StatsResult;
use exec_tests::{TestServer, on_wires};
use serde_json::json;

use crate::http;
use crate::server_info::stats;
use crate::witness;

/// The samples of an exposition by their names with labels, after a look at whether each is what the format wants it to be.
struct Exposition(BTreeMap<String, f64>);

/// What was said of a family of metrics before its samples.
#[derive(Default)]
struct Family {
    kind: Option<String>,
    unit: Option<String>,
    help: Option<String>,
}

impl Exposition {
    /// `OpenMetrics` 1.0, as far as we use it.
    fn parse(text: &str) -> Self {
        let lines = text.strip_suffix("# EOF\n").expect("it says where it ends");
        let mut families = BTreeMap::<String, Family>::new();
        let mut samples = BTreeMap::new();
        let mut current = String::new();
        for line in lines.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let [what, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                    panic!("{line:?}")
                };
                assert!(is_name(name), "{line:?}");
                if name != current {
                    assert!(!families.contains_key(name), "twice: {line:?}");
                    name.clone_into(&mut current);
                }
                let family = families.entry(current.clone()).or_default();
                let told = match what {
                    "TYPE" => &mut family.kind,
                    "UNIT" => &mut family.unit,
                    "HELP" => &mut family.help,
                    _ => panic!("{line:?}"),
                };
                assert!(
                    told.replace(rest.to_owned()).is_none() && !rest.is_empty(),
                    "{line:?}"
                );
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line:?}"));
            check_labels(labels);
            let family = &families[&current];
            let suffix = match family.kind.as_deref() {
                Some("counter") => "_total",
                Some("gauge") => "",
                _ => panic!("no type: {line:?}"),
            };
            assert_eq!(name, format!("{current}{suffix}"), "{line:?}");
            assert!(
                current.starts_with("exec_server_") && family.help.is_some(),
                "{line:?}"
            );
            if let Some(unit) = &family.unit {
                assert!(current.ends_with(&format!("_{unit}")), "{line:?}");
            }
            assert!(value >= 0.0, "{line:?}");
            assert!(
                samples.insert(series.to_owned(), value).is_none(),
                "twice: {line:?}"
            );
        }
        Self(samples)
    }

    #[track_caller]
    fn is(&self, series: &str, value: u64) {
        let sample = self
            .0
            .get(series)
            .unwrap_or_else(|| panic!("no {series} in {:?}", self.0.keys()));
        #[expect(clippy::cast_precision_loss, reason = "what a test counts is small")]
        let value = value as f64;
        assert!(
            (sample - value).abs() < f64::EPSILON,
            "{series} is {sample}, not {value}"
        );
    }

    /// That there is nothing but what `server/stats` tells, and the same.
    fn agrees_with(&self, stats: &StatsResult) {
        let StatsResult {
            uptime_ms,
            connections,
            sessions,
            processes,
            starts,
            memory,
            requests,
        } = stats;
        let mut told = 0;
        let mut is = |series: &str, value: u64| {
            told += 1;
            self.is(&format!("exec_server_{series}"), value);
        };
        is("connections", connections.open);
        is("connections_accepted_total", connections.accepted);
        is("connections_refused_total", connections.refused);
        is(r#"sessions{state="attached"}"#, sessions.attached);
        is(r#"sessions{state="detached"}"#, sessions.open - sessions.attached);
        is("sessions_opened_total", sessions.opened);
        is(r#"processes{state="running"}"#, processes.running);
        is(r#"processes{state="exited"}"#, processes.exited);
        is(r#"processes{state="closed"}"#, processes.closed);
        is("processes_spawned_total", starts.spawned);
        is("output_memory_bytes", memory.output_bytes);
        is("output_memory_reserved_bytes", memory.reserved_bytes);
        is("output_memory_limit_bytes", memory.cap_bytes);
        is("requests_answered_total", requests.answered);
        for kind in ErrorKind::ALL.iter().map(|kind| kind.as_str()) {
            let count = |counts: &BTreeMap<String, u64>| counts.get(kind).copied().unwrap_or(0);
            is(
                &format!(r#"starts_failed_total{{kind="{kind}"}}"#),
                count(&starts.failed),
            );
            is(
                &format!(r#"request_errors_total{{kind="{kind}"}}"#),
                count(&requests.errors),
            );
        }
        #[expect(clippy::cast_precision_loss, reason = "the test is not that old")]
        let uptime = *uptime_ms as f64 / 1000.0;
        assert!(self.0["exec_server_uptime_seconds"] >= uptime);
        assert_eq!(self.0.len(), told + 1, "{:?}", self.0.keys());
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_lowercase() || char == '_';
    text.starts_with(is_letter) && text.chars().all(|char| is_letter(char) || char.is_ascii_digit())
}

/// Names of states and kinds, so nothing has to be escaped.
fn check_labels(labels: &str) {
    for label in labels.split(',').filter(|label| !label.is_empty()) {
        let (name, value) = label.split_once('=').unwrap_or_else(|| panic!("{label:?}"));
        assert!(["state", "kind"].contains(&name), "{label:?}");
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = value.unwrap_or_else(|| panic!("{label:?}"));
        assert!(
            !value.is_empty() && value.chars().all(|char| char.is_ascii_alphanumeric()),
            "{label:?}"
        );
    }
}

async fn scrape(server: &TestServer, path: &str) -> Exposition {
    let answer = http::answer(server, http::get(path)).await;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {answer:?}"));
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let content_type = "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(head.contains(content_type), "{head}");
    assert!(
        head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())),
        "{head}"
    );
    Exposition::parse(body)
}

on_wires! {
    [websocket]
    async fn the_metrics_are_well_formed_and_tell_what_server_stats_tells(server: &TestServer) {
        let mut peer = server.session().await;
        let first = scrape(server, "/metrics").await;
        let mut told = stats(&mut peer).await;
        // It is a moment later.
        told.uptime_ms = 0;
        first.agrees_with(&told);
        witness::start(&mut peer).await;
        witness::answers(&mut peer, "here").await;
        peer.refused("process/start", json!({"processId": "p", "argv": ["/no/such/program"]})).await;
        peer.refused("no/such", json!({})).await;
        let mut told = stats(&mut peer).await;
        // The answer that told it.
        told.requests.answered += 1;
        let scraped = scrape(server, "/metrics?name[]=x").await;
        scraped.agrees_with(&told);
        scraped.is(r#"exec_server_starts_failed_total{kind="programNotFound"}"#, 1);
        scraped.is(r#"exec_server_processes{state="running"}"#, 1);
        witness::end(&mut peer).await;
        peer.finish().await;
    }

    [websocket]
    async fn the_metrics_can_only_be_got(server: &TestServer) {
        for method in ["POST", "HEAD", "PUT", "DELETE"] {
            let request = format!("{method} /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(http::status(server, request).await, 405, "{method}");
        }
        assert_eq!(http::status(server, http::get("/metrics/")).await, 426);
    }

    [websocket]
    /// Whoever may look at the metrics may not learn what runs, nor take a session over.
    async fn the_metrics_name_no_process_and_no_session(server: &TestServer) {
        let mut peer = server.connect().await;
        let session_id = peer.handshake().await.session_id;
        witness::start(&mut peer).await;
        let text = http::answer(server, http::get("/metrics")).await;
        assert!(!text.contains(witness::NAME) && !text.contains(session_id.as_str()), "{text}");
        witness::end(&mut peer).await;
        peer.finish().await;
    }
}
