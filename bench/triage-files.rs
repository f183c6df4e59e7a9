//! Shows what triage makes of logs: `cargo run -p shakedown-exec --example triage-files -- LOG..`.
//!
//! Raw frames are resolved from the binaries that the logs name, where those exist. One paragraph a log: kind, signature,
//! the normal form behind it and the first in-app frames; at the end a line for each log with its finding, after merges.

use shakedown_core::formats::parse_log;
use shakedown_core::signature::group::canonical;
use shakedown_core::signature::{Evidence, Keys, Sighting, group};
use shakedown_exec::symbolize::Symbolizer;

fn main() {
    let symbolizer = Symbolizer::new();
    let mut sightings = Vec::new();
    let mut paths = Vec::new();
    for path in std::env::args().skip(1) {
        let log = parse_log(&std::fs::read(&path).unwrap_or_default());
        say(&format!("{path}: {} reports", log.crashes.len()));
        for (at, mut crash) in log.crashes.into_iter().enumerate() {
            symbolizer.resolve(&mut crash);
            let keys = Keys::of(&crash);
            let evidence = Evidence::of(&crash);
            let form = evidence.normal_form().replace('\n', " | ");
            if at == 0 {
                sightings.push(Sighting { signature: keys.signature.clone(), evidence });
                paths.push(path.clone());
            }
            say(&format!("  {} {} {} [{}]", crash.kind, crash.severity(), keys.signature.short(), form));
            say(&format!("    {:?}", crash.message.as_deref().unwrap_or_default()));
            for frame in crash.significant_frames().take(4) {
                let function = frame.function.as_deref().unwrap_or("?");
                say(&format!("    {function} at {}:{:?}", frame.file.as_deref().unwrap_or("?"), frame.line));
            }
        }
    }
    let merges = group(&sightings);
    let aliases = canonical(&merges);
    for (path, sighting) in paths.iter().zip(&sightings) {
        let finding = aliases.get(&sighting.signature).unwrap_or(&sighting.signature);
        say(&format!("finding {} {path}", finding.short()));
    }
    for merge in &merges {
        say(&format!("merge {} into {}: {}", merge.from.short(), merge.into.short(), merge.reason.as_str()));
    }
    for error in symbolizer.errors() {
        say(&format!("error: {error}"));
    }
}

#[expect(clippy::print_stdout, reason = "a script's output is its purpose")]
fn say(line: &str) {
    println!("{line}");
}
