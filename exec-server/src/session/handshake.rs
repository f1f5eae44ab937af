//! What a connection may say, and when. Pure.

use exec_protocol::initialize::{Initialize, Initialized};
use exec_protocol::{Method as _, Notice as _};

/// How far a connection has come: `initialize` → its result → `initialized` → anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Handshake {
    /// Nothing was said yet.
    #[default]
    Fresh,
    /// `initialize` was answered.
    Answered,
    /// The client said `initialized`.
    Ready,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It opens or resumes a session.
    Initialize,
    /// It is for the method table.
    Dispatch,
}

/// A request at the wrong time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// Something came before `initialize`.
    #[error("`initialize` comes first")]
    BeforeInitialize,
    /// Something came before `initialized`.
    #[error("`initialized` comes first")]
    BeforeInitialized,
    /// `initialize` came again.
    #[error("`initialize` comes once")]
    Again,
    /// `initialize` came in a batch.
    #[error("`initialize` comes alone, not in a batch")]
    InBatch,
}

impl Handshake {
    /// Decides over a request.
    pub(crate) fn admit(self, method: &str, in_batch: bool) -> Result<Admission, HandshakeError> {
        let is_initialize = method == Initialize::NAME;
        match self {
            _ if is_initialize && in_batch => Err(HandshakeError::InBatch),
            Self::Fresh if is_initialize => Ok(Admission::Initialize),
            Self::Answered | Self::Ready if is_initialize => Err(HandshakeError::Again),
            Self::Fresh => Err(HandshakeError::BeforeInitialize),
            Self::Answered => Err(HandshakeError::BeforeInitialized),
            Self::Ready => Ok(Admission::Dispatch),
        }
    }

    /// Takes note of a notification.
    pub(crate) fn notice(&mut self, method: &str) {
        if *self == Self::Answered && method == Initialized::NAME {
            *self = Self::Ready;
        }
    }

    /// Takes note that `initialize` succeeded.
    pub(crate) fn answered(&mut self) {
        *self = Self::Answered;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message, as far as it matters here.
    #[derive(Debug, Clone, Copy)]
    enum Message {
        Initialize { in_batch: bool, succeeds: bool },
        Other { in_batch: bool },
        Initialized,
        OtherNotice,
    }

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            any::<(bool, bool)>().prop_map(|(in_batch, succeeds)| Message::Initialize { in_batch, succeeds }),
            any::<bool>().prop_map(|in_batch| Message::Other { in_batch }),
            Just(Message::Initialized),
            Just(Message::OtherNotice),
        ]
    }

    proptest! {
        #[test]
        fn after_any_messages_a_request_is_admitted_if_the_whole_handshake_lies_behind(
            messages in prop::collection::vec(message(), 0..12),
        ) {
            let mut handshake = Handshake::default();
            let (mut is_answered, mut is_ready) = (false, false);
            for message in messages {
                match message {
                    Message::Initialize { in_batch, succeeds } => {
                        let admitted = handshake.admit("initialize", in_batch);
                        let expected = match (in_batch, is_answered) {
                            (true, _) => Err(HandshakeError::InBatch),
                            (false, true) => Err(HandshakeError::Again),
                            (false, false) => Ok(Admission::Initialize),
                        };
                        prop_assert_eq!(admitted, expected);
                        // One that was refused for its params may be tried again.
                        if admitted.is_ok() && succeeds {
                            handshake.answered();
                            is_answered = true;
                        }
                    }
                    Message::Other { in_batch } => {
                        let expected = match (is_answered, is_ready) {
                            (_, true) => Ok(Admission::Dispatch),
                            (true, false) => Err(HandshakeError::BeforeInitialized),
                            (false, false) => Err(HandshakeError::BeforeInitialize),
                        };
                        prop_assert_eq!(handshake.admit("process/start", in_batch), expected);
                    }
                    Message::Initialized => {
                        handshake.notice("initialized");
                        is_ready |= is_answered;
                    }
                    Message::OtherNotice => handshake.notice("process/ack"),
                }
            }
        }
    }

    #[test]
    fn only_the_whole_handshake_opens_the_method_table() {
        let mut handshake = Handshake::default();
        handshake.notice("initialized");
        assert_eq!(
            handshake.admit("process/start", false),
            Err(HandshakeError::BeforeInitialize)
        );
        assert_eq!(handshake.admit("initialize", true), Err(HandshakeError::InBatch));
        assert_eq!(handshake.admit("initialize", false), Ok(Admission::Initialize));
        handshake.answered();
        assert_eq!(
            handshake.admit("process/start", false),
            Err(HandshakeError::BeforeInitialized)
        );
        handshake.notice("something/else");
        assert_eq!(
            handshake.admit("process/start", true),
            Err(HandshakeError::BeforeInitialized)
        );
        handshake.notice("initialized");
        assert_eq!(handshake.admit("process/start", true), Ok(Admission::Dispatch));
        assert_eq!(handshake.admit("initialize", false), Err(HandshakeError::Again));
    }
}
