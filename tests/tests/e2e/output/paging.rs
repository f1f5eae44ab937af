//! Reading by offset: exact to the byte, whatever the page.

use exec_protocol::Seq;
use exec_protocol::process::{ReadParams, Stream};
use exec_tests::wait::promptly;
use exec_tests::{Peer, Transcript, What, blocks, on_every_wire};

use super::{LONG_MS, after_offset, bytes, read};
use crate::commands::on_pipes;

/// A chunk as it was told.
struct Told {
    seq: u64,
    offset: u64,
    stream: Stream,
    bytes: Vec<u8>,
}

impl Told {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

fn chunks(transcript: &Transcript) -> Vec<Told> {
    let mut end = 0;
    let mut chunks = Vec::new();
    for event in &transcript.events {
        if let What::Output { stream, bytes } = &event.what {
            let told = Told {
                seq: event.seq,
                offset: end,
                stream: *stream,
                bytes: bytes.clone(),
            };
            end = told.end();
            chunks.push(told);
        }
    }
    chunks
}

/// Reads everything in pages of so many bytes, and compares each piece with what was told.
async fn reads_what_was_told(peer: &mut Peer, transcript: &Transcript, max_bytes: u64) {
    let told = chunks(transcript);
    let end = transcript.output().len() as u64;
    let mut offset = 0;
    while offset < end {
        let page = ReadParams {
            max_bytes: Some(max_bytes),
            ..after_offset("p", offset)
        };
        let page = read(peer, page).await;
        assert_eq!((page.first_seq, page.first_offset), (Some(Seq(1)), Some(0)));
        assert_eq!((page.end_offset, page.gap), (Some(end), None));
        let mut taken = 0;
        for chunk in &page.chunks {
            let whole = told
                .iter()
                .find(|told| told.seq == chunk.seq.0)
                .expect("it was told");
            assert_eq!((chunk.offset, chunk.stream), (Some(offset), whole.stream));
            let skipped = usize::try_from(offset - whole.offset).expect("it lies behind the chunk's begin");
            assert!(
                whole.bytes[skipped..].starts_with(&chunk.chunk.0),
                "{max_bytes} at {offset}"
            );
            assert!(!chunk.chunk.0.is_empty());
            taken += chunk.chunk.0.len() as u64;
            offset += chunk.chunk.0.len() as u64;
        }
        assert_eq!(
            taken,
            max_bytes.min(end - offset + taken),
            "a page is as full as it may be"
        );
        assert_eq!(page.next_offset, Some(offset));
        let torn = told.iter().find(|told| told.end() > offset);
        let next = torn.map_or(transcript.last_seq + 1, |told| told.seq);
        assert_eq!(page.next_seq, Seq(next), "{max_bytes} at {offset}");
    }
    assert_eq!(offset, end);
}

on_every_wire! {
    async fn pages_of_any_length_hold_the_bytes_that_were_told(peer: &mut Peer) {
        let transcript = peer.run(on_pipes("p", ["records", "300", "both"])).await;
        for max_bytes in [1, 10, 1000, 65_536] {
            reads_what_was_told(peer, &transcript, max_bytes).await;
        }
    }

    async fn pages_of_long_output_hold_the_bytes_that_were_told(peer: &mut Peer) {
        let transcript = peer.run(on_pipes("p", ["records", "60000", "both"])).await;
        for max_bytes in [1000, 65_536] {
            reads_what_was_told(peer, &transcript, max_bytes).await;
        }
    }

    async fn a_page_of_nothing_stands_where_it_is(peer: &mut Peer) {
        let transcript = peer.run(on_pipes("p", ["emit", "1000"])).await;
        let told = chunks(&transcript);
        for offset in [0, 1, 500, 999] {
            let page = read(peer, ReadParams { max_bytes: Some(0), ..after_offset("p", offset) }).await;
            let torn = told.iter().find(|told| told.end() > offset).expect("there is more");
            assert_eq!((page.chunks.len(), page.next_offset, page.next_seq), (0, Some(offset), Seq(torn.seq)));
        }
    }

    async fn with_both_cursors_the_offset_says_where_to_read(peer: &mut Peer) {
        let transcript = peer.run(on_pipes("p", ["emit", "1000"])).await;
        for (seq, offset) in [(0, 600), (1, 0), (transcript.last_seq, 300)] {
            let both = ReadParams { after_seq: Some(Seq(seq)), ..after_offset("p", offset) };
            let page = read(peer, both).await;
            let from = usize::try_from(offset).expect("it is small");
            assert_eq!(bytes(&page), transcript.output()[from..], "after {seq} and {offset}");
        }
    }

    async fn a_reader_by_offset_follows_a_process_to_its_end(peer: &mut Peer) {
        peer.start(on_pipes("p", ["bursts", "100", "3"])).await;
        let mut offset = 0;
        loop {
            let page = ReadParams { max_bytes: Some(1000), wait_ms: LONG_MS, ..after_offset("p", offset) };
            let page = promptly("a page", read(peer, page)).await;
            assert_eq!(page.chunks.first().map_or(Some(offset), |chunk| chunk.offset), Some(offset));
            let bytes = bytes(&page);
            assert!(bytes.len() <= 1000, "{} bytes", bytes.len());
            blocks::check(offset, &bytes);
            offset += bytes.len() as u64;
            assert_eq!(page.next_offset, Some(offset));
            if bytes.is_empty() {
                assert!(page.closed, "woken by nothing that is news");
                break;
            }
        }
        let transcript = peer.output_until_closed("p").await;
        assert_eq!(transcript.stdout.len() as u64, offset);
    }
}
