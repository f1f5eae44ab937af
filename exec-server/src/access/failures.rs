//! How often a source is told that it was refused.
//!
//! An answer costs us more than hanging up, and a line in the log costs more than that. What is limited is the refusals and
//! nothing else: a request with a good token is always let in, whatever came before it from the same address. Its 32 random
//! bytes cannot be guessed at any rate, and a limit that shut the door would let one peer lock out the others behind its
//! address.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::time::Instant;

use crate::limits::{BETWEEN_REFUSALS, MAX_REFUSED_SOURCES, REFUSALS_AT_ONCE};

/// Where requests come from, as far as one peer can choose among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// An address.
    V4(Ipv4Addr),
    /// A network of 64 bits, all of which a single machine may use.
    V6(u64),
    /// A Unix socket, whose peers have all one user.
    Unix,
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            // Each machine has all that begin with 127.
            IpAddr::V4(address) if address.is_loopback() => Self::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(network(address)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(network) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*network) << 64)),
            Self::Unix => write!(f, "unix"),
        }
    }
}

fn network(address: Ipv6Addr) -> u64 {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
        .into_iter()
        .fold(0, |network, segment| network << 16 | u64::from(segment))
}

/// What a peer that was refused is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Why it was refused.
    Answer,
    /// Nothing: it is hung up on.
    HangUp,
}

/// The sources that were refused lately.
///
/// # Invariants
///
/// * At most [`MAX_REFUSED_SOURCES`] of them.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// For each the moment from which on it has all of its answers again. Each answer puts that off.
    recovered: HashMap<Source, Instant>,
}

impl Failures {
    /// Counts a refusal. What is not answered does not count.
    pub(crate) fn failed(&mut self, source: Source, now: Instant) -> Told {
        let recovered = self
            .recovered
            .get(&source)
            .map_or(now, |recovered| now.max(*recovered))
            + BETWEEN_REFUSALS;
        if recovered > now + BETWEEN_REFUSALS * REFUSALS_AT_ONCE {
            return Told::HangUp;
        }
        if self.recovered.len() == MAX_REFUSED_SOURCES && !self.recovered.contains_key(&source) {
            self.forget_one();
        }
        self.recovered.insert(source, recovered);
        Told::Answer
    }

    /// Forgets the one that recovers first, or has long done so.
    fn forget_one(&mut self) {
        let first = self.recovered.iter().min_by_key(|(_, recovered)| **recovered);
        if let Some(source) = first.map(|(source, _)| *source) {
            self.recovered.remove(&source);
        }
    }
}

#[cfg(test)]
mod tests;
