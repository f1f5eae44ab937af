//! Who is measured when: everybody in turns, so that all see the same noise.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::client::Failure;
use crate::clock;
use crate::command_line::ServerSpec;
use crate::figure::{Figure, FloorReach, FloorRun, Metric, Record, Run};
use crate::machine::{self, Moment};
use crate::proc;
use crate::sizes::Sizes;
use crate::watchdog::Watchdog;
use crate::wire::Wire;

/// What is measured, and how often.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The servers.
    pub(crate) servers: &'a [ServerSpec],
    /// The wires.
    pub(crate) wires: &'a [Wire],
    /// How much is done.
    pub(crate) sizes: Sizes,
    /// How often.
    pub(crate) runs: u32,
    /// When a run is given up.
    pub(crate) deadline: Duration,
    /// How long a run may be put off while others use the machine.
    pub(crate) patience: Duration,
    /// This program.
    pub(crate) program: &'a str,
}

/// Somebody who is measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Subject {
    /// The wire; none for what the machine does without one.
    pub(crate) wire: Option<Wire>,
    /// Whether it is under test.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: String,
}

/// Whether a subject is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// It is what the others are compared with.
    Floor,
    /// It is.
    Server,
}

/// What a figure came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The figure.
    pub(crate) figure: &'static Figure,
    /// One value for each run that was finished, by subject; metrics in the order of the figure.
    pub(crate) values: Vec<(Metric, BTreeMap<Subject, Vec<f64>>)>,
    /// What went wrong.
    pub(crate) faults: Vec<Fault>,
    /// The share of a core that others used, for each run of each subject.
    pub(crate) others: Vec<f64>,
}

/// Something that went wrong in one run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fault {
    /// Whose run it was.
    pub(crate) subject: Subject,
    /// Which one, from 1.
    pub(crate) run: u32,
    /// What it was.
    pub(crate) text: String,
}

/// Measures one figure.
pub(crate) fn measure(plan: &Plan<'_>, figure: &'static Figure) -> Outcome {
    let mut outcome = Outcome {
        figure,
        values: Vec::new(),
        faults: Vec::new(),
        others: Vec::new(),
    };
    let subjects = subjects(plan, figure);
    for run in 1..=plan.runs.min(figure.most_runs) {
        // Nobody always comes after the same one.
        let first = run as usize % subjects.len().max(1);
        for (subject, measure) in subjects[first..].iter().chain(&subjects[..first]) {
            progress(figure, subject, run);
            let attempt = attempt_in_peace(plan, measure);
            outcome.others.push(attempt.others);
            outcome.take(subject, run, attempt);
        }
    }
    outcome
}

/// One run of one subject.
struct Attempt {
    record: Record,
    fault: Option<String>,
    others: f64,
}

/// A run that nobody disturbs, if patience lasts.
fn attempt_in_peace(plan: &Plan<'_>, measure: &Measure<'_>) -> Attempt {
    let start_ns = clock::now_ns();
    loop {
        let left = plan
            .patience
            .saturating_sub(Duration::from_nanos(clock::since(start_ns)));
        machine::wait_for_quiet(left);
        let attempt = attempt(plan.deadline, measure);
        if left.is_zero() || !machine::is_disturbed(attempt.others) {
            return attempt;
        }
    }
}

fn attempt(deadline: Duration, measure: &Measure<'_>) -> Attempt {
    let mut record = Record::default();
    let before = Moment::now();
    let watchdog = Watchdog::start(deadline);
    let result = measure(&mut record);
    let is_late = watchdog.stop();
    // Whatever was left behind is waited for here, and counts as ours.
    proc::sweep();
    Attempt {
        record,
        fault: explain(result, is_late, deadline),
        others: before.others_since(),
    }
}

type Measure<'a> = Box<dyn Fn(&mut Record) -> Result<(), Failure> + 'a>;

fn subjects<'a>(plan: &'a Plan<'_>, figure: &'static Figure) -> Vec<(Subject, Measure<'a>)> {
    let mut subjects: Vec<(Subject, Measure<'a>)> = Vec::new();
    for floor in figure.floors {
        let wires = match floor.reach {
            FloorReach::Machine => &plan.wires[..1],
            FloorReach::EachWire => plan.wires,
        };
        for &wire in wires {
            let told = (floor.reach == FloorReach::EachWire).then_some(wire);
            let run = FloorRun {
                wire,
                sizes: &plan.sizes,
                program: plan.program,
            };
            let subject = Subject {
                wire: told,
                kind: Kind::Floor,
                name: floor.name.to_owned(),
            };
            subjects.push((subject, Box::new(move |record| (floor.measure)(&run, record))));
        }
    }
    for &wire in plan.wires {
        for server in plan.servers {
            let run = Run {
                command: &server.command,
                wire,
                sizes: &plan.sizes,
                program: plan.program,
            };
            let subject = Subject {
                wire: Some(wire),
                kind: Kind::Server,
                name: server.name.clone(),
            };
            subjects.push((subject, Box::new(move |record| (figure.server)(&run, record))));
        }
    }
    subjects
}

fn explain(result: Result<(), Failure>, is_late: bool, deadline: Duration) -> Option<String> {
    match result {
        _ if is_late => Some(format!("timed out after {} s", deadline.as_secs())),
        Ok(()) => None,
        Err(failure) => Some(failure.to_string()),
    }
}

impl Outcome {
    fn take(&mut self, subject: &Subject, run: u32, attempt: Attempt) {
        for (metric, value) in attempt.record.values {
            let place = self
                .values
                .iter()
                .position(|known| known.0 == metric)
                .unwrap_or_else(|| {
                    self.values.push((metric, BTreeMap::new()));
                    self.values.len() - 1
                });
            self.values[place]
                .1
                .entry(subject.clone())
                .or_default()
                .push(value);
        }
        let texts = attempt.record.losses.into_iter().chain(attempt.fault);
        self.faults.extend(texts.map(|text| Fault {
            subject: subject.clone(),
            run,
            text,
        }));
    }
}

/// Tells on stderr what is under way. Whoever does not want to know sends it away.
fn progress(figure: &Figure, subject: &Subject, run: u32) {
    let wire = subject.wire.map_or("", Wire::name);
    // Nothing depends on it.
    let _ = writeln!(io::stderr(), "{} {} {wire} run {run}", figure.name, subject.name);
}
