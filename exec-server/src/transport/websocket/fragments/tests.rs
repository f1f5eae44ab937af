use std::iter::repeat_n;

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::*;
use crate::limits::MAX_MESSAGE_BYTES;

/// Heads of a fragment of up to 125 bytes, as a client sends it.
const SHORT_HEAD: usize = 6;

const PING: OpCode = OpCode::Control(Control::Ping);

fn frame(opcode: OpCode, is_last: bool, payload_bytes: usize) -> Vec<u8> {
    let header = FrameHeader {
        is_final: is_last,
        opcode,
        mask: Some([1, 2, 3, 4]),
        ..FrameHeader::default()
    };
    let mut bytes = Vec::new();
    header.format(payload_bytes as u64, &mut bytes).unwrap();
    bytes.resize(bytes.len() + payload_bytes, b'x');
    bytes
}

/// A message in these fragments, with a ping behind each.
fn message(fragments: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let mut bytes = frame(OpCode::Data(Data::Text), false, 0);
    for payload_bytes in fragments {
        bytes.extend(frame(OpCode::Data(Data::Continue), false, payload_bytes));
        bytes.extend(frame(PING, true, 0));
    }
    bytes.extend(frame(OpCode::Data(Data::Continue), true, 0));
    bytes
}

fn are_too_small(bytes: &[u8]) -> bool {
    let mut fragments = Fragments::default();
    fragments.came(bytes);
    fragments.are_too_small()
}

#[test]
fn empty_fragments_are_refused_after_as_many_heads_as_any_message_may_have() {
    let mut fragments = Fragments::default();
    fragments.came(&frame(OpCode::Data(Data::Text), false, 0));
    let empty = frame(OpCode::Data(Data::Continue), false, 0);
    assert_eq!(empty.len(), SHORT_HEAD);
    for _ in 1..FRAGMENT_HEADS_BYTES / SHORT_HEAD {
        fragments.came(&empty);
        assert!(!fragments.are_too_small());
    }
    fragments.came(&empty);
    assert!(fragments.are_too_small());
}

#[test]
fn short_messages_may_come_in_any_fragments_and_long_ones_in_those_that_hold_as_much_as_their_heads() {
    let in_fragments_of = |payload_bytes, fragment_bytes| {
        are_too_small(&message(repeat_n(fragment_bytes, payload_bytes / fragment_bytes)))
    };
    assert!(!in_fragments_of(10_000, 1));
    assert!(in_fragments_of(20_000, 1));
    assert!(in_fragments_of(1 << 20, SHORT_HEAD - 1));
    assert!(!in_fragments_of(1 << 20, SHORT_HEAD + 1));
}

#[test]
fn the_longest_message_may_come_in_fragments_of_any_usual_size() {
    for fragment_bytes in [16, 1 << 10, 4 << 10, 1 << 20, MAX_MESSAGE_BYTES] {
        let mut fragments = Fragments::default();
        let fragment = frame(OpCode::Data(Data::Continue), false, fragment_bytes);
        for _ in 0..MAX_MESSAGE_BYTES / fragment_bytes {
            fragments.came(&fragment);
            fragments.came(&frame(PING, true, 0));
        }
        assert!(!fragments.are_too_small(), "{fragment_bytes} bytes each");
    }
}

#[test]
fn a_million_rounds_of_anything_usual_add_up_to_nothing() {
    let mut fragments = Fragments::default();
    let round = [
        frame(PING, true, 0),
        frame(OpCode::Data(Data::Text), true, 3),
        frame(OpCode::Data(Data::Text), false, 1),
        frame(OpCode::Control(Control::Pong), true, 125),
        frame(OpCode::Data(Data::Continue), true, 0),
        frame(OpCode::Data(Data::Binary), true, 126),
    ]
    .concat();
    for _ in 0..1_000_000 {
        fragments.came(&round);
    }
    assert!(!fragments.are_too_small());
    let is_at_a_beginning = (
        fragments.head_bytes,
        fragments.payload_left,
        fragments.heads_bytes,
    );
    assert_eq!(is_at_a_beginning, (0, 0, 0));
}

#[test]
fn what_no_client_may_send_does_no_harm() {
    let mut fragments = Fragments::default();
    // The longest length that there is, twice in one message.
    for _ in 0..2 {
        fragments.payload_left = 0;
        fragments.came(b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0");
        assert_eq!(fragments.payload_left, u64::MAX);
    }
    fragments.came(&[0xff; 100]);
    assert!(!fragments.are_too_small());
}

proptest! {
    // Each of them has thousands of fragments.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_is_the_sum_of_the_heads_against_that_of_what_they_hold_however_they_are_cut(
        messages in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(0_usize..300, 0..100),
                (0_usize..12, 0_usize..12_000).prop_map(|(bytes, fragments)| vec![bytes; fragments]),
            ],
            1..4,
        ),
        cuts in prop::collection::vec(1_usize..5_000, 1..50),
    ) {
        let mut expected = false;
        for message in &messages {
            let mut heads = SHORT_HEAD;
            let mut payload = 0;
            for bytes in message {
                heads += if *bytes < 126 { SHORT_HEAD } else { SHORT_HEAD + 2 };
                payload += bytes;
                expected |= heads > payload.max(FRAGMENT_HEADS_BYTES);
            }
            expected |= heads + SHORT_HEAD > payload.max(FRAGMENT_HEADS_BYTES);
        }
        let bytes: Vec<u8> = messages.into_iter().flat_map(message).collect();
        let mut fragments = Fragments::default();
        let mut left = &bytes[..];
        for cut in cuts.into_iter().cycle() {
            let (next, behind) = left.split_at(cut.min(left.len()));
            fragments.came(next);
            left = behind;
            if left.is_empty() {
                break;
            }
        }
        prop_assert_eq!(fragments.are_too_small(), expected);
        prop_assert_eq!((fragments.head_bytes, fragments.payload_left), (0, 0));
    }
}
