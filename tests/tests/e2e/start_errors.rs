//! A start that fails says why, and leaves nothing of itself.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::{on_pipes, with};

const ENOENT: Option<i32> = Some(2);
const ENOEXEC: Option<i32> = Some(8);
const EACCES: Option<i32> = Some(13);
const ENOTDIR: Option<i32> = Some(20);

/// What an error must be.
struct Refusal {
    params: Value,
    code: i32,
    kind: &'static str,
    errno: Option<i32>,
    field: Option<&'static str>,
}

fn refusal(
    params: Value,
    (code, kind): (i32, &'static str),
    errno: Option<i32>,
    field: Option<&'static str>,
) -> Refusal {
    Refusal {
        params,
        code,
        kind,
        errno,
        field,
    }
}

/// A file with this content that may be executed. Another process writes it: a copy of its descriptor in
/// a child that another test starts just now would make it busy.
fn executable(directory: &TempDir, name: &str, content: &[u8]) -> String {
    let path = directory.path().join(name);
    let mut shell = Command::new("/bin/sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(content).unwrap();
    assert!(shell.wait().unwrap().success());
    text(&path)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Each is refused on pipes and on a terminal alike; after each the id can be used.
async fn are_refused(peer: &mut Peer, refusals: Vec<Refusal>) {
    for (number, refusal) in refusals.into_iter().enumerate() {
        for tty in [false, true] {
            let id = format!("{number} {tty}");
            let params = with(refusal.params.clone(), json!({"processId": id, "tty": tty}));
            let error = peer.refused("process/start", params.clone()).await;
            let found = (
                error.code,
                error.data.kind.as_str(),
                error.data.errno,
                error.data.field.as_deref(),
            );
            assert_eq!(
                found,
                (refusal.code, refusal.kind, refusal.errno, refusal.field),
                "{params}: {error}"
            );
            let unknown = peer.refused("process/read", json!({"processId": id})).await;
            assert_eq!(unknown.data.kind, "unknownProcess");
            assert_eq!(
                peer.run(on_pipes(&id, ["exit", "4"])).await.exit_code,
                Some(4),
                "after {params}"
            );
        }
    }
}

on_every_wire! {
    async fn what_the_system_refuses_has_a_kind_an_errno_and_a_field(peer: &mut Peer) {
        let directory = tempfile::tempdir().unwrap();
        let garbage = executable(&directory, "garbage", b"\x00\x01\x02 no program");
        let orphan = executable(&directory, "orphan", b"#!/no/such/interpreter\n");
        let plain = text(&directory.path().join("plain"));
        std::fs::write(&plain, "#!/bin/sh\n").unwrap();
        let not_found = (-32603, "programNotFound");
        let no_cwd = (-32603, "cwdNotFound");
        let not_executable = (-32603, "notExecutable");
        let run = |program: &str| json!({"argv": [program]});
        let run_in = |cwd: &str| json!({"argv": ["/bin/pwd"], "cwd": cwd});
        are_refused(peer, vec![
            refusal(run("/no/such/program"), not_found, ENOENT, Some("argv[0]")),
            refusal(run("no-such-program-anywhere"), not_found, ENOENT, Some("argv[0]")),
            refusal(run("./no-such-program"), not_found, ENOENT, Some("argv[0]")),
            refusal(run_in("/no/such/directory"), no_cwd, ENOENT, Some("cwd")),
            refusal(run_in("file:///no%20such"), no_cwd, ENOENT, Some("cwd")),
            refusal(run_in("/bin/sh"), no_cwd, ENOTDIR, Some("cwd")),
            refusal(run(&garbage), not_executable, ENOEXEC, Some("argv[0]")),
            refusal(run(&orphan), not_executable, ENOENT, Some("argv[0]")),
            refusal(run(&plain), (-32603, "permissionDenied"), EACCES, None),
        ])
        .await;
    }

    async fn what_cannot_be_run_is_refused_before_anything_runs(peer: &mut Peer) {
        let invalid = (-32602, "invalidParams");
        are_refused(peer, vec![
            refusal(json!({"argv": []}), (-32602, "emptyArgv"), None, Some("argv")),
            refusal(json!({"argv": [""]}), (-32602, "emptyArgv"), None, Some("argv")),
            refusal(json!({"argv": ["/bin/echo", "a\0b"]}), invalid, None, Some("argv")),
            refusal(json!({"argv": ["/bin/\0echo"]}), invalid, None, Some("argv")),
            refusal(json!({"argv": ["/bin/true"], "arg0": "a\0b"}), invalid, None, Some("arg0")),
            refusal(json!({"argv": ["/bin/true", 1]}), invalid, None, Some("argv[1]")),
            refusal(json!({"argv": "/bin/true"}), invalid, None, Some("argv")),
            refusal(json!({}), invalid, None, Some("argv")),
            refusal(json!({"argv": ["/bin/true"], "cwd": "relative"}), (-32602, "invalidPath"), None, Some("cwd")),
            refusal(json!({"argv": ["/bin/true"], "cwd": "/a\0b"}), (-32602, "invalidPath"), None, Some("cwd")),
            refusal(json!({"argv": ["/bin/true"], "cwd": "file://other/tmp"}), (-32602, "invalidPath"), None, Some("cwd")),
            refusal(json!({"argv": ["/bin/true"], "env": {"": "x"}}), invalid, None, Some("env")),
            refusal(json!({"argv": ["/bin/true"], "env": {"A=B": "x"}}), invalid, None, Some("env")),
            refusal(json!({"argv": ["/bin/true"], "env": {"A\0B": "x"}}), invalid, None, Some("env")),
            refusal(json!({"argv": ["/bin/true"], "env": {"A": "x\0y"}}), invalid, None, Some("env")),
        ])
        .await;
    }

    async fn a_sandbox_is_refused_and_never_ignored(peer: &mut Peer) {
        let mark = tempfile::tempdir().unwrap();
        let file = mark.path().join("ran");
        let run = |member: &str, value: Value| json!({"argv": ["touch", text(&file)], member: value});
        let unsupported = (-32602, "sandboxUnsupported");
        are_refused(peer, vec![
            refusal(run("sandbox", json!({"type": "seatbelt"})), unsupported, None, Some("sandbox")),
            refusal(run("sandbox", json!({})), unsupported, None, Some("sandbox")),
            refusal(run("sandbox", json!("none")), unsupported, None, Some("sandbox")),
            refusal(run("sandbox", json!(false)), unsupported, None, Some("sandbox")),
            refusal(run("managedNetwork", json!({})), unsupported, None, Some("managedNetwork")),
            refusal(run("enforceManagedNetwork", json!(true)), unsupported, None, Some("enforceManagedNetwork")),
        ])
        .await;
        assert!(!file.exists(), "it ran");
    }
}
