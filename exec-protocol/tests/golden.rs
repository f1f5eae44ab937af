//! Every message of the wire, byte for byte.
//!
//! Each method and notification has a file in `golden/` under its name. `params` and `result` lines
//! are what we write and what we read; an `also` line is another way to write the line above it,
//! which we read but never write.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use exec_protocol::envelope::{
    Incoming, Message, Output, RequestId, Style, parse, write_error, write_notice, write_output,
    write_request, write_result,
};
use exec_protocol::environment::{EnvironmentInfo, Info, Shell};
use exec_protocol::initialize::{
    Capabilities, Initialize, InitializeParams, InitializeResult, Initialized, Limits, Notifications,
    ServerInfo,
};
use exec_protocol::process::{
    Ack, AckParams, Chunk, CloseStdin, CloseStdinParams, CloseStdinResult, ClosedNotice, ClosedParams,
    EnvPolicy, ExitedNotice, ExitedParams, Gap, GapNotice, GapParams, Inherit, OnSlowClient, OutputNotice,
    OutputParams, Read, ReadParams, ReadResult, Resize, ResizeParams, Signal, SignalName, SignalParams,
    SignalResult, Size, Start, StartParams, StartResult, Stream, Terminate, TerminateParams, TerminateResult,
    Write, WriteParams, WriteResult, WriteStatus,
};
use exec_protocol::server::{
    ConnectionStats, Info as ServerInfoMethod, InfoResult, MemoryStats, ProcessStats, RequestStats,
    SessionStats, StartStats, Stats, StatsResult,
};
use exec_protocol::{
    Blob, Empty, ErrorKind, Method, Notice, ProcessId, RpcError, Seq, SessionId, StringMap, WirePath,
    WriteId, parse_params,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Files in `golden/` that are no method's.
const OTHER_FILES: [&str; 2] = ["envelope", "errors"];

#[test]
fn every_message_is_written_and_read_as_its_file_shows() {
    let compared = BTreeSet::from([
        initialize(),
        notice::<Initialized>(&[Empty {}]),
        environment_info(),
        start(),
        read(),
        write(),
        close_stdin(),
        resize(),
        signal(),
        terminate(),
        ack(),
        output(),
        gap(),
        exited(),
        closed(),
        server_info(),
        server_stats(),
    ]);
    assert_eq!(
        compared,
        as_strs(&names_in_source()),
        "messages of the crate without a golden case"
    );

    let files = golden_files();
    assert_eq!(
        compared,
        as_strs(&files),
        "files in golden/ that nothing compares"
    );
}

fn initialize() -> &'static str {
    let session_id = SessionId::new("3f6c").unwrap();
    let params = |resume_session_id, notifications| InitializeParams {
        client_name: "golden".into(),
        resume_session_id,
        notifications,
    };
    let full = InitializeResult {
        session_id: session_id.clone(),
        environment_info: this_machine(),
        server_info: Some(ServerInfo {
            name: "exec-server".into(),
            version: "0.1.0".into(),
        }),
        capabilities: Capabilities {
            close_stdin: true,
            resize: true,
            initial_size: true,
            write_eof: true,
            signal_delivered: true,
            offsets: true,
            slow_client: true,
            retain_bytes: true,
            ack: true,
            notifications: true,
            server_stats: true,
        },
        limits: Some(Limits {
            message_bytes: 1,
            batch_elements: 2,
            message_depth: 3,
            id_bytes: 4,
            requests_in_flight: 5,
            stdin_queue_bytes: 6,
            write_ids: 7,
            retain_bytes: 8,
            read_wait_ms: 9,
            read_bytes: 10,
            terminate_grace_ms: 11,
            retain_ended_ms: 12,
            detached_session_ms: 13,
            processes: 14,
            ended_processes: 15,
            sessions: 16,
            connections: 17,
            output_memory_bytes: 18,
            ping_after_ms: 19,
            silent_peer_ms: 20,
        }),
    };
    let core_only = InitializeResult {
        session_id: session_id.clone(),
        environment_info: EnvironmentInfo {
            shell: Shell {
                name: "sh".into(),
                path: "/bin/sh".into(),
            },
            cwd: path("/"),
            user_home_dir: None,
            platform_os: String::new(),
            temp_dir: None,
        },
        server_info: None,
        capabilities: Capabilities::default(),
        limits: None,
    };
    let params = [
        params(None, Notifications::All),
        params(Some(session_id), Notifications::Lifecycle),
        params(None, Notifications::None),
    ];
    method::<Initialize>(&params, &[full, core_only])
}

fn server_info() -> &'static str {
    let info = InfoResult {
        name: "exec-server".into(),
        version: "0.1.0".into(),
        uptime_ms: 1,
        started_at_ms: 2,
        pid: 3,
    };
    method::<ServerInfoMethod>(&[Empty {}], &[info])
}

fn server_stats() -> &'static str {
    let counts = |list: &[(&str, u64)]| {
        list.iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect()
    };
    let busy = StatsResult {
        uptime_ms: 1,
        connections: ConnectionStats {
            open: 2,
            accepted: 3,
            refused: 4,
        },
        sessions: SessionStats {
            open: 5,
            attached: 6,
            opened: 7,
        },
        processes: ProcessStats {
            running: 8,
            exited: 9,
            closed: 10,
        },
        starts: StartStats {
            spawned: 11,
            failed: counts(&[("programNotFound", 13), ("cwdNotFound", 12)]),
        },
        memory: MemoryStats {
            output_bytes: 14,
            reserved_bytes: 15,
            cap_bytes: 16,
        },
        requests: RequestStats {
            answered: 17,
            errors: counts(&[("invalidParams", 18)]),
        },
    };
    method::<Stats>(&[Empty {}], &[busy, StatsResult::default()])
}

fn environment_info() -> &'static str {
    assert_eq!(parse_params(None), Ok(Empty {}), "params may be absent");
    method::<Info>(&[Empty {}], &[this_machine()])
}

fn start() -> &'static str {
    let plain = StartParams::new(process(), ["true"]);
    let full = StartParams {
        process_id: ProcessId::new("p \"1\"").unwrap(),
        argv: strings(&["/bin/sh", "-c", "echo ü"]),
        cwd: Some(path("/srv/a b")),
        env: variables(&[("A", "1"), ("B", "x=y")]),
        env_policy: Some(EnvPolicy {
            inherit: Inherit::Core,
            ignore_default_excludes: true,
            exclude: strings(&["AWS_*"]),
            set: variables(&[("C", "2")]),
            include_only: strings(&["A", "C"]),
        }),
        tty: true,
        pipe_stdin: true,
        arg0: Some("-sh".into()),
        size: Some(Size::new(50, 132).unwrap()),
        retain_bytes: Some(65_536),
        on_slow_client: Some(OnSlowClient::Block),
        sandbox: Some(serde_json::json!({"type": "strict"})),
        enforce_managed_network: true,
        managed_network: Some(serde_json::json!({"port": 1})),
        metadata: Some(serde_json::json!({"note": [1, 2.5, null]})),
    };
    let empty = StartParams {
        env_policy: Some(EnvPolicy::default()),
        ..StartParams::new(ProcessId::new("").unwrap(), [""; 0])
    };
    let nothing_inherited = StartParams {
        env_policy: Some(EnvPolicy {
            inherit: Inherit::None,
            ..EnvPolicy::default()
        }),
        on_slow_client: Some(OnSlowClient::Skip),
        ..plain.clone()
    };
    let started = StartResult {
        process_id: full.process_id.clone(),
        sandbox_type: "none".into(),
    };
    method::<Start>(&[plain, full, empty, nothing_inherited], &[started])
}

fn read() -> &'static str {
    let from_the_start = ReadParams {
        after_seq: None,
        ..ReadParams::after_seq(process(), Seq::ZERO)
    };
    let largest = ReadParams {
        max_bytes: Some(0),
        wait_ms: 60_000,
        ..ReadParams::after_seq(process(), Seq(u64::MAX))
    };
    let exact = ReadParams {
        after_offset: Some(70_000),
        max_bytes: Some(1),
        peek: true,
        ..ReadParams::after_seq(process(), Seq(2))
    };
    let nothing_yet = ReadResult {
        chunks: Vec::new(),
        next_seq: Seq(1),
        exited: false,
        exit_code: None,
        closed: false,
        failure: None,
        sandbox_denied: false,
        next_offset: None,
        first_seq: None,
        first_offset: None,
        end_offset: None,
        gap: None,
    };
    let chunk = |seq, stream, bytes: &'static [u8]| Chunk {
        seq: Seq(seq),
        stream,
        offset: None,
        chunk: Blob::from(bytes),
    };
    let ended = ReadResult {
        chunks: vec![
            chunk(3, Stream::Stdout, b"\x00\xff\n"),
            chunk(4, Stream::Stderr, b"a"),
            chunk(5, Stream::Pty, b""),
        ],
        next_seq: Seq(8),
        exited: true,
        exit_code: Some(143),
        closed: true,
        ..nothing_yet.clone()
    };
    let torn = ReadResult {
        chunks: vec![Chunk {
            offset: Some(70_000),
            ..chunk(4, Stream::Stdout, b"a")
        }],
        next_seq: Seq(4),
        next_offset: Some(70_001),
        first_seq: Some(Seq(4)),
        first_offset: Some(65_536),
        end_offset: Some(131_072),
        gap: Some(Gap::new(Seq(3), Seq(3), 1_000, 65_536)),
        ..nothing_yet.clone()
    };
    method::<Read>(&[from_the_start, largest, exact], &[nothing_yet, ended, torn])
}

fn write() -> &'static str {
    let bytes = WriteParams {
        process_id: process(),
        chunk: Blob::from(&b"\x00\xff\n"[..]),
        write_id: None,
        eof: false,
    };
    let end = WriteParams {
        process_id: process(),
        chunk: Blob::default(),
        write_id: Some(WriteId::new("w1").unwrap()),
        eof: true,
    };
    let results = [
        WriteStatus::Accepted,
        WriteStatus::UnknownProcess,
        WriteStatus::StdinClosed,
    ]
    .map(|status| WriteResult { status });
    method::<Write>(&[bytes, end], &results)
}

fn close_stdin() -> &'static str {
    method::<CloseStdin>(
        &[CloseStdinParams {
            process_id: process(),
        }],
        &[
            CloseStdinResult { closed: true },
            CloseStdinResult { closed: false },
        ],
    )
}

fn resize() -> &'static str {
    let size = Size::new(1, 10_000).unwrap();
    method::<Resize>(
        &[ResizeParams {
            process_id: process(),
            size,
        }],
        &[Empty {}],
    )
}

fn signal() -> &'static str {
    let params = [
        SignalName::Interrupt,
        SignalName::Terminate,
        SignalName::Kill,
        SignalName::Hangup,
        SignalName::Quit,
        SignalName::Stop,
        SignalName::Continue,
        SignalName::User1,
        SignalName::User2,
        SignalName::WindowChange,
    ]
    .map(|signal| SignalParams {
        process_id: process(),
        signal,
    });
    method::<Signal>(
        &params,
        &[
            SignalResult { delivered: true },
            SignalResult { delivered: false },
        ],
    )
}

fn terminate() -> &'static str {
    method::<Terminate>(
        &[TerminateParams {
            process_id: process(),
        }],
        &[
            TerminateResult { running: true },
            TerminateResult { running: false },
        ],
    )
}

fn output() -> &'static str {
    let params = |seq, stream, bytes: &'static [u8]| OutputParams {
        process_id: process(),
        seq: Seq(seq),
        stream,
        chunk: Blob::from(bytes),
    };
    notice::<OutputNotice>(&[
        params(1, Stream::Stdout, b"\x00\xff\n"),
        params(2, Stream::Stderr, b"a"),
        params(3, Stream::Pty, b"ab"),
    ])
}

fn ack() -> &'static str {
    notice::<Ack>(&[AckParams {
        process_id: process(),
        seq: Seq(4),
    }])
}

fn gap() -> &'static str {
    notice::<GapNotice>(&[GapParams {
        process_id: process(),
        gap: Gap::new(Seq(2), Seq(9), 10, 131_072),
    }])
}

fn exited() -> &'static str {
    let params = |exit_code, sandbox_denied| ExitedParams {
        process_id: process(),
        seq: Seq(4),
        exit_code,
        sandbox_denied,
    };
    notice::<ExitedNotice>(&[params(0, false), params(143, true)])
}

fn closed() -> &'static str {
    notice::<ClosedNotice>(&[ClosedParams {
        process_id: process(),
        seq: Seq(5),
    }])
}

#[test]
fn every_error_kind_keeps_its_code_and_its_name() {
    let kinds: Vec<_> = ErrorKind::ALL
        .iter()
        .map(|kind| format!("{} {}", kind.code() as i32, kind.as_str()))
        .collect();
    assert_eq!(kinds, lines_of("errors"));
}

#[test]
fn envelopes_are_written_as_their_file_shows() {
    let failed = RpcError::new(ErrorKind::ProgramNotFound, "no \"x\"")
        .with_errno(Some(2))
        .with_field("argv[0]");
    let unreadable = RpcError::new(ErrorKind::ParseError, "not JSON");
    let process_id = ProcessId::new("p\n").unwrap();
    let closed = ClosedParams {
        process_id: process_id.clone(),
        seq: Seq(5),
    };
    let chunk = Output {
        process_id_json: r#""p\n""#,
        seq: Seq(1),
        stream: Stream::Pty,
        bytes: b"\x00\xff\n",
    };
    let terminate = TerminateParams { process_id };
    let (seven, eight) = (RequestId::number(7), RequestId::number(8));
    let (text, exponent) = (
        id_of(r#"{"id":"a\u00fc \"1\"","method":"m"}"#),
        id_of(r#"{"id":1.50e3,"method":"m"}"#),
    );
    let (versioned, bare) = (Style::Versioned, Style::Bare);

    let mut envelopes = Envelopes::default();
    for style in [versioned, bare] {
        envelopes.add(|out| write_result(out, style, &seven, r#"{"running":true}"#));
    }
    // An id goes back as it came, whatever it is.
    envelopes.add(|out| write_result(out, versioned, &text, "null"));
    envelopes.add(|out| write_result(out, bare, &exponent, "null"));
    for (id, error) in [(Some(&seven), &failed), (None, &unreadable)] {
        for style in [versioned, bare] {
            envelopes.add(|out| write_error(out, style, id, error));
        }
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_notice(out, style, ClosedNotice::NAME, &closed));
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_output(out, style, chunk));
    }
    for style in [versioned, bare] {
        envelopes.add(|out| write_request(out, style, &eight, Terminate::NAME, &terminate));
    }
    assert_eq!(envelopes.0, lines_of("envelope"));
}

#[test]
fn what_is_written_can_be_read_again() {
    for line in lines_of("envelope") {
        let Ok(Incoming::Single(message)) = parse(line.as_bytes()) else {
            panic!("{line}")
        };
        let (Message::Request { style, .. }
        | Message::Notification { style, .. }
        | Message::Response { style, .. }) = message;
        assert_eq!(style == Style::Versioned, line.contains("jsonrpc"), "{line}");
    }
}

#[derive(Default)]
struct Envelopes(Vec<String>);

impl Envelopes {
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        write(&mut out);
        self.0.push(String::from_utf8(out).unwrap());
    }
}

fn id_of(request: &'static str) -> RequestId<'static> {
    match parse(request.as_bytes()) {
        Ok(Incoming::Single(Message::Request { id, .. })) => id,
        other => panic!("{request} is read as {other:?}"),
    }
}

/// Compares a method's file with values: all of its params, then all of its results.
fn method<M>(params: &[M::Params], results: &[M::Result]) -> &'static str
where
    M: Method<Params: Debug + PartialEq, Result: Debug + PartialEq>,
{
    let mut golden = Golden::open(M::NAME);
    golden.params(params);
    golden.compare("result", results, |text| {
        serde_json::from_str(text).map_err(|error| error.to_string())
    });
    golden.end()
}

/// Compares a notification's file with the params it may have.
fn notice<N>(params: &[N::Params]) -> &'static str
where
    N: Notice<Params: Debug + PartialEq>,
{
    let mut golden = Golden::open(N::NAME);
    golden.params(params);
    golden.end()
}

/// The lines of a golden file that were not compared yet.
struct Golden {
    name: &'static str,
    lines: std::iter::Peekable<std::vec::IntoIter<String>>,
}

impl Golden {
    fn open(name: &'static str) -> Self {
        Self {
            name,
            lines: lines_of(name).into_iter().peekable(),
        }
    }

    fn params<T: Debug + PartialEq + Serialize + DeserializeOwned>(&mut self, values: &[T]) {
        self.compare("params", values, |text| {
            parse_params(Some(text)).map_err(|error| error.to_string())
        });
    }

    fn compare<T: Debug + PartialEq + Serialize>(
        &mut self,
        role: &str,
        values: &[T],
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        assert!(!values.is_empty(), "{}: no {role} to compare", self.name);
        for value in values {
            let line = self
                .lines
                .next()
                .unwrap_or_else(|| panic!("{}: no line for {value:?}", self.name));
            let written = serde_json::to_string(value).unwrap();
            assert_eq!(format!("{role} {written}"), line, "{}: as we write it", self.name);
            assert_eq!(
                parse(&written).as_ref(),
                Ok(value),
                "{}: as we read {line}",
                self.name
            );
            while let Some(other) = self.lines.next_if(|line| line.starts_with("  also ")) {
                let other = other.trim_start_matches("  also ");
                assert_eq!(
                    parse(other).as_ref(),
                    Ok(value),
                    "{}: as we read {other}",
                    self.name
                );
                assert_ne!(other, written, "{}: the same line twice", self.name);
            }
        }
    }

    fn end(mut self) -> &'static str {
        assert_eq!(
            self.lines.next(),
            None,
            "{}: a line that nothing compares",
            self.name
        );
        self.name
    }
}

fn lines_of(name: &str) -> Vec<String> {
    let path = golden_dir().join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The methods and notifications that have a file.
fn golden_files() -> BTreeSet<String> {
    let dir = golden_dir();
    files_under(&dir)
        .iter()
        .map(|path| {
            path.strip_prefix(&dir)
                .unwrap()
                .with_extension("")
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|name| !OTHER_FILES.contains(&name.as_str()))
        .collect()
}

/// Every NAME that is declared in the crate, by its source: a type alone cannot be asked which
/// others there are.
fn names_in_source() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let implementations =
            text.matches("impl Method for ").count() + text.matches("impl Notice for ").count();
        let declared: Vec<_> = text
            .split("const NAME: &'static str = \"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            declared.len(),
            implementations,
            "a NAME of {} is not a literal",
            path.display()
        );
        names.extend(declared);
    }
    names
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn as_strs(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

fn process() -> ProcessId {
    ProcessId::new("p").unwrap()
}

fn path(text: &str) -> WirePath {
    WirePath::new(text.into()).unwrap()
}

fn this_machine() -> EnvironmentInfo {
    EnvironmentInfo {
        shell: Shell {
            name: "bash".into(),
            path: "/bin/bash".into(),
        },
        cwd: path("/srv/a b"),
        user_home_dir: Some(path("/home/u")),
        platform_os: "linux".into(),
        temp_dir: Some(path("/tmp")),
    }
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn variables(list: &[(&str, &str)]) -> StringMap {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
