use super::*;
use proptest::prelude::*;

fn id(name: &str) -> Option<WriteId> {
    WriteId::new(name).ok()
}

fn written(queue: &mut StdinQueue, at_most: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(Next::Bytes(bytes)) = queue.next() {
        let taken = bytes.len().min(at_most);
        all.extend_from_slice(&bytes[..taken]);
        queue.advance(taken);
    }
    all
}

#[test]
fn a_repeated_write_is_accepted_and_typed_once() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    assert_eq!(queue.write(id("1"), b"one", true), Ok(()));
    assert_eq!(queue.write(id("1"), b"one", true), Ok(()));
    assert_eq!(queue.write(id("1"), b"one", false), Err(StdinRefusal::IdReused));
    assert_eq!(queue.write(id("1"), b"two", true), Err(StdinRefusal::IdReused));
    assert_eq!(queue.write(id("2"), b"two", false), Err(StdinRefusal::Closed));
    assert_eq!(written(&mut queue, 2), b"one");
    assert_eq!(queue.next(), Some(Next::EndOfFile));
}

#[test]
fn ids_are_remembered_up_to_the_limit_and_no_further() {
    let mut queue = StdinQueue::new(StdinKind::Terminal);
    for name in 0..=REMEMBERED_WRITE_IDS {
        queue.write(id(&name.to_string()), b"x", false).unwrap();
    }
    assert_eq!(queue.write(id("1"), b"y", false), Err(StdinRefusal::IdReused));
    assert_eq!(queue.write(id("0"), b"y", false), Ok(()));
    assert_eq!(queue.recent.known.len(), REMEMBERED_WRITE_IDS);
}

#[test]
fn after_a_refusal_nothing_is_taken_until_the_refused_write_comes_again() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    queue.write(None, &vec![1; MAX_STDIN_QUEUE_BYTES], false).unwrap();
    assert_eq!(queue.write(id("big"), &[2; 10], false), Err(StdinRefusal::Full));
    queue.advance(MAX_STDIN_QUEUE_BYTES);
    assert_eq!(queue.write(None, &[3], false), Err(StdinRefusal::Full));
    assert_eq!(queue.write(id("other"), &[3], false), Err(StdinRefusal::Full));
    assert_eq!(queue.end(), Err(StdinRefusal::Full));
    assert_eq!(queue.write(id("big"), &[2; 10], false), Ok(()));
    assert_eq!(queue.write(None, &[3], false), Ok(()));
    assert_eq!(written(&mut queue, usize::MAX), [vec![2; 10], vec![3]].concat());
}

#[test]
fn a_write_longer_than_the_bound_is_taken_by_an_empty_queue() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    assert_eq!(
        queue.write(None, &vec![0; 2 * MAX_STDIN_QUEUE_BYTES], false),
        Ok(())
    );
    assert_eq!(queue.write(None, &[0], false), Err(StdinRefusal::Full));
}

#[test]
fn a_terminal_goes_on_after_an_end_of_file() {
    let mut queue = StdinQueue::new(StdinKind::Terminal);
    queue.write(None, b"a", false).unwrap();
    assert_eq!(queue.end(), Ok(true));
    queue.write(None, b"b", false).unwrap();
    assert_eq!(written(&mut queue, usize::MAX), b"a");
    assert_eq!(queue.next(), Some(Next::EndOfFile));
    queue.pass_end();
    assert_eq!(written(&mut queue, usize::MAX), b"b");
    assert_eq!(queue.next(), None);
}

#[test]
fn a_line_is_unfinished_until_its_end_or_an_end_of_file() {
    let mut queue = StdinQueue::new(StdinKind::Terminal);
    queue.write(None, b"a\nb", true).unwrap();
    queue.advance(2);
    assert!(!queue.is_in_mid_line());
    queue.advance(1);
    assert!(queue.is_in_mid_line());
    queue.pass_end();
    assert!(!queue.is_in_mid_line());
}

#[test]
fn a_write_with_an_offset_is_taken_as_far_as_there_is_room_and_never_twice() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    let all = |bytes| Ok(Accepted { bytes, is_all: true });
    assert_eq!(queue.write_at(None, 0, b"abc", false), all(3));
    assert_eq!(queue.write_at(None, 1, b"bcd", false), all(3));
    let nothing = Accepted {
        bytes: 0,
        is_all: false,
    };
    assert_eq!(queue.write_at(None, 5, b"f", false), Ok(nothing));
    assert_eq!(queue.write(None, b"e", false), Err(StdinRefusal::Mixed));
    let long = vec![7; MAX_STDIN_QUEUE_BYTES];
    let part = Accepted {
        bytes: MAX_STDIN_QUEUE_BYTES - 4,
        is_all: false,
    };
    assert_eq!(queue.write_at(None, 4, &long, true), Ok(part));
    assert_eq!(written(&mut queue, 1000)[..4], *b"abcd");
    assert_eq!(queue.next(), None);
    assert_eq!(queue.write_at(None, 4, &long, true), all(MAX_STDIN_QUEUE_BYTES));
    assert_eq!(queue.write_at(None, 4, &long, true), all(MAX_STDIN_QUEUE_BYTES));
    assert_eq!(written(&mut queue, usize::MAX), [7; 4]);
    assert_eq!(queue.next(), Some(Next::EndOfFile));
    let beyond = queue.write_at(None, 4 + MAX_STDIN_QUEUE_BYTES as u64, b"x", false);
    assert_eq!(beyond, Err(StdinRefusal::Closed));
}

#[test]
fn a_terminal_gets_each_end_of_file_once_however_often_it_comes() {
    let mut queue = StdinQueue::new(StdinKind::Terminal);
    for (offset, bytes, ends) in [
        (0, "a", 1),
        (0, "a", 1),
        (1, "", 1),
        (1, "b", 2),
        (0, "a", 2),
        (1, "b", 2),
    ] {
        let accepted = queue.write_at(None, offset, bytes.as_bytes(), true);
        assert_eq!(
            accepted,
            Ok(Accepted {
                bytes: bytes.len(),
                is_all: true
            })
        );
        assert_eq!(queue.ends.len(), ends, "{bytes:?} at {offset}");
    }
}

#[test]
fn without_offsets_there_is_no_offset_to_compare_with() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    assert_eq!(queue.write(None, b"abc", false), Ok(()));
    for (offset, bytes) in [(3, "d"), (0, "abc"), (1, ""), (9, "late")] {
        let refusal = queue.write_at(None, offset, bytes.as_bytes(), false);
        assert_eq!(refusal, Err(StdinRefusal::Mixed), "{bytes:?} at {offset}");
    }
}

#[test]
fn a_write_with_an_offset_and_an_id_is_that_write_and_no_other() {
    let mut queue = StdinQueue::new(StdinKind::Pipe);
    let all = Accepted {
        bytes: 2,
        is_all: true,
    };
    assert_eq!(queue.write_at(id("1"), 0, b"ab", false), Ok(all));
    assert_eq!(queue.write_at(id("1"), 0, b"ab", false), Ok(all));
    assert_eq!(
        queue.write_at(id("1"), 0, b"aX", false),
        Err(StdinRefusal::IdReused)
    );
    let mut none = StdinQueue::new(StdinKind::None);
    assert_eq!(none.write_at(None, 0, b"", true), Err(StdinRefusal::Closed));
}

#[test]
fn without_a_stdin_nothing_is_taken() {
    let mut queue = StdinQueue::new(StdinKind::None);
    assert_eq!(queue.write(None, b"", false), Err(StdinRefusal::Closed));
    assert_eq!(queue.end(), Ok(false));
}

proptest! {
    #[test]
    fn what_was_accepted_comes_out_whole_and_in_order(
        steps in prop::collection::vec((0..400_000_usize, 0..600_000_usize), 0..30),
    ) {
        let mut queue = StdinQueue::new(StdinKind::Pipe);
        let (mut accepted, mut out) = (Vec::new(), Vec::new());
        for (salt, (len, drained)) in steps.into_iter().enumerate() {
            let bytes = vec![u8::try_from(salt).unwrap(); len];
            let before = queue.queue.len();
            if queue.write(id(&salt.to_string()), &bytes, false).is_ok() {
                accepted.extend_from_slice(&bytes);
            } else {
                prop_assert_eq!(queue.queue.len(), before);
            }
            prop_assert!(queue.queue.len() <= MAX_STDIN_QUEUE_BYTES);
            if let Some(Next::Bytes(next)) = queue.next() {
                let taken = next.len().min(drained);
                out.extend_from_slice(&next[..taken]);
                queue.advance(taken);
            }
        }
        out.extend(written(&mut queue, usize::MAX));
        prop_assert_eq!(accepted, out);
    }
}
