//! `task/logs` agrees with `head`, `tail`, `sed` and `grep` on the file that it reads.

use std::fs;
use std::path::Path;
use std::process::Command;

use exec_protocol::task::LogsResult;
use exec_tests::{Peer, TestServer, on_wires_with_tasks};
use serde_json::{Value, json};

use crate::commands::with;

/// What is hard on those who count lines and characters.
fn nasty() -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(b"\n\n\nfirst\r\nnul \0 in \0 it\n\xff\xfe no text\n");
    bytes.extend(format!("long {} error\n", "x".repeat(70_000)).bytes());
    for number in 0..3_000 {
        bytes.extend(
            format!(
                "{number} ü€𝄞 {}\n",
                if number % 100 == 7 { "error" } else { "fine" }
            )
            .bytes(),
        );
    }
    bytes.extend(b"\x1b[31mred error\x1b[0m\n\n\ncut \xe2\x82\n\n");
    bytes.extend(b"error without an end");
    bytes
}

/// What a program says to the file.
fn said(program: &str, arguments: &[&str], file: &Path) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments).arg(file).env("LC_ALL", "C");
    command.output().expect("it can be run").stdout
}

fn bytes(result: &LogsResult) -> Vec<u8> {
    let parts = result.parts.iter();
    parts
        .flat_map(|part| part.data_base64.as_ref().expect("it is raw").0.to_vec())
        .collect()
}

async fn told(peer: &mut Peer, id: &str, more: Value) -> LogsResult {
    let params = json!({"taskId": id, "view": "raw", "maxBytes": 4 << 20});
    peer.task_log(with(params, more)).await
}

/// Compares both for each file.
async fn agree(peer: &mut Peer, id: &str, file: &Path) {
    let total = fs::metadata(file).unwrap().len();
    for count in [0, 1, 2, 3, 5, 100, 3_000, 100_000] {
        for (unit, flag) in [("lines", "-n"), ("bytes", "-c")] {
            for program in ["head", "tail"] {
                let expected = said(program, &[flag, &count.to_string()], file);
                let mut params = json!({"unit": unit});
                params[program] = json!(count);
                let result = told(peer, id, params).await;
                assert!(bytes(&result) == expected, "{id}: {program} {flag} {count}");
                let omitted: u64 = result
                    .omitted
                    .iter()
                    .map(|omitted| omitted.to_offset - omitted.from_offset)
                    .sum();
                assert_eq!(
                    omitted + expected.len() as u64,
                    total,
                    "{id}: {program} {flag} {count}"
                );
            }
        }
    }
    for (from, to) in [
        (0, 1),
        (2, 5),
        (0, 9),
        (6, 7),
        (1_000, 1_001),
        (2_990, 9_999),
        (3_005, 3_012),
    ] {
        let expected = said("sed", &["-n", &format!("{},{to}p", from + 1)], file);
        let result = told(
            peer,
            id,
            json!({"range": {"unit": "line", "from": from, "to": to}}),
        )
        .await;
        assert!(bytes(&result) == expected, "{id}: lines {from} to {to}");
    }
    for (regex, before, after) in [
        ("error", 0, 0),
        ("error", 2, 1),
        ("^$", 0, 0),
        ("^[0-9]+ .*error$", 3, 3),
        ("nul", 9, 0),
        ("x{1000}", 1, 1),
        ("none", 5, 5),
    ] {
        let mut arguments = vec!["-a", "-E", "-n", "-e", regex];
        let (before_text, after_text) = (before.to_string(), after.to_string());
        arguments.extend(["-B", &before_text, "-A", &after_text, "--no-group-separator"]);
        let mut expected = said("grep", &arguments, file);
        let params = json!({"grep": {"regex": regex, "before": before, "after": after}});
        let result = told(peer, id, params).await;
        let mut numbered = Vec::new();
        for part in &result.parts {
            let part_bytes = part.data_base64.clone().unwrap().0;
            for (line, text) in (part.from_line..).zip(part_bytes.split_inclusive(|byte| *byte == b'\n')) {
                let sign = if part.matching_lines.contains(&line) {
                    ':'
                } else {
                    '-'
                };
                numbered.extend(format!("{}{sign}", line + 1).bytes());
                numbered.extend(text);
            }
        }
        if !numbered.ends_with(b"\n") {
            // It ends the last line itself, if the file does not.
            expected.pop();
        }
        assert!(
            numbered == expected,
            "{id}: grep {regex} {before} {after}: {:?}",
            String::from_utf8_lossy(&numbered[..numbered.len().min(200)])
        );
        let count = String::from_utf8(said("grep", &["-a", "-c", "-E", "-e", regex], file)).unwrap();
        assert_eq!(result.matches, count.trim().parse().ok(), "{id}: {regex}");
    }
    let newlines = fs::read(file)
        .unwrap()
        .split_inclusive(|byte| *byte == b'\n')
        .count();
    assert_eq!(
        told(peer, id, json!({})).await.total_lines,
        newlines as u64,
        "{id}"
    );
}

on_wires_with_tasks! {
    [memory, websocket]
    async fn on_whatever_was_written(server: &TestServer) {
        let mut peer = server.session().await;
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        for (id, content) in [("nasty", nasty()), ("empty", vec![]), ("feeds", b"\n\n\n".to_vec()), ("half", b"half".to_vec()), ("nul", vec![0; 100_000])] {
            fs::write(&source, &content).unwrap();
            peer.run_task(json!({"taskId": id, "argv": ["/bin/cat", source]})).await;
            let file = server.state_dir().join("logs").join(id).join("1.log");
            assert!(fs::read(&file).unwrap() == content, "{id}");
            agree(&mut peer, id, &file).await;
        }
        peer.finish().await;
    }
}
