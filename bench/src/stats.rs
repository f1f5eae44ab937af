//! Medians and spreads.

use serde::Serialize;

/// What several runs of one metric came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The middle one: a run that was disturbed does not move it.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// A quarter is below.
    pub(crate) p25: f64,
    /// A quarter is above.
    pub(crate) p75: f64,
    /// The most.
    pub(crate) max: f64,
}

impl Summary {
    /// None if there is no value.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: percentile(&sorted, 50)?,
            min: *sorted.first()?,
            p25: percentile(&sorted, 25)?,
            p75: percentile(&sorted, 75)?,
            max: *sorted.last()?,
        })
    }
}

/// Delays of one run, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Delays(Vec<f64>);

impl Delays {
    /// Adds one.
    pub(crate) fn push(&mut self, delay_ns: u64) {
        self.0.push(float(delay_ns));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The median and the 99th percentile in microseconds; None if there is none.
    pub(crate) fn p50_p99_us(mut self) -> Option<(f64, f64)> {
        self.0.sort_by(f64::total_cmp);
        Some((percentile(&self.0, 50)? / 1e3, percentile(&self.0, 99)? / 1e3))
    }
}

/// The value below which `percent` of the sorted ones lie, interpolated between neighbours.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? * percent;
    let (below, part) = (sorted[place / 100], place % 100);
    let above = sorted.get(place / 100 + 1).copied().unwrap_or(below);
    Some(below + (above - below) * float(part as u64) / 100.0)
}

/// A count as something to divide.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is counted here stays below 2^53, and no figure has 15 digits"
)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// MiB per second.
pub(crate) fn mib_per_second(bytes: u64, time_ns: u64) -> f64 {
    float(bytes) / float(1 << 20) / (float(time_ns.max(1)) / 1e9)
}

/// CPU seconds per GiB.
pub(crate) fn seconds_per_gib(cpu_ns: u64, bytes: u64) -> f64 {
    float(cpu_ns) / 1e9 / (float(bytes.max(1)) / float(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Delays::default().p50_p99_us(), None);
    }

    #[test]
    fn a_summary_does_not_depend_on_the_order() {
        let summary = Summary::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(
            summary,
            Summary {
                median: 3.0,
                min: 1.0,
                p25: 2.0,
                p75: 4.0,
                max: 5.0
            }
        );
    }

    #[test]
    fn between_two_values_is_interpolated() {
        assert_eq!(percentile(&[1.0, 2.0], 50), Some(1.5));
        assert_eq!(percentile(&[7.0], 99), Some(7.0));
        assert_eq!(percentile(&[0.0, 100.0], 99), Some(99.0));
    }

    #[test]
    fn delays_are_told_in_microseconds() {
        let mut delays = Delays::default();
        for thousand in 1..=101 {
            delays.push(thousand * 1000);
        }
        assert_eq!(delays.p50_p99_us(), Some((51.0, 100.0)));
    }

    #[test]
    fn rates_have_the_units_of_their_names() {
        assert!((mib_per_second(3 << 20, 1_500_000_000) - 2.0).abs() < 1e-9);
        assert!((seconds_per_gib(250_000_000, 512 << 20) - 0.5).abs() < 1e-9);
    }
}
