//! The same for Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use exec_protocol::ErrorKind;
use exec_protocol::server::{MemoryStats, ProcessStats, SessionStats, StatsResult};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};

use crate::server::Server;

/// What the text is, as HTTP says it.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the names begin with.
const PREFIX: &str = "exec_server";

/// Everything of `server/stats`, as it is now, in the text format of `OpenMetrics`.
///
/// Labels are states and kinds of error, of which there are few: one for each process would make the number of series
/// the client's choice, and tell its names to whoever reads them.
pub(crate) fn metrics(server: &Server) -> String {
    let mut text = String::new();
    encode(&mut text, &registry(&super::stats(server))).expect("a string takes everything");
    text
}

fn registry(stats: &StatsResult) -> Registry {
    let StatsResult {
        uptime_ms,
        connections,
        sessions,
        processes,
        starts,
        memory,
        requests,
    } = stats;
    let mut registry = Registry::with_prefix(PREFIX);
    let uptime = Duration::from_millis(*uptime_ms).as_secs_f64();
    registry.register_with_unit(
        "uptime",
        "How long the server has run",
        Unit::Seconds,
        ConstGauge::new(uptime),
    );
    let open = ConstGauge::new(connections.open);
    registry.register("connections", "Connections that are open", open);
    let help = "Connections that there ever were";
    count(&mut registry, "connections_accepted", help, connections.accepted);
    let help = "Connections that were turned away because there were too many";
    count(&mut registry, "connections_refused", help, connections.refused);

    let help = "Sessions that are open, with a connection and without one";
    registry.register("sessions", help, attachment(sessions));
    count(
        &mut registry,
        "sessions_opened",
        "Sessions that there ever were",
        sessions.opened,
    );

    let help = "Processes that there are, by how far they have come";
    registry.register("processes", help, states(processes));
    count(
        &mut registry,
        "processes_spawned",
        "Processes that were started",
        starts.spawned,
    );
    registry.register(
        "starts_failed",
        "Starts that were refused or failed",
        kinds(&starts.failed),
    );

    register_memory(&mut registry, memory);

    count(
        &mut registry,
        "requests_answered",
        "Answers, refusals among them",
        requests.answered,
    );
    registry.register("request_errors", "Refusals", kinds(&requests.errors));
    registry
}

fn count(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::new(value));
}

fn register_memory(registry: &mut Registry, memory: &MemoryStats) {
    for (name, help, bytes) in [
        ("output_memory", "Memory that output takes", memory.output_bytes),
        (
            "output_memory_reserved",
            "Memory that is set aside for output",
            memory.reserved_bytes,
        ),
        (
            "output_memory_limit",
            "Memory that may be set aside for output",
            memory.cap_bytes,
        ),
    ] {
        registry.register_with_unit(name, help, Unit::Bytes, ConstGauge::new(bytes));
    }
}

fn attachment(sessions: &SessionStats) -> Labelled<ConstGauge<u64>> {
    let detached = sessions.open.saturating_sub(sessions.attached);
    Labelled {
        label: "state",
        metrics: vec![
            ("attached", ConstGauge::new(sessions.attached)),
            ("detached", ConstGauge::new(detached)),
        ],
    }
}

fn states(processes: &ProcessStats) -> Labelled<ConstGauge<u64>> {
    Labelled {
        label: "state",
        metrics: vec![
            ("running", ConstGauge::new(processes.running)),
            ("exited", ConstGauge::new(processes.exited)),
            ("closed", ConstGauge::new(processes.closed)),
        ],
    }
}

/// Those that never came are there as well: a series that appears with its first error hides that error.
fn kinds(counts: &BTreeMap<String, u64>) -> Labelled<ConstCounter> {
    let count = |kind: &ErrorKind| counts.get(kind.as_str()).copied().unwrap_or(0);
    Labelled {
        label: "kind",
        metrics: ErrorKind::ALL
            .iter()
            .map(|kind| (kind.as_str(), ConstCounter::new(count(kind))))
            .collect(),
    }
}

/// The same thing counted for each value of a label.
#[derive(Debug)]
struct Labelled<M> {
    label: &'static str,
    metrics: Vec<(&'static str, M)>,
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for Labelled<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (value, metric) in &self.metrics {
            metric.encode(encoder.encode_family(&[(self.label, *value)])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
