//! The least that a server can do: read a pipe, encode, write; one thread, no server around it.
//!
//! What it reaches is the floor for pushed output. The client that receives it is the one that receives a
//! server's.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use base64_simd::{Out, STANDARD};
use clap::Args;
use rustix::pipe::fcntl_setpipe_size;

use crate::wire::{Wire, accept, append_header};

/// What is read at once.
const READ_BYTES: usize = 64 << 10;

/// Size of the child's pipe: as a good server has it, so that the child can work while the loop writes.
const PIPE_BYTES: usize = 256 << 10;

/// Longest header of a frame.
const HEADER_BYTES: usize = 10;

/// What to run and how to tell.
#[derive(Debug, Args)]
pub(crate) struct LoopMode {
    /// Where messages go.
    #[arg(value_enum)]
    wire: Wire,
    /// The command whose output they carry.
    #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
    argv: Vec<String>,
}

/// Is the loop: waits for a first message, runs the command, and leaves when its peer does.
pub(crate) fn run(mode: &LoopMode) -> io::Result<()> {
    match mode.wire {
        Wire::Stdio => {
            let mut stdin = File::from(io::stdin().as_fd().try_clone_to_owned()?);
            let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            wait(&mut stdin)?;
            push(mode, &mut stdout)?;
            wait(&mut stdin)
        }
        Wire::Websocket => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            writeln!(io::stdout().lock(), "ws://{}", listener.local_addr()?)?;
            let (mut socket, _) = listener.accept()?;
            accept(&mut socket)?;
            wait(&mut socket)?;
            push(mode, &mut socket)?;
            wait(&mut socket)
        }
    }
}

fn wait(from: &mut impl Read) -> io::Result<()> {
    from.read(&mut [0; 64]).map(drop)
}

fn push(mode: &LoopMode, to: &mut impl Write) -> io::Result<()> {
    let mut command = Command::new(&mode.argv[0]);
    command
        .args(&mode.argv[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut pipe = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    fcntl_setpipe_size(&pipe, PIPE_BYTES)?;
    let mut message = Message::new(mode.wire);
    let mut room = vec![0; READ_BYTES];
    let mut seq = 1;
    loop {
        let count = pipe.read(&mut room)?;
        if count == 0 {
            break;
        }
        let head = format!(
            r#"{{"method":"process/output","params":{{"processId":"p1","seq":{seq},"stream":"stdout","chunk":""#
        );
        to.write_all(message.text(&head, &room[..count], r#""}}"#))?;
        seq += 1;
    }
    child.wait()?;
    let closed = format!(r#"{{"method":"process/closed","params":{{"processId":"p1","seq":{seq}}}}}"#);
    to.write_all(message.text(&closed, b"", ""))
}

/// One message with its framing, in one buffer.
struct Message {
    wire: Wire,
    bytes: Vec<u8>,
    header: Vec<u8>,
}

impl Message {
    fn new(wire: Wire) -> Self {
        Self {
            wire,
            bytes: Vec::new(),
            header: Vec::new(),
        }
    }

    fn text(&mut self, head: &str, chunk: &[u8], tail: &str) -> &[u8] {
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
        self.bytes.extend_from_slice(head.as_bytes());
        let begin = self.bytes.len();
        self.bytes.resize(begin + STANDARD.encoded_length(chunk.len()), 0);
        let _ = STANDARD.encode(chunk, Out::from_slice(&mut self.bytes[begin..]));
        self.bytes.extend_from_slice(tail.as_bytes());
        match self.wire {
            Wire::Stdio => {
                self.bytes.push(b'\n');
                &self.bytes[HEADER_BYTES..]
            }
            Wire::Websocket => {
                self.header.clear();
                append_header(&mut self.header, self.bytes.len() - HEADER_BYTES, 0);
                let start = HEADER_BYTES - self.header.len();
                self.bytes[start..HEADER_BYTES].copy_from_slice(&self.header);
                &self.bytes[start..]
            }
        }
    }
}
