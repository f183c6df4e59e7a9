//! A bench without a framework: prints what it measured and knows no flags.

use std::hint::black_box;
use std::time::Instant;

fn main() {
    let start = Instant::now();
    black_box(wind::force(black_box(&[7; 1024])));
    println!("force: {} ns", start.elapsed().as_nanos());
}
