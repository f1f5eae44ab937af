//! Files: a look at one, and one that is read and written whole.

use std::fs;
use std::io;
use std::path::PathBuf;

use base64_simd::STANDARD;
use tempfile::TempDir;

use crate::client::{Client, Failure, Notifications};
use crate::clock;
use crate::event::Event;
use crate::figure::{CPU, Figure, Floor, FloorReach, FloorRun, RATE, Record, Run};
use crate::stats::{Delays, mib_per_second, seconds_per_gib};

/// See the module.
pub(crate) const METADATA: Figure = Figure {
    name: "file-stat",
    about: "fs/getMetadata of a file, one after the other, until its answer",
    server: metadata,
    floors: &[Floor {
        name: "bare stat",
        reach: FloorReach::Machine,
        measure: bare_metadata,
    }],
    most_runs: u32::MAX,
};

/// See the module.
pub(crate) const READ: Figure = Figure {
    name: "file-read",
    about: "fs/readFile of 12 MiB, one after the other, until its answer",
    server: read,
    floors: &[Floor {
        name: "bare read",
        reach: FloorReach::Machine,
        measure: bare_read,
    }],
    most_runs: u32::MAX,
};

/// See the module.
pub(crate) const WRITE: Figure = Figure {
    name: "file-write",
    about: "fs/writeFile of 12 MiB, one after the other, until its answer",
    server: write,
    floors: &[Floor {
        name: "bare write and rename",
        reach: FloorReach::Machine,
        measure: bare_write,
    }],
    most_runs: u32::MAX,
};

/// A file in a directory of its own, which goes when this is dropped.
struct Subject {
    directory: TempDir,
    contents: Vec<u8>,
}

impl Subject {
    fn new(bytes: u64) -> io::Result<Self> {
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        // Bytes that are not all the same.
        let contents: Vec<u8> = (0..=250_u8).cycle().take(length).collect();
        let directory = tempfile::tempdir()?;
        let subject = Self { directory, contents };
        fs::write(subject.path(), &subject.contents)?;
        Ok(subject)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("file")
    }
}

fn metadata(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(1)?;
    let (_server, mut client) = run.connect(Notifications::All)?;
    let mut delays = Delays::default();
    let begin_ns = clock::now_ns();
    for _ in 0..run.sizes.echoes {
        let start_ns = clock::now_ns();
        let id = client.requests.get_metadata(&subject.path())?;
        client.answer(id)?;
        delays.push(clock::since(start_ns));
        if clock::since(begin_ns) > run.sizes.loop_ns {
            break;
        }
    }
    record.add_delays(delays);
    Ok(())
}

fn bare_metadata(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(1)?;
    let mut delays = Delays::default();
    for _ in 0..run.sizes.echoes {
        let start_ns = clock::now_ns();
        fs::metadata(subject.path())?;
        delays.push(clock::since(start_ns));
    }
    record.add_delays(delays);
    Ok(())
}

fn read(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(run.sizes.file_bytes)?;
    let (server, mut client) = run.connect(Notifications::All)?;
    let expected = STANDARD.encode_to_string(&subject.contents);
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    let mut wrong = 0_u32;
    for _ in 0..run.sizes.file_rounds {
        let id = client.requests.read_file(&subject.path())?;
        wrong += u32::from(!is_in_answer(&mut client, id, expected.as_bytes())?);
    }
    let bytes = run.sizes.file_bytes * u64::from(run.sizes.file_rounds);
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    record.add(CPU, seconds_per_gib(server.cpu()?.since(cpu), bytes));
    if wrong > 0 {
        record
            .losses
            .push(format!("{wrong} answers have other bytes than the file"));
    }
    Ok(())
}

/// Whether the answer to a request has this for contents.
fn is_in_answer(client: &mut Client, id: u64, base64: &[u8]) -> Result<bool, Failure> {
    const BEFORE: &[u8] = b"\"dataBase64\":\"";
    loop {
        match client.next()? {
            Event::Answer { id: found, message } if found == id => {
                let rest = memchr::memmem::find(message, BEFORE).map(|at| &message[at + BEFORE.len()..]);
                let rest = rest.and_then(|rest| rest.strip_prefix(base64));
                return Ok(rest.is_some_and(|rest| rest.starts_with(b"\"")));
            }
            event => event.refusal()?,
        }
    }
}

fn bare_read(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(run.sizes.file_bytes)?;
    let start_ns = clock::now_ns();
    for _ in 0..run.sizes.file_rounds {
        fs::read(subject.path())?;
    }
    let bytes = run.sizes.file_bytes * u64::from(run.sizes.file_rounds);
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    Ok(())
}

fn write(run: &Run<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(run.sizes.file_bytes)?;
    let (server, mut client) = run.connect(Notifications::All)?;
    let base64 = STANDARD.encode_to_string(&subject.contents);
    let written = subject.directory.path().join("written");
    let cpu = server.cpu()?;
    let start_ns = clock::now_ns();
    for _ in 0..run.sizes.file_rounds {
        let id = client.requests.write_file(&written, &base64)?;
        client.answer(id)?;
    }
    let bytes = run.sizes.file_bytes * u64::from(run.sizes.file_rounds);
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    record.add(CPU, seconds_per_gib(server.cpu()?.since(cpu), bytes));
    if fs::read(written)? != subject.contents {
        record
            .losses
            .push("the file has other bytes than were written".to_owned());
    }
    Ok(())
}

fn bare_write(run: &FloorRun<'_>, record: &mut Record) -> Result<(), Failure> {
    let subject = Subject::new(run.sizes.file_bytes)?;
    let (beside, written) = (
        subject.directory.path().join("beside"),
        subject.directory.path().join("written"),
    );
    let start_ns = clock::now_ns();
    for _ in 0..run.sizes.file_rounds {
        fs::write(&beside, &subject.contents)?;
        fs::rename(&beside, &written)?;
    }
    let bytes = run.sizes.file_bytes * u64::from(run.sizes.file_rounds);
    record.add(RATE, mib_per_second(bytes, clock::since(start_ns)));
    Ok(())
}
