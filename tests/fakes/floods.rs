//! Prints more than anybody wants to keep: `floods MEBIBYTES`, a first and a last line around them.
#![forbid(unsafe_code)]

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mebibytes = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "the first line")?;
    let line = [b"#".repeat(1023), b"\n".to_vec()].concat();
    for _ in 0..mebibytes * 1024 {
        stderr.write_all(&line)?;
    }
    writeln!(stderr, "the last line")
}
