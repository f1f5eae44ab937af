//! The tables for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::figure::{Better, LOST, Metric};
use crate::machine;
use crate::schedule::{Kind, Outcome, Subject};
use crate::stats::Summary;
use crate::wire::Wire;

/// Writes the tables of one figure: one for each metric.
///
/// # Errors
///
/// What the writer says.
pub(crate) fn write(to: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    for (metric, values) in &outcome.values {
        if *metric == LOST && values.values().flatten().all(|lost| *lost == 0.0) {
            writeln!(to, "{} lost nothing", outcome.figure.name)?;
        } else {
            write_metric(to, outcome.figure.name, *metric, values)?;
        }
    }
    if let Some(others) = Summary::of(&outcome.others).filter(|others| machine::is_disturbed(others.max)) {
        let (median, max) = (others.median * 100.0, others.max * 100.0);
        writeln!(
            to,
            "!! {} others used {median:.0} % of a core, at most {max:.0} %",
            outcome.figure.name
        )?;
    }
    for fault in &outcome.faults {
        let wire = fault.subject.wire.map_or("", Wire::name);
        let name = &fault.subject.name;
        writeln!(
            to,
            "!! {} {name} {wire} run {}: {}",
            outcome.figure.name, fault.run, fault.text
        )?;
    }
    writeln!(to)
}

fn write_metric(
    to: &mut impl Write,
    figure: &str,
    metric: Metric,
    values: &BTreeMap<Subject, Vec<f64>>,
) -> io::Result<()> {
    let better = match metric.better {
        Better::Less => "less",
        Better::More => "more",
    };
    writeln!(
        to,
        "{figure} {} in {} ({better} is better)",
        metric.name, metric.unit
    )?;
    let summaries: Vec<(&Subject, Summary)> = values
        .iter()
        .filter_map(|(subject, values)| Some((subject, Summary::of(values)?)))
        .collect();
    for (subject, summary) in &summaries {
        let wire = subject.wire.map_or("-", Wire::name);
        write!(
            to,
            "  {wire:9} {:14} {:>9}  [{} {} {} {}]",
            subject.name,
            number(summary.median),
            number(summary.min),
            number(summary.p25),
            number(summary.p75),
            number(summary.max),
        )?;
        if subject.kind == Kind::Server {
            for (other, its) in summaries.iter().filter(|(other, _)| is_compared(subject, other)) {
                if let Some(ratio) = ratio(summary.median, its.median) {
                    write!(to, "  {ratio} {}", other.name)?;
                }
            }
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Whether `other` stands beside a server on the same wire, or below it.
fn is_compared(subject: &Subject, other: &Subject) -> bool {
    subject != other && (other.wire.is_none() || other.wire == subject.wire)
}

fn ratio(mine: f64, its: f64) -> Option<String> {
    (its > 0.0).then(|| format!("{}x", number(mine / its)))
}

/// Three digits that mean something, and all of those before the point.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 100.0 || magnitude == 0.0 {
        format!("{value:.0}")
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_mean_something() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.01234), "0.0123");
        assert_eq!(number(1.234), "1.23");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(1234.5), "1234");
    }

    #[test]
    fn nothing_is_compared_with_zero() {
        assert_eq!(ratio(1.0, 0.0), None);
        assert_eq!(ratio(1.0, 4.0).as_deref(), Some("0.25x"));
    }

    #[test]
    fn a_server_is_compared_on_its_own_wire_and_with_the_machine() {
        let subject = |wire, kind, name: &str| Subject {
            wire,
            kind,
            name: name.to_owned(),
        };
        let ours = subject(Some(Wire::Stdio), Kind::Server, "ours");
        assert!(!is_compared(&ours, &ours));
        assert!(is_compared(&ours, &subject(None, Kind::Floor, "bare")));
        assert!(is_compared(
            &ours,
            &subject(Some(Wire::Stdio), Kind::Server, "peer")
        ));
        assert!(!is_compared(
            &ours,
            &subject(Some(Wire::Websocket), Kind::Floor, "loop")
        ));
    }
}
