//! Everything that was measured, for programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::figure::Metric;
use crate::schedule::{Fault, Outcome, Subject};
use crate::stats::Summary;

#[derive(Serialize)]
struct FigureJson<'a> {
    figure: &'a str,
    about: &'a str,
    metrics: Vec<MetricJson<'a>>,
    faults: &'a [Fault],
    /// The share of a core that others used meanwhile.
    others: Option<Summary>,
}

#[derive(Serialize)]
struct MetricJson<'a> {
    #[serde(flatten)]
    metric: Metric,
    subjects: Vec<SubjectJson<'a>>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    #[serde(flatten)]
    subject: &'a Subject,
    summary: Option<Summary>,
    runs: &'a [f64],
}

/// Writes all outcomes.
///
/// # Errors
///
/// What the operating system says of the file.
pub(crate) fn write(path: &Path, outcomes: &[Outcome]) -> io::Result<()> {
    let figures: Vec<FigureJson<'_>> = outcomes.iter().map(figure).collect();
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, &figures)?;
    file.write_all(b"\n")?;
    file.flush()
}

fn figure(outcome: &Outcome) -> FigureJson<'_> {
    FigureJson {
        figure: outcome.figure.name,
        about: outcome.figure.about,
        metrics: outcome
            .values
            .iter()
            .map(|(metric, values)| metric_json(*metric, values))
            .collect(),
        faults: &outcome.faults,
        others: Summary::of(&outcome.others),
    }
}

fn metric_json(metric: Metric, values: &BTreeMap<Subject, Vec<f64>>) -> MetricJson<'_> {
    let subjects = values.iter().map(|(subject, runs)| SubjectJson {
        subject,
        summary: Summary::of(runs),
        runs,
    });
    MetricJson {
        metric,
        subjects: subjects.collect(),
    }
}
