#![feature(test)]

extern crate test;

#[bench]
fn force(bencher: &mut test::Bencher) {
    bencher.iter(|| wind::force(test::black_box(&[7; 1024])));
}
