//! Planted defects, one an argument: each is reached by the ways in which names get lost or doubled (closures, generics,
//! async, default methods, inlining, threads). `bench/triage-variants.sh` builds this four times and compares signatures.
//! Arguments that share their letters before the digit are one defect.

use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

struct Left(Vec<u8>);
struct Right(Vec<u8>);

trait Take {
    fn bytes(&self) -> &[u8];
    fn taken(&self, at: usize) -> u8 {
        self.bytes()[at]
    }
}

impl Take for Left {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Take for Right {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Iterator for Left {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        Some(self.0[9])
    }
}

impl Iterator for Right {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        let fourth = self.0[9];
        Some(fourth)
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0[8])
    }
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        panic!("dropped too early");
    }
}

fn in_closure(bytes: &[u8]) -> u32 {
    let at = |index: usize| u32::from(bytes[index]);
    at(bytes.len())
}

fn in_map(bytes: &[u8]) -> Vec<u32> {
    bytes.iter().map(|byte| 100 / u32::from(*byte - 1)).collect()
}

fn generic<T: Into<u64> + Copy>(items: &[T]) -> u64 {
    let first: u64 = items[0].into();
    assert!(first > 3, "too small: {first}");
    first
}

#[inline(always)]
fn always(bytes: &[u8]) -> u8 {
    // Not at the column of the other panics: see "known to be coarse" in docs/signatures.md.
    u8::from_be(bytes[7])
}

async fn inner(bytes: &[u8]) -> u8 {
    bytes[5]
}

async fn outer(bytes: &[u8]) -> u8 {
    inner(bytes).await
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values
}

mod deep {
    pub(crate) fn cut(text: &str) -> &str {
        &text[1..2]
    }

    pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

    impl Reader<'_> {
        pub(crate) fn number(&self) -> u32 {
            u32::from_le_bytes(self.0[..4].try_into().unwrap())
        }
    }
}

fn main() {
    let bytes = vec![1_u8, 2, 3];
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "closure" => drop(black_box(in_closure(&bytes))),
        "map" => drop(black_box(in_map(&bytes))),
        "generic1" => drop(black_box(generic(&[1_u8]))),
        "generic2" => drop(black_box(generic(&[2_u32]))),
        "inlined" => drop(black_box(always(&bytes))),
        "async" => drop(black_box(block_on(outer(&bytes)))),
        "left" => drop(black_box(Left(bytes).next())),
        "right" => drop(black_box(Right(bytes).next())),
        "display" => drop(black_box(Left(bytes).to_string())),
        "default1" => drop(black_box(Left(bytes).taken(12))),
        "default2" => drop(black_box((&Right(bytes) as &dyn Take).taken(13))),
        "sort" => drop(black_box(sorted(vec![1.0, f64::NAN, 2.0, 0.5]))),
        "boundary" => drop(black_box(deep::cut("é"))),
        "slice" => drop(black_box(deep::Reader(&bytes).number())),
        "thread" => drop(black_box(std::thread::spawn(move || bytes[33]).join().unwrap())),
        "capacity" => drop(black_box(Vec::<u8>::with_capacity(usize::MAX))),
        "drop" => drop(black_box(Guard)),
        unknown => println!("no defect is called `{unknown}`"),
    }
}
