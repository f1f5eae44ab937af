//! What it costs to write and to read messages, beside serde with the same types.
//!
//! ```console
//! cargo bench -p exec-server --bench encoder
//! ```

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use exec_protocol::envelope::{self, Output, ReadWriter, RequestId, Style};
use exec_protocol::process::{
    Chunk, OutputNotice, OutputParams, Read, ReadParams, ReadResult, Stream, Write, WriteParams,
};
use exec_protocol::{Blob, Method, Notice as _, ProcessId, Seq, parse_params};

/// A full read of a pipe, in bytes.
const FULL_READ: usize = 64 << 10;

/// Chunks in the answer to a read: those of a megabyte, which is how much a read gives by default.
const CHUNKS: usize = 16;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    write_output(&mut criterion);
    write_read_result(&mut criterion);
    parse(&mut criterion);
    parse_write_params(&mut criterion);
    criterion.final_summary();
}

/// A `process/output`. The throughput is that of the process's bytes, not of their base64.
fn write_output(criterion: &mut Criterion) {
    let process_id = process_id();
    let process_id_json = serde_json::to_string(&process_id).expect("an id is a string");
    let mut group = criterion.benchmark_group("encoder/output");
    for (name, length) in [("64 KiB", FULL_READ), ("4 KiB", 4 << 10), ("60 bytes", 60)] {
        let params = OutputParams {
            process_id: process_id.clone(),
            seq: Seq(123_456),
            stream: Stream::Stdout,
            chunk: Blob::from(binary(length)),
        };
        let output = Output {
            process_id_json: &process_id_json,
            seq: params.seq,
            stream: params.stream,
            bytes: &params.chunk.0,
        };
        let (mut ours, mut serdes) = (Vec::new(), Vec::new());
        envelope::write_output(&mut ours, Style::Versioned, output);
        envelope::write_notice(&mut serdes, Style::Versioned, OutputNotice::NAME, &params);
        assert_eq!(ours, serdes, "both write the same text");

        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("ours", name), |bencher| {
            bencher.iter(|| {
                ours.clear();
                envelope::write_output(&mut ours, Style::Versioned, black_box(output));
                black_box(ours.len())
            });
        });
        group.bench_function(BenchmarkId::new("serde", name), |bencher| {
            bencher.iter(|| {
                serdes.clear();
                envelope::write_notice(
                    &mut serdes,
                    Style::Versioned,
                    OutputNotice::NAME,
                    black_box(&params),
                );
                black_box(serdes.len())
            });
        });
    }
    group.finish();
}

/// The result of a `process/read` that found a lot.
fn write_read_result(criterion: &mut Criterion) {
    let result = read_result();
    // What is there beside the chunks, which come from the ring one after the other.
    let rest = ReadResult {
        chunks: Vec::new(),
        ..result.clone()
    };
    let write_ours = |out: &mut Vec<u8>| {
        let mut writer = ReadWriter::new(out);
        for chunk in black_box(&result.chunks) {
            let offset = chunk.offset.expect("each has one");
            writer.chunk(chunk.seq, chunk.stream, offset, &chunk.chunk.0);
        }
        writer.finish(rest.clone());
    };
    let write_serdes = |out: &mut Vec<u8>| {
        serde_json::to_writer(out, black_box(&result)).expect("a Vec takes any write");
    };
    let (mut ours, mut serdes) = (Vec::new(), Vec::new());
    write_ours(&mut ours);
    write_serdes(&mut serdes);
    assert!(ours == serdes, "both write the same text");

    let mut group = criterion.benchmark_group("encoder/read result of 16 chunks");
    group.throughput(Throughput::Bytes((CHUNKS * FULL_READ) as u64));
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            ours.clear();
            write_ours(&mut ours);
            black_box(ours.len())
        });
    });
    group.bench_function("serde", |bencher| {
        bencher.iter(|| {
            serdes.clear();
            write_serdes(&mut serdes);
            black_box(serdes.len())
        });
    });
    group.finish();
}

/// The envelope of a request, whose params are left for its handler, beside the whole of it as a tree.
fn parse(criterion: &mut Criterion) {
    let read = request::<Read>(&ReadParams::after_seq(process_id(), Seq(123_456)));
    let write = |length| {
        request::<Write>(&WriteParams {
            process: process_id().into(),
            chunk: Blob::from(binary(length)),
            write_id: None,
            eof: false,
            offset: None,
        })
    };
    let mut group = criterion.benchmark_group("encoder/parse");
    for (name, request) in [
        ("read", read),
        ("write of 60 bytes", write(60)),
        ("write of 64 KiB", write(FULL_READ)),
    ] {
        group.throughput(Throughput::Bytes(request.len() as u64));
        group.bench_function(BenchmarkId::new("ours", name), |bencher| {
            bencher.iter(|| drop(black_box(envelope::parse(black_box(&request)))));
        });
        group.bench_function(BenchmarkId::new("serde, a Value", name), |bencher| {
            bencher.iter(|| {
                drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(
                    &request,
                ))));
            });
        });
    }
    group.finish();
}

/// What is left of a write for its handler, with the decoding of its bytes.
fn parse_write_params(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encoder/params of a write");
    for (name, length) in [("64 KiB", FULL_READ), ("60 bytes", 60)] {
        let text =
            serde_json::json!({"processId": process_id(), "chunk": Blob::from(binary(length))}).to_string();
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("ours", name), |bencher| {
            bencher.iter(|| drop(black_box(parse_params::<WriteParams>(black_box(Some(&text))))));
        });
    }
    group.finish();
}

fn request<M: Method>(params: &M::Params) -> Vec<u8> {
    let mut request = Vec::new();
    envelope::write_request(
        &mut request,
        Style::Versioned,
        &RequestId::number(123_456),
        M::NAME,
        params,
    );
    assert!(envelope::parse(&request).is_ok(), "it is a request");
    request
}

fn read_result() -> ReadResult {
    let chunks = (0..CHUNKS as u64).map(|at| Chunk {
        seq: Seq(at + 1),
        stream: Stream::Stdout,
        offset: Some(at * FULL_READ as u64),
        chunk: Blob::from(binary(FULL_READ)),
    });
    let end = (CHUNKS * FULL_READ) as u64;
    ReadResult {
        chunks: chunks.collect(),
        next_seq: Seq(CHUNKS as u64 + 1),
        exited: false,
        exit_code: None,
        closed: false,
        failure: None,
        sandbox_denied: false,
        next_offset: Some(end),
        first_seq: Some(Seq(1)),
        first_offset: Some(0),
        end_offset: Some(end),
        gap: None,
        ..ReadResult::default()
    }
}

/// As long as the ids of most clients, who take a UUID.
fn process_id() -> ProcessId {
    ProcessId::new("0190163d-8694-739b-aea5-966c26f8ad91").expect("short enough")
}

/// Bytes of every value.
fn binary(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}
