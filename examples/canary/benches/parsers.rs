//! Benches of two parsers: `words/count` gets slower with the feature `slow`, `records/summarize` does not.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn words(criterion: &mut Criterion) {
    let text = b"The quick ship Sails past the Lazy lighthouse, and the ship sails ON; ".repeat(64);
    let mut group = criterion.benchmark_group("words");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("count", |bencher| bencher.iter(|| canary::words::count(black_box(&text))));
    group.finish();
}

fn records(criterion: &mut Criterion) {
    let log_book = [b"L1".as_slice(), &b"x\x08eventful".repeat(256)].concat();
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Bytes(log_book.len() as u64));
    group.bench_function("summarize", |bencher| {
        bencher.iter(|| canary::records::summarize(black_box(&log_book)));
    });
    group.finish();
}

criterion_group!(parsers, words, records);
criterion_main!(parsers);
