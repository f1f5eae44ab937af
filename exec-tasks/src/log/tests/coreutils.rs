//! `head`, `tail` and `sed -n` say the same.

use std::process::Command;

use super::*;

fn run(program: &str, arguments: &[&str], fixture: &Fixture) -> Vec<u8> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(fixture.files.raw())
        .env("LC_ALL", "C");
    command.output().unwrap().stdout
}

/// What these programs are compared on, with a name for the message.
fn logs() -> Vec<(&'static str, Vec<u8>)> {
    let numbers = |count| numbered(count, |n| format!("line {n}\n")).into_bytes();
    let mut unfinished = numbers(50);
    unfinished.extend(b"and no more");
    vec![
        ("empty", Vec::new()),
        ("a line feed", b"\n".to_vec()),
        ("one unfinished", b"one".to_vec()),
        ("many", numbers(40_000)),
        ("no final line feed", unfinished),
        ("crlf", b"a\r\nb\r\n\r\nc".to_vec()),
        ("binary", (0..=255u8).cycle().take(3_000).collect()),
        ("empty lines", vec![b'\n'; 1_000]),
        (
            "long lines",
            [vec![b'a'; 90 * KIB], vec![b'b'; 200 * KIB], b"c\n".to_vec()].join(&b'\n'),
        ),
        ("characters", "\u{20ac}\u{1f600}\n".repeat(20_000).into_bytes()),
    ]
}

#[test]
fn head_and_tail_are_those_of_coreutils() {
    for (name, bytes) in logs() {
        let fixture = Fixture::with(&bytes);
        assert_eq!(fixture.raw(), bytes, "{name}");
        for count in [0, 1, 2, 3, 49, 50, 51, 999, 20_001, 70_000, u64::from(u32::MAX)] {
            for (unit, flag) in [(LogUnit::Lines, "-n"), (LogUnit::Bytes, "-c")] {
                let argument = count.to_string();
                let head = LogsParams {
                    unit,
                    head: Some(count),
                    ..raw_params()
                };
                let expected = run("head", &[flag, &argument], &fixture);
                assert!(
                    bytes_of(&fixture.read(&head)) == expected,
                    "{name}: head {flag} {count}"
                );
                let tail = LogsParams {
                    unit,
                    tail: Some(count),
                    ..raw_params()
                };
                let expected = run("tail", &[flag, &argument], &fixture);
                assert!(
                    bytes_of(&fixture.read(&tail)) == expected,
                    "{name}: tail {flag} {count}"
                );
            }
        }
    }
}

#[test]
fn lines_are_those_of_sed() {
    for (name, bytes) in logs() {
        let fixture = Fixture::with(&bytes);
        for (from, to) in [(0, 1), (0, 3), (2, 3), (49, 52), (998, 1_002), (39_990, 50_000)] {
            let params = LogsParams {
                range: Some(range(RangeUnit::Line, from, Some(to))),
                ..raw_params()
            };
            let script = format!("{},{}p", from + 1, to);
            let expected = run("sed", &["-n", &script], &fixture);
            assert!(
                bytes_of(&fixture.read(&params)) == expected,
                "{name}: {from} to {to}"
            );
        }
    }
}

#[test]
fn grep_is_grep() {
    for (name, bytes) in logs() {
        let fixture = Fixture::with(&bytes);
        for (regex, flags, before, after) in [
            ("1?99", "-n", 0, 0),
            ("LINE 3?7$", "-in", 0, 0),
            ("7$", "-n", 1, 0),
            ("8[1-5]", "-n", 0, 3),
            ("00$", "-n", 60, 50),
            ("^$", "-n", 2, 2),
            ("^", "-n", 0, 0),
            ("\u{1f600}", "-n", 1, 1),
            ("no more", "-n", 7, 7),
        ] {
            let (before_argument, after_argument) = (before.to_string(), after.to_string());
            let arguments = [
                "-aE",
                flags,
                "-B",
                &before_argument,
                "-A",
                &after_argument,
                "--no-group-separator",
                regex,
            ];
            let output = run("grep", &arguments, &fixture);
            let (mut lines, mut matching) = (Vec::<u8>::new(), Vec::new());
            for line in output.split_inclusive(|&byte| byte == b'\n') {
                let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if line[digits] == b':' {
                    let number: u64 = std::str::from_utf8(&line[..digits]).unwrap().parse().unwrap();
                    matching.push(number - 1);
                }
                lines.extend(&line[digits + 1..]);
            }
            // There are more answers than one for what is much.
            let (mut told, mut told_matching, mut matches, mut from) = (Vec::new(), Vec::new(), 0, 0);
            loop {
                let grep = Grep {
                    ignore_case: flags.contains('i'),
                    before,
                    after,
                    ..grep(regex)
                };
                let params = LogsParams {
                    grep: Some(grep),
                    range: Some(range(RangeUnit::Offset, from, None)),
                    ..raw_params()
                };
                let view = fixture.read(&params);
                told.extend(bytes_of(&view));
                told_matching.extend(view.parts.iter().flat_map(|part| part.matching_lines.clone()));
                matches += view.matches.unwrap();
                if view.next_offset == bytes.len() as u64 {
                    break;
                }
                assert!(view.next_offset > from && matches >= 10_000, "{name}: {regex}");
                from = view.next_offset;
            }
            if !told.is_empty() && told.last() != Some(&b'\n') {
                told.push(b'\n');
            }
            assert!(told == lines, "{name}: {regex}");
            assert_eq!(
                (told_matching, matches),
                (matching.clone(), matching.len() as u64),
                "{name}: {regex}"
            );
        }
    }
}
