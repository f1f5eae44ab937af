//! The end of a server that has much to end, and whose client does not listen.

use std::fs::{self, File};
use std::process::Stdio;

use exec_tests::os::OsProcess;
use exec_tests::wait::{until, within_patience};
use exec_tests::websocket::RawWebsocket;
use exec_tests::{Marker, program};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// Does not end when it is asked to.
const STUBBORN: &str = "trap '' TERM; exec sleep 1000";

/// A family of four, half of which does not end when it is asked to.
const FAMILY: &str = "sleep 1000 & (trap '' TERM; sleep 1001 & wait) & wait";

/// Writes as long as somebody reads.
const FLOOD: &str = "exec yes";

/// How many there are of each, and how many processes that makes for the system.
const CROWD: [(&str, usize, usize); 3] = [(STUBBORN, 200, 1), (FAMILY, 100, 4), (FLOOD, 200, 1)];

/// A server whose stdin stays open and whose stdout is left to fill.
struct Crowded {
    child: Child,
    process: OsProcess,
    marker: Marker,
    directory: TempDir,
}

impl Crowded {
    fn start(mut command: Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = command
            .arg("--no-tasks")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(directory.path().join("stderr")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let process = OsProcess::with_pid(child.id().unwrap()).unwrap();
        Self {
            child,
            process,
            marker: Marker::new(),
            directory,
        }
    }

    /// A handshake, and starts of all of the crowd.
    fn requests(&self) -> Vec<String> {
        let mut requests = vec![
            json!({"id": 0, "method": "initialize", "params": {"clientName": "deaf"}}),
            json!({"method": "initialized"}),
        ];
        let scripts = CROWD
            .iter()
            .flat_map(|(script, count, _)| std::iter::repeat_n(script, *count));
        for (number, script) in scripts.enumerate() {
            let start = json!({"processId": number.to_string(), "argv": ["/bin/sh", "-c", script]});
            let request =
                json!({"id": number + 1, "method": "process/start", "params": self.marker.on(start)});
            requests.push(request);
        }
        requests.iter().map(Value::to_string).collect()
    }

    async fn gathers(&self) {
        let all = CROWD.iter().map(|(_, count, size)| count * size).sum();
        self.marker.running(all).await;
    }

    /// Asks it to leave. It has to, with a report, and without anybody.
    async fn leaves(mut self) {
        let helpers = self.process.descendants();
        self.process.signal(Signal::TERM);
        let status = within_patience("the server to leave", self.child.wait())
            .await
            .unwrap();
        let said = fs::read_to_string(self.directory.path().join("stderr")).unwrap();
        assert!(status.success(), "{status}: {said}");
        let report = said.lines().last().unwrap_or_default();
        let processes: usize = CROWD.iter().map(|(_, count, _)| count).sum();
        let expected = format!("sessions=1 processes={processes} is_complete=true");
        assert!(report.ends_with(&expected), "{said}");
        assert_eq!(self.marker.processes(), []);
        until("its helpers are gone as well", || {
            helpers.iter().all(|helper| !helper.is_running())
        })
        .await;
    }
}

#[tokio::test]
async fn five_hundred_processes_end_in_time_though_stdin_is_open_and_stdout_is_not_read() {
    let mut server = Crowded::start(program::server([]));
    let requests = server.requests();
    let mut stdin = server.child.stdin.take().unwrap();
    for request in requests {
        let line = format!("{request}\n");
        let written = within_patience("the server to read", stdin.write_all(line.as_bytes())).await;
        written.unwrap();
    }
    server.gathers().await;
    server.leaves().await;
    drop(stdin);
}

#[tokio::test]
async fn five_hundred_processes_end_in_time_though_the_websocket_is_not_read() {
    let mut server = Crowded::start(program::server(["--listen", "ws://127.0.0.1:0"]));
    let mut url = String::new();
    let stdout = server.child.stdout.take().unwrap();
    let mut stdout = BufReader::new(stdout);
    within_patience("the URL", stdout.read_line(&mut url))
        .await
        .unwrap();
    let mut client = RawWebsocket::connect(url.trim_end(), "/", b"").await;
    for request in server.requests() {
        client.send_text(&request).await;
    }
    server.gathers().await;
    server.leaves().await;
    drop(client);
}
