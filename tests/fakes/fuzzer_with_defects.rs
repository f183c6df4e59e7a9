//! A fuzzer that meets five defects, again and again. A file `fixed-N` in the current folder fixes the Nth.
#![forbid(unsafe_code)]

use shakedown_tests::fuzzer::{Defect, play};

const DEFECTS: [Defect; 5] = [
    Defect {
        message: "index out of bounds: the len is 3 but the index is 7",
        place: "src/hold.rs:10:9",
        function: "hold",
    },
    Defect { message: "attempt to divide by zero", place: "src/pump.rs:21:5", function: "pump" },
    Defect {
        message: "called `Option::unwrap()` on a `None` value",
        place: "src/sail.rs:33:17",
        function: "sail",
    },
    Defect { message: "attempt to subtract with overflow", place: "src/tide.rs:47:13", function: "tide" },
    Defect { message: "byte index 1 is not a char boundary", place: "src/flag.rs:58:21", function: "flag" },
];

/// The distance between two defects, when inputs are counted.
const SPREAD: usize = 51;

fn main() -> std::process::ExitCode {
    play(|input| {
        // Spread evenly over a byte, so that from any start each is as near as the others.
        let number = usize::from(*input.first()?);
        let defect = DEFECTS.get(number / SPREAD).filter(|_| number % SPREAD == 1)?;
        let is_fixed = std::path::Path::new(&format!("fixed-{}", number / SPREAD)).exists();
        (!is_fixed).then_some(*defect)
    })
}
