//! A host that starts exec-server as its child and runs a command through it, over stdio.
//!
//! ```console
//! cargo build
//! cargo run --example embed_stdio [PATH-TO-EXEC-SERVER]
//! ```
//!
//! Without an argument the binary is looked for where `cargo build` puts it. Exits with the command's code.

use std::env;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use exec_client::{Client, Event, Transport};
use exec_protocol::ProcessId;
use exec_protocol::process::{EnvPolicy, StartParams, Stream};
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let client = Client::connect(Transport::stdio(Command::new(binary()?))?, "embed_stdio").await?;
    let code = run(
        &client,
        ["sh", "-c", "echo to stdout; echo to stderr >&2; uname -s"],
    )
    .await?;
    // The end of its stdin is the server's sign to leave; this waits for it.
    client.close().await;
    Ok(ExitCode::from(code))
}

/// Runs a command to its end, output as it comes. Its exit code.
async fn run<const N: usize>(client: &Client, argv: [&str; N]) -> Result<u8, Box<dyn Error>> {
    let mut params = StartParams::new(ProcessId::new("p1")?, argv);
    // The server's environment but for what looks like a secret. Without a policy it would be empty.
    params.env_policy = Some(EnvPolicy::default());
    let mut process = client.start(&params).await?;
    let mut code = None;
    while let Some(event) = process.next().await {
        match event {
            Event::Output {
                stream: Stream::Stdout | Stream::Pty,
                bytes,
                ..
            } => {
                io::stdout().write_all(&bytes)?;
            }
            Event::Output {
                stream: Stream::Stderr,
                bytes,
                ..
            } => io::stderr().write_all(&bytes)?,
            Event::Exited { exit_code, .. } => code = Some(u8::try_from(exit_code)?),
            Event::Closed { .. } => {}
            Event::Gap { .. } | Event::Disconnected => return Err("output was lost".into()),
        }
    }
    code.ok_or_else(|| "the end of the command was not told".into())
}

/// The binary that was named, or the one beside the directory that this example was built into.
fn binary() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(named) = env::args_os().nth(1) {
        return Ok(named.into());
    }
    let example = env::current_exe()?;
    let directory = example.ancestors().nth(2).ok_or("this program lies nowhere")?;
    let binary = directory.join("exec-server");
    if !binary.exists() {
        return Err(format!("{} is missing: `cargo build`, or name one", binary.display()).into());
    }
    Ok(binary)
}
