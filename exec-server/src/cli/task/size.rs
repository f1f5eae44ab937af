//! Amounts of bytes, as people type and read them.

/// The units, each 1,024 times the one before.
const UNITS: [(char, &str); 4] = [('K', "KiB"), ('M', "MiB"), ('G', "GiB"), ('T', "TiB")];

/// Reads `64K`, `20M`, `1G`, with or without `B` or `iB` behind it, and plain bytes.
///
/// # Errors
///
/// Says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<u64, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_ascii_uppercase();
    let factor = if unit.is_empty() || unit == "B" {
        Some(1)
    } else {
        (1..).zip(UNITS).find_map(|(power, (letter, _))| {
            let rest = unit.strip_prefix(letter)?;
            ["", "B", "IB"].contains(&rest).then(|| 1024_u64.pow(power))
        })
    };
    match factor {
        Some(factor) if digits > 0 => number
            .parse()
            .ok()
            .and_then(|number: u64| number.checked_mul(factor))
            .ok_or("more bytes than can be counted"),
        _ => Err("not a size such as 64K, 20M or 1G, or a number of bytes"),
    }
}

/// An amount in the largest unit of which it has one, such as `3.4 MiB`.
pub(super) fn readable(bytes: u64) -> String {
    let mut amount = format!("{bytes} B");
    let mut unit_bytes: u128 = 1;
    for (_, unit) in UNITS {
        unit_bytes *= 1024;
        let tenths = u128::from(bytes) * 10 / unit_bytes;
        if tenths < 10 {
            break;
        }
        amount = format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_typed_in_units_or_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("20M", 20 << 20),
            ("1GB", 1 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text:?}");
        }
        for text in [
            "",
            "K",
            "1X",
            "-1",
            "1.5M",
            "1 K",
            "1Kx",
            "99999999999999999999",
            "99999999T",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_in_the_largest_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(readable(bytes), text);
        }
    }
}
