//! How a leader ended.

/// How a leader ended. A signal is never disguised as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited with this code, 0 to 255.
    Code(i32),
    /// The signal of this number ended it.
    Signal(i32),
}

impl ExitStatus {
    /// The status as a shell gives it in `$?`: the code, or 128 + n for signal n.
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => 128 + number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_becomes_128_plus_its_number() {
        assert_eq!(ExitStatus::Signal(9).shell_code(), 137);
        assert_eq!(ExitStatus::Code(137).shell_code(), 137);
    }
}
