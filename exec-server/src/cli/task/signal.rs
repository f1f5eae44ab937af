//! `task signal`

use std::process::ExitCode;

use clap::Args;
use exec_protocol::process::SignalName;
use exec_protocol::task::{Signal, SignalParams, TaskRef};

use super::context::{Context, Form};
use super::output::remark;
use crate::cli::{FAILURE, Failure};

/// Send a signal to a task that runs
#[derive(Debug, Args)]
pub(super) struct SignalArgs {
    /// Its id, or the beginning of it
    #[arg(value_parser = TaskRef::new)]
    id: TaskRef,
    #[arg(value_parser = by_name, help = SIGNAL_HELP)]
    signal: SignalName,
}

const SIGNAL_HELP: &str =
    "INT, TERM, KILL, HUP, QUIT, STOP, CONT, USR1, USR2 or WINCH, with or without SIG before it";

/// The signals there are, as people call them.
const SIGNALS: [(&str, SignalName); 10] = [
    ("INT", SignalName::Interrupt),
    ("TERM", SignalName::Terminate),
    ("KILL", SignalName::Kill),
    ("HUP", SignalName::Hangup),
    ("QUIT", SignalName::Quit),
    ("STOP", SignalName::Stop),
    ("CONT", SignalName::Continue),
    ("USR1", SignalName::User1),
    ("USR2", SignalName::User2),
    ("WINCH", SignalName::WindowChange),
];

/// Sends the signal.
pub(super) async fn signal(context: &Context, args: SignalArgs) -> Result<ExitCode, Failure> {
    let params = SignalParams {
        task_id: args.id,
        signal: args.signal,
    };
    let result = context.call::<Signal>(&params).await?;
    context.tell(&result, |_, _| String::new())?;
    if result.delivered {
        return Ok(ExitCode::SUCCESS);
    }
    if context.form() == Form::Text {
        remark("exec-server: nobody was there to get the signal");
    }
    Ok(ExitCode::from(FAILURE))
}

fn by_name(text: &str) -> Result<SignalName, &'static str> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let known = SIGNALS.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, signal)| *signal)
        .ok_or("not a signal that can be sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_their_usual_names() {
        for text in ["INT", "int", "SIGINT", "sigint"] {
            assert_eq!(by_name(text), Ok(SignalName::Interrupt), "{text}");
        }
        for (name, signal) in SIGNALS {
            assert_eq!(by_name(name), Ok(signal));
            assert!(SIGNAL_HELP.contains(name), "{name}");
        }
        for text in ["", "SIG", "SEGV", "9"] {
            assert!(by_name(text).is_err(), "{text}");
        }
    }
}
