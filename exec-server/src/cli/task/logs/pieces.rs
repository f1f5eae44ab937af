//! An answer as a row of pieces: output, and what is left out between.

use bytes::Bytes;
use exec_protocol::task::{LogsResult, Omitted};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Output.
    Output(Bytes),
    /// A stretch that is left out.
    LeftOut(Omitted),
}

/// The pieces of an answer in the order of their offsets. What is kept from `read_on_from` on is not left out: it is
/// read next.
pub(super) fn pieces(answer: &LogsResult, read_on_from: Option<u64>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in &answer.parts {
        let raw = part.data_base64.as_ref().map(|data| data.0.clone());
        let text = || part.text.clone().map(Bytes::from);
        if let Some(bytes) = raw.or_else(text) {
            pieces.push((part.from_offset, Piece::Output(bytes)));
        }
    }
    for omitted in &answer.omitted {
        let Omitted {
            from_offset,
            to_offset,
            is_kept,
        } = *omitted;
        let comes_next = is_kept && read_on_from.is_some_and(|offset| from_offset >= offset);
        if to_offset > from_offset && !comes_next {
            pieces.push((from_offset, Piece::LeftOut(*omitted)));
        }
    }
    pieces.sort_by_key(|(offset, _)| *offset);
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

/// What people are told of a stretch that is left out.
pub(super) fn left_out(omitted: &Omitted) -> String {
    let Omitted {
        from_offset,
        to_offset,
        is_kept,
    } = omitted;
    let bytes = to_offset.saturating_sub(*from_offset);
    let what = if *is_kept { "left out" } else { "not kept" };
    format!("… {bytes} bytes {what} (offset {from_offset} to {to_offset})")
}

#[cfg(test)]
mod tests {
    use exec_protocol::Blob;
    use exec_protocol::task::LogPart;

    use super::super::paging::tests::answer;
    use super::*;

    fn omitted(from_offset: u64, to_offset: u64, is_kept: bool) -> Omitted {
        Omitted {
            from_offset,
            to_offset,
            is_kept,
        }
    }

    fn part(from_offset: u64, text: Option<&str>, data: Option<&'static [u8]>) -> LogPart {
        LogPart {
            from_offset,
            to_offset: from_offset + 5,
            from_line: 0,
            text: text.map(str::to_owned),
            data_base64: data.map(Blob::from),
            matching_lines: Vec::new(),
        }
    }

    #[test]
    fn what_is_left_out_stands_where_it_would_be() {
        let mut answer = answer(40, 100);
        answer.parts = vec![part(10, Some("head\n"), None), part(35, None, Some(b"\xfftail"))];
        answer.omitted = vec![
            omitted(0, 10, false),
            omitted(15, 35, true),
            omitted(40, 100, true),
        ];
        let output = |bytes: &'static [u8]| Piece::Output(Bytes::from_static(bytes));
        let mut expected = vec![
            Piece::LeftOut(omitted(0, 10, false)),
            output(b"head\n"),
            Piece::LeftOut(omitted(15, 35, true)),
            output(b"\xfftail"),
            Piece::LeftOut(omitted(40, 100, true)),
        ];
        assert_eq!(pieces(&answer, None), expected);
        expected.pop();
        assert_eq!(pieces(&answer, Some(40)), expected);
    }

    #[test]
    fn what_is_left_out_is_told_with_its_offsets() {
        assert_eq!(
            left_out(&omitted(10, 25, true)),
            "… 15 bytes left out (offset 10 to 25)"
        );
        assert_eq!(
            left_out(&omitted(0, 10, false)),
            "… 10 bytes not kept (offset 0 to 10)"
        );
    }
}
