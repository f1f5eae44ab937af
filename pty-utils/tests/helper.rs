//! A helper for the tests, and a host that can be killed in the middle of its work.
use pty_utils::{Command, Containment, Restrictions, Spawner, SpawnerOptions, Stdin, Streams};
use std::{
    env,
    error::Error,
    future::pending,
    io::{Write, stdout},
    process::ExitCode,
};
use tokio::runtime::Builder;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if let Some(code) = pty_utils::helper::run_if_asked() {
        return Ok(code);
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [containment, marker, script] = &*arguments {
        Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(host(containment, marker, script))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts a script with a variable in its environment, says `ready` when it does, and waits to be killed.
async fn host(containment: &str, marker: &str, script: &str) -> Result<(), Box<dyn Error>> {
    let known = [Containment::Cgroup, Containment::Supervisor, Containment::Group];
    let spawner = Spawner::with_options(SpawnerOptions {
        containment: known.into_iter().find(|known| known.as_str() == containment),
        helper: Some("/proc/self/exe".into()),
    })?;
    let (name, value) = marker.split_once('=').unwrap_or_default();
    let child = spawner
        .spawn(Command {
            argv: ["/bin/sh", "-c", script].map(Into::into).into(),
            arg0: None,
            cwd: "/".into(),
            env: vec![
                ("PATH".into(), "/usr/bin:/bin".into()),
                (name.into(), value.into()),
            ],
            streams: Streams::Pipes { stdin: Stdin::Null },
            restrictions: Restrictions::default(),
        })
        .await?;
    let mut text = Vec::new();
    while !text.ends_with(b"ready\n") {
        let mut buffer = [0; 64];
        child.outputs[0].readable().await?;
        if let pty_utils::Read::Bytes(count) = child.outputs[0].try_read(&mut buffer)? {
            text.extend(&buffer[..count]);
        }
    }
    stdout().write_all(&text)?;
    stdout().flush()?;
    pending().await
}
