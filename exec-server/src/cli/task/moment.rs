//! Moments, as people read them.

use super::super::date::date;
use super::duration;

/// How long ago a moment is, such as `3m ago`, or how soon it comes. Both in Unix milliseconds.
pub(super) fn relative(at_ms: u64, now_ms: u64) -> String {
    if at_ms > now_ms {
        return format!("in {}", duration::readable(largest_unit(at_ms - now_ms)));
    }
    match now_ms - at_ms {
        0..1_000 => "now".to_owned(),
        ms => format!("{} ago", duration::readable(largest_unit(ms))),
    }
}

/// A moment as a date and a time of UTC with its distance from now, such as `2026-11-03 17:00:02 UTC (3m ago)`.
pub(super) fn absolute(at_ms: u64, now_ms: u64) -> String {
    let (days, seconds) = (at_ms / 86_400_000, at_ms / 1_000 % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC ({})",
        relative(at_ms, now_ms)
    )
}

/// What is left when everything below the largest unit is cut off.
fn largest_unit(ms: u64) -> u64 {
    let unit = match ms {
        0..60_000 => 1_000,
        60_000..3_600_000 => 60_000,
        3_600_000..86_400_000 => 3_600_000,
        86_400_000.. => 86_400_000,
    };
    (ms / unit * unit).max(ms.min(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_from_now() {
        for (at_ms, text) in [
            (1_000_000_000, "now"),
            (999_998_000, "2s ago"),
            (999_809_000, "3m ago"),
            (996_000_000, "1h ago"),
            (700_000_000, "3d ago"),
            (1_000_000_200, "in 200ms"),
            (1_000_090_000, "in 1m"),
        ] {
            assert_eq!(relative(at_ms, 1_000_000_000), text);
        }
    }

    #[test]
    fn a_moment_is_told_as_a_date() {
        assert_eq!(absolute(1_000, 2_000), "1970-01-01 00:00:01 UTC (1s ago)");
    }
}
