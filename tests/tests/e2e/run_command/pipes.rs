//! Without a terminal.

use std::process::Output;

use exec_tests::fixture;
use exec_tests::os::with_variable;
use exec_tests::program::{self, Running};
use exec_tests::wait::until;
use rustix::process::Signal;
use tokio::process::Command;

/// `exec-server run` with these words behind it.
fn run<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    program::server(["run"].into_iter().chain(words))
}

async fn output<'a>(words: impl IntoIterator<Item = &'a str>, input: &str) -> Output {
    program::output(run(words), input).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn both_streams_come_out_where_they_went_in() {
    let output = output(["--", &fixture::path(), "records", "2000", "both"], "").await;
    let lines = |remainder| {
        (0..2000)
            .filter(|n| n % 2 == remainder)
            .fold(String::new(), |all, n| format!("{all}{n}\n"))
    };
    assert_eq!(text(&output.stdout), lines(0));
    assert_eq!(text(&output.stderr), lines(1));
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn a_program_that_was_started_to_ignore_its_children_knows_how_they_end() {
    let server = fixture::program("exec-server-under-test");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", r#"trap "" CHLD; exec "$0" run -- sh -c "exit 3""#])
        .arg(server);
    let output = program::output(command, "").await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[tokio::test]
async fn output_comes_as_it_is_written_and_not_at_the_end() {
    let mut running = Running::start(run(["--", &fixture::path(), "echo"]));
    for word in ["one\n", "two\n", "without a newline"] {
        running.write(word).await;
        running.stdout_until(word).await;
    }
    running.close_stdin();
    let output = running.output().await;
    assert_eq!(text(&output.stdout), "one\ntwo\nwithout a newline");
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn the_exit_code_is_that_of_the_command() {
    for code in ["0", "1", "42", "255"] {
        let output = output([&fixture::path(), "exit", code], "").await;
        assert_eq!(
            output.status.code().map(|code| code.to_string()).as_deref(),
            Some(code)
        );
        assert_eq!(
            (text(&output.stdout), text(&output.stderr)),
            (String::new(), String::new())
        );
    }
    for (signal, code) in [("9", 137), ("15", 143), ("10", 138)] {
        let output = output([&fixture::path(), "die", signal], "").await;
        assert_eq!(output.status.code(), Some(code));
    }
}

#[tokio::test]
async fn stdin_is_forwarded_and_closed() {
    let output = output(["--", "tr", "a-z", "A-Z"], "hello\nworld").await;
    assert_eq!(text(&output.stdout), "HELLO\nWORLD");
    let nothing = self::output(["--", "cat"], "").await;
    assert_eq!((nothing.stdout, nothing.status.code()), (Vec::new(), Some(0)));
}

#[tokio::test]
async fn input_that_nobody_reads_keeps_nothing() {
    let megabytes = "x".repeat(5 << 20);
    // The command is gone before it is all written, and so is its host.
    let output = output(["--", "true"], &megabytes).await;
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn fifty_megabytes_pass_whole() {
    const BYTES: usize = 50 << 20;
    let output = output(["--", &fixture::path(), "emit", &BYTES.to_string()], "").await;
    assert_eq!(output.stdout.len(), BYTES);
    for (record, bytes) in output.stdout.chunks(16).enumerate() {
        assert!(
            bytes == format!("{record:015}\n").as_bytes(),
            "record {record} is {:?}",
            text(bytes)
        );
    }
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn megabytes_pass_in_both_directions_at_once() {
    let input: String = (0..1_000_000).fold(String::new(), |all, number| all + &number.to_string() + "\n");
    let output = output(["--", "cat"], &input).await;
    assert!(
        text(&output.stdout) == input,
        "{} bytes came of {}",
        output.stdout.len(),
        input.len()
    );
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn it_runs_where_it_was_told_to() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let path = directory.path().canonicalize().expect("it is there");
    let path = path.to_str().expect("it is UTF-8");
    let output = output(["--cwd", path, "--", "/bin/pwd"], "").await;
    assert_eq!(text(&output.stdout), format!("{path}\n"));
    let mut relative = run(["--cwd", ".", "--", "/bin/pwd"]);
    relative.current_dir(path);
    assert_eq!(
        text(&program::output(relative, "").await.stdout),
        format!("{path}\n")
    );
    let mut here = run(["/bin/pwd"]);
    here.current_dir(path);
    assert_eq!(text(&program::output(here, "").await.stdout), format!("{path}\n"));
}

#[tokio::test]
async fn it_has_this_environment_and_what_was_added() {
    let mut command = run([
        "--env",
        "ADDED=a=b",
        "--env",
        "EMPTY=",
        "--env",
        "CHANGED=new",
        "--",
        "env",
    ]);
    command
        .env("CHANGED", "old")
        .env("API_KEY", "kept")
        .env("KEPT", "yes");
    let output = program::output(command, "").await;
    let said = text(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    for expected in ["ADDED=a=b", "EMPTY=", "CHANGED=new", "API_KEY=kept", "KEPT=yes"] {
        assert!(lines.contains(&expected), "{expected}: {lines:#?}");
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_125_with_a_reason() {
    for (words, reason) in [
        (vec!["no-such-program-anywhere"], "no-such-program-anywhere"),
        (vec!["/no/such/program"], "/no/such/program"),
        (
            vec!["--cwd", "/no/such/directory", "--", "true"],
            "/no/such/directory",
        ),
        (vec!["/"], "/"),
    ] {
        let output = output(words.clone(), "").await;
        assert_eq!(output.status.code(), Some(125), "{words:?}");
        let said = text(&output.stderr);
        assert!(
            said.starts_with("exec-server: ") && said.contains(reason),
            "{words:?}: {said:?}"
        );
        assert_eq!(said.lines().count(), 1, "{said:?}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[tokio::test]
async fn ctrl_c_interrupts_the_command() {
    let mut running = Running::start(run(["--", &fixture::path(), "name-signals"]));
    running.stdout_until("ready\n").await;
    running.signal(Signal::INT);
    let output = running.output().await;
    assert_eq!(text(&output.stdout), "ready\nSIGINT\n");
    assert_eq!(output.status.code(), Some(0));
    let mut running = Running::start(run(["--", "sh", "-c", "echo ready; exec sleep 1000"]));
    running.stdout_until("ready\n").await;
    running.signal(Signal::INT);
    assert_eq!(running.output().await.status.code(), Some(128 + 2));
}

#[tokio::test]
async fn sigterm_ends_the_command_and_what_it_started() {
    let marker = format!("run-term-{}", std::process::id());
    let variable = format!("EXEC_TESTS_MARKER={marker}");
    let mut running = Running::start(run([
        "--env",
        &variable,
        "--",
        "sh",
        "-c",
        "sleep 1000 & echo ready; wait",
    ]));
    running.stdout_until("ready\n").await;
    until("it is there", || !with_variable(&variable).is_empty()).await;
    running.signal(Signal::TERM);
    assert_eq!(running.output().await.status.code(), Some(128 + 15));
    until("nothing is left", || with_variable(&variable).is_empty()).await;
}

#[tokio::test]
async fn who_left_the_session_is_ended_by_a_sigterm_too() {
    let variable = format!("EXEC_TESTS_MARKER=run-held-{}", std::process::id());
    for signals in [1, 2] {
        let mut running = Running::start(run([
            "--env",
            &variable,
            "--",
            "sh",
            "-c",
            "setsid sleep 1000 & echo ready; exec sleep 1000",
        ]));
        running.stdout_until("ready\n").await;
        // Not sooner: before it sleeps it may not have left the session yet.
        let sleep = || {
            with_variable(&variable)
                .iter()
                .filter(|it| it.name().as_deref() == Some("sleep"))
                .count()
        };
        until("both sleep", || sleep() == 2).await;
        for _ in 0..signals {
            running.signal(Signal::TERM);
        }
        assert_eq!(running.output().await.status.code(), Some(128 + 15));
        until("nothing is left", || with_variable(&variable).is_empty()).await;
    }
}

#[tokio::test]
async fn whoever_stops_reading_ends_it_like_a_broken_pipe() {
    let server = exec_tests::program::server([]);
    let server = server.as_std().get_program().to_str().expect("it is UTF-8");
    let script = format!("{server} run -- yes | head -n 1; echo ${{PIPESTATUS[0]}}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]);
    let output = program::output(command, "").await;
    assert_eq!(text(&output.stdout), "y\n141\n");
}

#[tokio::test]
async fn words_behind_the_command_belong_to_it() {
    let output = output(["echo", "--tty", "--help", "--", "-n"], "").await;
    assert_eq!(text(&output.stdout), "--tty --help -- -n\n");
}

#[tokio::test]
async fn it_says_its_version_and_how_it_is_used() {
    let version = program::output(program::server(["--version"]), "").await;
    let said = text(&version.stdout);
    assert!(said.starts_with("exec-server ") && said.contains('.'), "{said:?}");
    assert_eq!((said.lines().count(), version.status.code()), (1, Some(0)));
    for (words, expected) in [
        (vec!["--help"], ["Usage:", "Examples:", "--listen", "run"]),
        (vec!["run", "--help"], ["Usage:", "Examples:", "--tty", "--cwd"]),
    ] {
        let help = program::output(program::server(words.clone()), "").await;
        let said = text(&help.stdout);
        for part in expected {
            assert!(said.contains(part), "{words:?} does not say {part}: {said}");
        }
        assert_eq!(help.status.code(), Some(0));
    }
}

#[tokio::test]
async fn words_that_make_no_sense_are_told_on_stderr() {
    for words in [
        vec!["run"],
        vec!["--listen", "tcp://127.0.0.1:0"],
        vec!["--listen", "ws://localhost"],
        vec!["--no-such-option"],
        vec!["run", "--env", "NOVALUE", "--", "true"],
        vec!["run", "--env", "=x", "--", "true"],
    ] {
        let output = program::output(program::server(words.clone()), "").await;
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(text(&output.stdout), "", "{words:?}");
        assert!(!output.stderr.is_empty(), "{words:?}");
    }
}
