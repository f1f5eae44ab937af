//! A shell on a terminal, somewhere else: typed to, resized and ended over a websocket.
//!
//! ```console
//! cargo run --example remote_websocket [ws://HOST:PORT]
//! ```
//!
//! Without an argument it starts a server of its own, in this program, on a free port. Exits with 1 if anything
//! goes wrong.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::env;
use std::error::Error;

use exec_client::{Client, Event, Process};
use exec_protocol::ProcessId;
use exec_protocol::process::{EnvPolicy, Size, StartParams};
use exec_server::{Config, Server};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(url) = env::args().nth(1) {
        return talk(&url).await;
    }
    let server = Server::new(Config::default())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let tasks = TaskTracker::new();
    tasks.spawn({
        let server = server.clone();
        async move { server.serve_websocket(listener).await }
    });
    let outcome = talk(&url).await;
    // Whatever still runs is ended, also after a failure.
    let report = server.shutdown().await;
    tasks.close();
    tasks.wait().await;
    outcome?;
    if report.is_complete {
        Ok(())
    } else {
        Err("something was left behind".into())
    }
}

async fn talk(url: &str) -> Result<(), Box<dyn Error>> {
    println!("connecting to {url}");
    // This client connects again when the connection breaks, and takes its session up where it was.
    let client = Client::connect_websocket(url, "remote_websocket").await?;
    let mut params = StartParams::new(ProcessId::new("shell")?, ["sh"]);
    params.tty = true;
    params.size = Some(Size::new(24, 80)?);
    params.env_policy = Some(EnvPolicy::default());
    let mut shell = client.start(&params).await?;
    // Acts on the process while somebody else takes its events.
    let control = shell.control();
    control.resize(Size::new(50, 132)?).await?;
    control.write("stty size; exit 7\n").await?;
    let (screen, exit_code) = to_the_end(&mut shell).await?;
    client.close().await;
    println!("{}\nexit code {exit_code}", screen.trim_end());
    if screen.contains("50 132") && exit_code == 7 {
        Ok(())
    } else {
        Err("that was not expected".into())
    }
}

/// Everything the process wrote, and its exit code.
async fn to_the_end(process: &mut Process) -> Result<(String, i32), Box<dyn Error>> {
    let (mut output, mut code) = (Vec::new(), None);
    while let Some(event) = process.next().await {
        match event {
            Event::Output { bytes, .. } => output.extend_from_slice(&bytes),
            Event::Exited { exit_code, .. } => code = Some(exit_code),
            Event::Closed { .. } => {}
            Event::Gap { .. } | Event::Disconnected => return Err("output was lost".into()),
        }
    }
    // Only now: a chunk may end in the middle of a character.
    let output = String::from_utf8_lossy(&output).into_owned();
    Ok((output, code.ok_or("the end of the shell was not told")?))
}
