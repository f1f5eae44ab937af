//! `process/signal`

use exec_protocol::RpcError;
use exec_protocol::process::{SignalName, SignalParams, SignalResult};
use pty_utils::Signal;

use super::Caller;

/// Not an error on an unknown process: nothing was delivered, and that is what the answer says.
pub(super) async fn signal(caller: Caller, params: SignalParams) -> Result<SignalResult, RpcError> {
    let Some(process) = caller.living(&params.process) else {
        return Ok(SignalResult { delivered: false });
    };
    let answer = process.signal(signal_named(params.signal));
    // No answer comes from a process that is closed, or whose start failed.
    Ok(SignalResult {
        delivered: answer.await.unwrap_or(false),
    })
}

fn signal_named(name: SignalName) -> Signal {
    match name {
        SignalName::Interrupt => Signal::Interrupt,
        SignalName::Terminate => Signal::Terminate,
        SignalName::Kill => Signal::Kill,
        SignalName::Hangup => Signal::Hangup,
        SignalName::Quit => Signal::Quit,
        SignalName::Stop => Signal::Stop,
        SignalName::Continue => Signal::Continue,
        SignalName::User1 => Signal::User1,
        SignalName::User2 => Signal::User2,
        SignalName::WindowChange => Signal::WindowChange,
    }
}
