//! Shows what triage makes of logs: `cargo run -p shakedown-exec --example triage-files -- LOG..`.
//!
//! Raw frames are resolved from the binaries that the logs name, where those exist. One paragraph a log: kind, signature,
//! the normal form behind it and the first in-app frames.

use shakedown_core::formats::parse_log;
use shakedown_core::signature::{Evidence, Keys};
use shakedown_exec::symbolize::Symbolizer;

fn main() {
    let symbolizer = Symbolizer::new();
    for path in std::env::args().skip(1) {
        let log = parse_log(&std::fs::read(&path).unwrap_or_default());
        say(&format!("{path}: {} reports", log.crashes.len()));
        for mut crash in log.crashes {
            symbolizer.resolve(&mut crash);
            let keys = Keys::of(&crash);
            let form = Evidence::of(&crash).normal_form().replace('\n', " | ");
            say(&format!("  {} {} {} [{}]", crash.kind, crash.severity(), keys.signature.short(), form));
            say(&format!("    {:?}", crash.message.as_deref().unwrap_or_default()));
            for frame in crash.significant_frames().take(4) {
                let function = frame.function.as_deref().unwrap_or("?");
                say(&format!("    {function} at {}:{:?}", frame.file.as_deref().unwrap_or("?"), frame.line));
            }
        }
    }
    for error in symbolizer.errors() {
        say(&format!("error: {error}"));
    }
}

#[expect(clippy::print_stdout, reason = "a script's output is its purpose")]
fn say(line: &str) {
    println!("{line}");
}
