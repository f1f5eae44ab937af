//! Signals by their numbers here.
use crate::signal::Signal;

impl From<Signal> for rustix::process::Signal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::INT,
            Signal::Terminate => Self::TERM,
            Signal::Kill => Self::KILL,
            Signal::Hangup => Self::HUP,
            Signal::Quit => Self::QUIT,
            Signal::Stop => Self::STOP,
            Signal::Continue => Self::CONT,
            Signal::User1 => Self::USR1,
            Signal::User2 => Self::USR2,
            Signal::WindowChange => Self::WINCH,
        }
    }
}
