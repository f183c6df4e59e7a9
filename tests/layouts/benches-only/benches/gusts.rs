use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

fn force(criterion: &mut Criterion) {
    let gusts = [7; 1024];
    criterion.bench_function("force", |bencher| bencher.iter(|| wind::force(black_box(&gusts))));
}

criterion_group!(benches, force);
criterion_main!(benches);
