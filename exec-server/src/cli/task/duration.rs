//! Lengths of time, as people type and read them.

use std::time::Duration;

use crate::clock::milliseconds;

/// The longest that is taken: some 136 years. What is added to a clock does not overflow it then.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d`, sums of them such as `1h30m`, and plain seconds.
///
/// # Errors
///
/// Says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    let malformed = "not a duration such as 500ms, 30s, 5m, 2h, 1h30m or 7d, or a number of seconds";
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            "" if digits == text.len() => Duration::from_secs(1),
            _ => return Err(malformed),
        };
        if digits == 0 {
            return Err(malformed);
        }
        total = number
            .parse()
            .ok()
            .and_then(|number| unit.checked_mul(number))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or("longer than 49710 days")?;
        rest = behind;
    }
    if text.is_empty() {
        return Err(malformed);
    }
    Ok(total)
}

/// As [`parse`], in milliseconds.
///
/// # Errors
///
/// As [`parse`].
pub(super) fn parse_ms(text: &str) -> Result<u64, &'static str> {
    parse(text).map(milliseconds)
}

/// A length of time in its two largest units, such as `2h 5m`.
pub(super) fn readable(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    let of = |count: u64, unit: &str, rest: u64, smaller: &str| match rest {
        0 => format!("{count}{unit}"),
        rest => format!("{count}{unit} {rest}{smaller}"),
    };
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{seconds}s"),
        60_000..3_600_000 => of(minutes, "m", seconds % 60, "s"),
        3_600_000..86_400_000 => of(hours, "h", minutes % 60, "m"),
        86_400_000.. => of(hours / 24, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_typed_in_units_or_seconds() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("30", 30_000),
            ("0", 0),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(parse_ms(text), Ok(ms), "{text:?}");
        }
        for text in [
            "",
            "s",
            "1x",
            "-1",
            "1.5h",
            "1h30",
            "30 s",
            "1m 2",
            "99999999d",
            "99999999999999999999",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_are_read_in_two_units() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (59_999, "59s"),
            (60_000, "1m"),
            (61_000, "1m 1s"),
            (7_500_000, "2h 5m"),
            (90_000_000, "1d 1h"),
        ] {
            assert_eq!(readable(ms), text);
        }
    }
}
