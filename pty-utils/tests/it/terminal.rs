//! Children on terminals.
use crate::support::{TERMINAL, beside, command, end, read_some, read_until, run, sh, write_all};
use pty_utils::{ExitStatus, Read, Size, Spawner, Stream, Streams};

#[test]
fn output_and_exit_code_come_through_a_terminal() {
    beside(async {
        let end = run(sh("echo out; echo err >&2; exit 3", TERMINAL)).await;
        assert_eq!(end.text(), "out\r\nerr\r\n");
        assert_eq!(end.status, ExitStatus::Code(3));
    });
}

#[test]
fn everything_a_child_wrote_comes_before_the_end_of_file() {
    beside(async {
        for _ in 0..10 {
            let end = run(sh("head -c 300000 /dev/zero", TERMINAL)).await;
            assert_eq!(end.pty.len(), 300_000);
        }
    });
}

#[test]
fn the_terminal_is_the_controlling_one_and_has_the_name_we_know() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner
            .spawn(sh("tty; tty < /dev/tty; echo ok > /dev/tty", TERMINAL))
            .await
            .unwrap();
        let name = child.terminal.as_ref().unwrap().name().display().to_string();
        assert_eq!(end(child).await.text(), format!("{name}\r\n/dev/tty\r\nok\r\n"));
    });
}

#[test]
fn a_child_on_pipes_has_no_controlling_terminal() {
    beside(async {
        let end = run(sh("true < /dev/tty && echo has one", crate::support::PIPES)).await;
        assert_eq!(end.text(), "");
    });
}

#[test]
fn the_size_is_what_was_asked_for() {
    beside(async {
        for size in [Size { rows: 24, cols: 80 }, Size { rows: 50, cols: 132 }] {
            let end = run(command(&["stty", "size"], Streams::Terminal { size })).await;
            assert_eq!(end.text(), format!("{} {}\r\n", size.rows, size.cols));
        }
    });
}

#[test]
fn a_resize_is_seen_and_raises_sigwinch() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done";
        let child = spawner.spawn(sh(script, TERMINAL)).await.unwrap();
        read_until(&child.outputs[0], "ready").await;
        let terminal = child.terminal.clone().unwrap();
        let size = Size { rows: 33, cols: 101 };
        terminal.resize(size).unwrap();
        assert_eq!(terminal.size().unwrap(), size);
        assert!(end(child).await.text().ends_with("33 101\r\n"));
    });
}

#[test]
fn all_byte_values_pass_a_raw_terminal_unchanged() {
    beside(async {
        let sent: Vec<u8> = (0..=255).collect();
        assert!(echo(&sent).await == sent);
    });
}

// The child reads more slowly than we write, so its buffer fills again and again; one lost wake-up would hang
// this.
#[test]
fn a_mebibyte_typed_at_once_comes_back_whole() {
    beside(async {
        let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
        assert!(echo(&sent).await == sent);
    });
}

/// Types `sent` at `cat` on a raw terminal and returns as many bytes as come back.
async fn echo(sent: &[u8]) -> Vec<u8> {
    let spawner = Spawner::new().unwrap();
    let child = spawner
        .spawn(sh("stty raw -echo; echo ready; exec cat", TERMINAL))
        .await
        .unwrap();
    let output = &child.outputs[0];
    assert_eq!(output.stream(), Stream::Pty);
    read_until(output, "ready\n").await;
    let read = async {
        let mut received = Vec::new();
        while received.len() < sent.len() {
            received.extend(read_some(output).await.unwrap());
        }
        received
    };
    let (written, received) = tokio::join!(write_all(child.input.as_ref().unwrap(), sent), read);
    written.unwrap();
    received
}

#[test]
fn a_terminal_whose_child_does_not_read_takes_a_bounded_amount_and_wakes_the_writer_later() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let script = "stty raw -echo; echo ready; head -c 1 > /dev/null; exec cat > /dev/null";
        let child = spawner.spawn(sh(script, TERMINAL)).await.unwrap();
        read_until(&child.outputs[0], "ready\n").await;
        child.leader.signal_group(pty_utils::Signal::Stop).unwrap();
        let input = child.input.as_ref().unwrap();
        let mut taken = 0;
        input.writable().await.unwrap();
        while let Some(count) = input.try_write(&[b'x'; 4096]).unwrap() {
            taken += count;
            assert!(taken < 1 << 20, "it is full at some point");
        }
        child.leader.signal_group(pty_utils::Signal::Continue).unwrap();
        write_all(input, &vec![b'x'; 1 << 16]).await.unwrap();
    });
}

#[test]
fn the_end_of_file_char_is_known_in_canonical_mode_only() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner
            .spawn(sh("cat; stty raw; echo now; sleep 60", TERMINAL))
            .await
            .unwrap();
        let terminal = child.terminal.as_ref().unwrap();
        assert_eq!(terminal.end_of_file_char().unwrap(), Some(4));
        write_all(child.input.as_ref().unwrap(), &[4]).await.unwrap();
        read_until(&child.outputs[0], "now").await;
        assert_eq!(terminal.end_of_file_char().unwrap(), None);
    });
}

#[test]
fn dropping_the_input_of_a_terminal_does_nothing() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let mut child = spawner
            .spawn(sh("echo ready; read line; echo $?", TERMINAL))
            .await
            .unwrap();
        drop(child.input.take());
        read_until(&child.outputs[0], "ready").await;
        let mut buffer = [0; 64];
        while child.outputs[0].read_now(&mut buffer).unwrap() != Read::WouldBlock {}
        assert!(child.terminal.as_ref().unwrap().size().is_ok());
        child.leader.signal_group(pty_utils::Signal::Kill).unwrap();
        assert_eq!(end(child).await.status, ExitStatus::Signal(9));
    });
}

#[test]
fn dropping_every_handle_hangs_up_on_the_child() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner.spawn(command(&["sleep", "60"], TERMINAL)).await.unwrap();
        drop((child.input, child.outputs, child.terminal));
        assert_eq!(child.leader.exited().await.unwrap(), ExitStatus::Signal(1));
    });
}

#[test]
fn a_full_terminal_that_nobody_holds_any_more_refuses_bytes_for_good() {
    beside(async {
        let spawner = Spawner::new().unwrap();
        let child = spawner
            .spawn(sh("echo ready; exec sleep 60", TERMINAL))
            .await
            .unwrap();
        read_until(&child.outputs[0], "ready").await;
        let input = child.input.as_ref().unwrap();
        input.writable().await.unwrap();
        while input.try_write(&[b'\n'; 4096]).unwrap().is_some() {}
        child.leader.signal_group(pty_utils::Signal::Kill).unwrap();
        child.leader.exited().await.unwrap();
        // The exit comes before the terminal is let go of, so a few waits may be in vain, but each must wait.
        let mut in_vain = 0;
        loop {
            input.writable().await.unwrap();
            match input.try_write(b"x") {
                Ok(Some(_)) => {}
                Ok(None) => in_vain += 1,
                // `BrokenPipe`, or `EIO` if there was room again.
                Err(_) => break,
            }
            assert!(in_vain < 100, "it claims to be writable and takes nothing");
        }
    });
}
