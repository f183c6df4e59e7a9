use std::hint::black_box;

use criterion::{criterion_group, criterion_main, Criterion};

fn force(criterion: &mut Criterion) {
    let gusts = [7; 1024];
    criterion.bench_function("force", |bencher| bencher.iter(|| wind::force(black_box(&gusts))));
}

criterion_group!(benches, force);
criterion_main!(benches);
