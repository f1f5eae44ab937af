//! A figure: what is measured together in one run, of a server or of a floor.

use serde::Serialize;

use crate::client::{Client, Failure, Notifications};
use crate::command_line::CommandLine;
use crate::server::Server;
use crate::sizes::Sizes;
use crate::stats::Delays;
use crate::tally::{Expected, Tally};
use crate::wire::Wire;

/// What is measured together in one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Its name, for `--only` and in front of its metrics.
    pub(crate) name: &'static str,
    /// What is done, for the help.
    pub(crate) about: &'static str,
    /// Measures a server.
    pub(crate) server: fn(&Run<'_>, &mut Record) -> Result<(), Failure>,
    /// What the machine itself can do.
    pub(crate) floors: &'static [Floor],
    /// Most runs that are worth their time.
    pub(crate) most_runs: u32,
}

/// What the machine can do without a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// Whether it is measured once, or over each wire.
    pub(crate) reach: FloorReach,
    /// Measures it.
    pub(crate) measure: fn(&FloorRun<'_>, &mut Record) -> Result<(), Failure>,
}

/// Where a floor is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FloorReach {
    /// It has no wire.
    Machine,
    /// Over each wire.
    EachWire,
}

/// What a server is measured with.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// How it is started.
    pub(crate) command: &'a CommandLine,
    /// How it is spoken to.
    pub(crate) wire: Wire,
    /// How much is done.
    pub(crate) sizes: &'a Sizes,
    /// This program, which is also the child under test.
    pub(crate) program: &'a str,
}

/// What a floor is measured with.
#[derive(Debug)]
pub(crate) struct FloorRun<'a> {
    /// The wire; of no meaning for a floor without one.
    pub(crate) wire: Wire,
    /// How much is done.
    pub(crate) sizes: &'a Sizes,
    /// This program.
    pub(crate) program: &'a str,
}

impl Run<'_> {
    /// A server of its own for this run, and a client of it.
    pub(crate) fn connect(&self, notifications: Notifications) -> Result<(Server, Client), Failure> {
        let mut server = Server::spawn(self.command, self.wire)?;
        let client = server.client(notifications)?;
        Ok((server, client))
    }
}

/// Something that has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Metric {
    /// Its name within its figure; empty if the figure has one only.
    pub(crate) name: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Which way is good.
    pub(crate) better: Better,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// Less is better.
    Less,
    /// More is better.
    More,
}

/// The metrics that several figures have.
pub(crate) const RATE: Metric = Metric {
    name: "rate",
    unit: "MiB/s",
    better: Better::More,
};
pub(crate) const CPU: Metric = Metric {
    name: "cpu",
    unit: "s/GiB",
    better: Better::Less,
};
pub(crate) const LOST: Metric = Metric {
    name: "lost",
    unit: "bytes",
    better: Better::Less,
};
pub(crate) const P50: Metric = Metric {
    name: "p50",
    unit: "µs",
    better: Better::Less,
};
pub(crate) const P99: Metric = Metric {
    name: "p99",
    unit: "µs",
    better: Better::Less,
};

/// What one run came to.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The numbers.
    pub(crate) values: Vec<(Metric, f64)>,
    /// What was not as it has to be.
    pub(crate) losses: Vec<String>,
}

impl Record {
    /// Adds a number.
    pub(crate) fn add(&mut self, metric: Metric, value: f64) {
        self.values.push((metric, value));
    }

    /// Adds the median and the 99th percentile.
    pub(crate) fn add_delays(&mut self, delays: Delays) {
        if let Some((p50, p99)) = delays.p50_p99_us() {
            self.add(P50, p50);
            self.add(P99, p99);
        }
    }

    /// Compares output with what the child wrote.
    pub(crate) fn check(&mut self, tally: &Tally, expected: Expected) {
        let loss = tally.verdict(expected);
        self.add(LOST, crate::stats::float(loss.bytes));
        self.losses.extend(loss.texts);
    }

    /// Notes what is wrong with the numbers of output that has no end.
    pub(crate) fn check_order(&mut self, tally: &Tally) {
        self.losses.extend(tally.disorder());
    }
}
