//! Commands, bounded waits and full reads for the tests.
use pty_utils::{
    Child, Command, ExitStatus, Input, Output, Read, Restrictions, Size, Spawner, Stdin, Stream, Streams,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    path::Path,
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::{runtime::Builder, time::timeout};

/// Long enough for a loaded machine: it is reached only by a test that fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Held by every test; alone by those that look at the whole process.
static PROCESS: RwLock<()> = RwLock::new(());

pub(crate) const PIPES: Streams = Streams::Pipes { stdin: Stdin::Null };
pub(crate) const PIPED: Streams = Streams::Pipes { stdin: Stdin::Piped };
pub(crate) const TERMINAL: Streams = Streams::Terminal {
    size: Size { rows: 24, cols: 80 },
};

/// Runs a test beside others, within its time.
pub(crate) fn beside(test: impl Future<Output = ()>) {
    let _shared = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
    block_on(test);
}

/// Runs a test while no other runs, within its time.
pub(crate) fn alone(test: impl Future<Output = ()>) {
    let _alone = PROCESS.write().unwrap_or_else(PoisonError::into_inner);
    block_on(async {
        // A spawner's thread that has just answered an earlier test can still hold a waker, and with it two
        // descriptors of that test's runtime.
        until(|| !threads().any(|name| name.trim() == "spawner")).await;
        test.await;
    });
}

/// The names of the threads of this process.
fn threads() -> impl Iterator<Item = String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
}

/// Not `tokio::test`, whose runtime opens and closes its descriptors while another test is alone.
fn block_on(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, test).await.expect("it ends in time") });
}

/// Waits for something that has no event.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A command in `/` with a minimal environment.
pub(crate) fn command(argv: &[&str], streams: Streams) -> Command {
    Command {
        argv: argv.iter().map(Into::into).collect(),
        arg0: None,
        cwd: "/".into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        streams,
        restrictions: Restrictions::default(),
    }
}

pub(crate) fn sh(script: &str, streams: Streams) -> Command {
    command(&["/bin/sh", "-c", script], streams)
}

/// What a child wrote, by stream, and how it ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) pty: Vec<u8>,
    pub(crate) status: ExitStatus,
}

impl End {
    pub(crate) fn text(&self) -> String {
        String::from_utf8([&self.stdout[..], &self.pty].concat()).unwrap()
    }
}

/// Runs a command to the end of its output and reaps it.
pub(crate) async fn run(command: Command) -> End {
    let spawner = Spawner::new().unwrap();
    end(spawner.spawn(command).await.unwrap()).await
}

/// Reads all that comes, and reaps.
pub(crate) async fn end(child: Child) -> End {
    let Child {
        leader,
        input,
        outputs,
        terminal,
        tree,
    } = child;
    drop(input);
    let (mut stdout, mut stderr, mut pty) = (Vec::new(), Vec::new(), Vec::new());
    for output in &outputs {
        let bytes = read_to_end(output).await;
        match output.stream() {
            Stream::Stdout => stdout = bytes,
            Stream::Stderr => stderr = bytes,
            Stream::Pty => pty = bytes,
        }
    }
    let status = leader.exited().await.unwrap();
    drop(tree.release(leader).await);
    drop(terminal);
    End {
        stdout,
        stderr,
        pty,
        status,
    }
}

pub(crate) async fn read_to_end(output: &Output) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(bytes) = read_some(output).await {
        all.extend(bytes);
    }
    all
}

/// Reads until `text` has come, and returns all that has.
pub(crate) async fn read_until(output: &Output, text: &str) -> String {
    let mut all = Vec::new();
    loop {
        let so_far = String::from_utf8_lossy(&all);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
        match read_some(output).await {
            Some(bytes) => all.extend(bytes),
            None => panic!("no {text:?} before the end in {so_far:?}"),
        }
    }
}

/// The next bytes, or none at the end of file.
pub(crate) async fn read_some(output: &Output) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        output.readable().await.unwrap();
        match output.try_read(&mut buffer).unwrap() {
            Read::Bytes(count) => {
                buffer.truncate(count);
                return Some(buffer);
            }
            Read::WouldBlock => {}
            Read::EndOfFile => return None,
        }
    }
}

pub(crate) async fn write_all(input: &Input, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        input.writable().await?;
        if let Some(count) = input.try_write(bytes)? {
            bytes = &bytes[count..];
        }
    }
    Ok(())
}

/// Writes an executable script through a child: had this process the file open for writing, a child that
/// another test starts just then could hold it, and executing it would be refused.
pub(crate) async fn script(path: &Path, mode: &str, text: &str) {
    let mut command = sh(r#"printf '%s' "$2" > "$0" && chmod "$1" "$0""#, PIPES);
    command.argv.extend([path.into(), mode.into(), text.into()]);
    assert_eq!(run(command).await.status, ExitStatus::Code(0));
}

/// How many descriptors this process has open, with the one that counts them.
pub(crate) fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The state of a process as in `ps`, or none if there is no such process.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The children of this process, zombies included.
pub(crate) fn children() -> Vec<u32> {
    let ours = std::process::id().to_string();
    let pids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&ours)
    })
    .collect()
}
