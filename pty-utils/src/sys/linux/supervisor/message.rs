//! What a supervisor and its server say to each other, one packet each. Pure.
use crate::{exit::ExitStatus, usage::Usage};
use std::time::Duration;

/// What the server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sys::linux) enum Request {
    /// Kill everybody, and whoever is forked from now on.
    Kill,
    /// Reap the leader, and exit when nobody is left.
    Release,
}

/// What the supervisor tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sys::linux) enum Report {
    /// The leader's end, and what it has used with the children that it has waited for.
    Exited(ExitStatus, Usage),
    /// Nobody is alive.
    Empty,
    /// The leader was reaped. The answer to a release.
    Released(Rest),
}

/// Whether anybody lives on without the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sys::linux) enum Rest {
    Nobody,
    Somebody,
}

/// The size of every report.
pub(in crate::sys::linux) const REPORT_BYTES: usize = 32;
/// In place of a number that the system does not tell.
const UNKNOWN: u64 = u64::MAX;

impl Request {
    pub(in crate::sys::linux) fn byte(self) -> u8 {
        match self {
            Self::Kill => b'k',
            Self::Release => b'r',
        }
    }

    pub(in crate::sys::linux) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Kill, Self::Release]
            .into_iter()
            .find(|request| request.byte() == byte)
    }
}

impl Report {
    pub(in crate::sys::linux) fn to_bytes(self) -> [u8; REPORT_BYTES] {
        let (kind, number, usage) = match self {
            Self::Exited(ExitStatus::Code(code), usage) => (0, code, usage),
            Self::Exited(ExitStatus::Signal(number), usage) => (1, number, usage),
            Self::Empty => (2, 0, Usage::default()),
            Self::Released(Rest::Nobody) => (3, 0, Usage::default()),
            Self::Released(Rest::Somebody) => (4, 0, Usage::default()),
        };
        let micros = |time: Option<Duration>| {
            time.and_then(|time| u64::try_from(time.as_micros()).ok())
                .unwrap_or(UNKNOWN)
        };
        let words: [u64; 3] = [
            micros(usage.user),
            micros(usage.system),
            usage.max_rss_bytes.unwrap_or(UNKNOWN),
        ];
        let mut bytes = [0; REPORT_BYTES];
        bytes[0] = kind;
        bytes[4..8].copy_from_slice(&number.to_ne_bytes());
        for (place, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    pub(in crate::sys::linux) fn from_bytes(bytes: &[u8; REPORT_BYTES]) -> Option<Self> {
        let number = i32::from_ne_bytes(bytes[4..8].try_into().ok()?);
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_ne_bytes(bytes)).filter(|&word| word != UNKNOWN)
        };
        let usage = Usage {
            user: word(8).map(Duration::from_micros),
            system: word(16).map(Duration::from_micros),
            max_rss_bytes: word(24),
        };
        match bytes[0] {
            0 => Some(Self::Exited(ExitStatus::Code(number), usage)),
            1 => Some(Self::Exited(ExitStatus::Signal(number), usage)),
            2 => Some(Self::Empty),
            3 => Some(Self::Released(Rest::Nobody)),
            4 => Some(Self::Released(Rest::Somebody)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        let usage = Usage {
            user: Some(Duration::from_micros(1_500_001)),
            system: None,
            max_rss_bytes: Some(1 << 40),
        };
        for report in [
            Report::Exited(ExitStatus::Code(255), usage),
            Report::Exited(ExitStatus::Signal(9), Usage::default()),
            Report::Empty,
            Report::Released(Rest::Nobody),
            Report::Released(Rest::Somebody),
        ] {
            assert_eq!(Report::from_bytes(&report.to_bytes()), Some(report));
        }
        assert_eq!(Report::from_bytes(&[9; REPORT_BYTES]), None);
        for request in [Request::Kill, Request::Release] {
            assert_eq!(Request::from_byte(request.byte()), Some(request));
        }
        assert_eq!(Request::from_byte(0), None);
    }
}
