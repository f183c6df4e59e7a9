//! Scores triage on labelled logs: `cargo run --release -p shakedown-core --example triage-score -- DIR [--all]`.
//!
//! DIR holds any of `crash-logs/`, `clusterfuzz/`, `fuzzmanager/` and `crash-sets/` in the form of the project's shared data.
//! Prints how far kinds, functions and groups agree with the labels, and every difference; asserts nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use shakedown_core::crash::Crash;
use shakedown_core::formats::parse_log;
use shakedown_core::signature::group::{Sighting, canonical, group};
use shakedown_core::signature::{Evidence, Keys};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        say("usage: triage-score DIR");
        return;
    };
    let folder = Path::new(&folder);
    crash_logs(&folder.join("crash-logs"));
    clusterfuzz(&folder.join("clusterfuzz/cases.jsonl"));
    fuzzmanager(&folder.join("fuzzmanager/cases.jsonl"));
    for log in ["libfuzzer_log", "raw_log"] {
        crash_sets(&folder.join("crash-sets"), log);
    }
    throughput(folder);
}

#[expect(clippy::print_stdout, reason = "a script's output is its purpose")]
fn say(line: &str) {
    println!("{line}");
}

fn lines_of(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// What a log of each planted failure can show at most: `-` where the process did not fail.
fn expected_kinds(name: &str, log: &str) -> Vec<&'static str> {
    let has = |words: &str| log.contains(words);
    if !has("panicked at") && !has("SUMMARY") && !has("ERROR: ") {
        return vec!["-"];
    }
    match name {
        "abort" => vec!["abort", "deadly-signal"],
        "exit" => vec!["exit"],
        "timeout" => vec!["timeout"],
        "oom_rss" if has("ERROR: libFuzzer: timeout") => vec!["timeout"],
        "oom_rss" | "oom_malloc_limit" | "alloc_error" => vec!["out-of-memory"],
        "leak" => vec!["leak"],
        "stack_overflow" => vec!["stack-overflow"],
        "double_free" => vec!["double-free"],
        "heap_overflow_read" | "heap_overflow_write" => vec!["heap-buffer-overflow"],
        "use_after_free" => vec!["heap-use-after-free"],
        "stack_buffer_overflow" => vec!["stack-buffer-overflow"],
        "wild_deref" => vec!["segv", "deadly-signal"],
        "null_deref" => vec!["panic", "null-dereference", "deadly-signal"],
        _ => vec!["panic"],
    }
}

fn crash_logs(folder: &Path) {
    let mut names: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.sort();
    let (mut right, mut right_functions, mut n, mut n_functions) = (0, 0, 0, 0);
    for path in names.iter().filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let bytes = fs::read(path).unwrap_or_default();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kind = name.split('.').next().unwrap_or_default().to_owned();
        let log = parse_log(&bytes);
        let found = log.first().map_or("-", |crash| crash.kind.as_str());
        let expected = expected_kinds(&kind, &String::from_utf8_lossy(&bytes));
        n += 1;
        if expected.contains(&found) {
            right += 1;
        } else {
            say(&format!("  {name}: kind {found}, expected {expected:?}"));
        }
        let functions = log.first().map(|crash| top_functions(crash, 3)).unwrap_or_default();
        if log.crashes.len() > 1 {
            say(&format!(
                "  {name}: {} reports {:?}",
                log.crashes.len(),
                log.crashes.iter().map(|crash| crash.kind).collect::<Vec<_>>()
            ));
        }
        if found != "-" && !functions.is_empty() && kind != "panic_in_thread" {
            n_functions += 1;
            if functions.iter().any(|function| last_segment(function).contains(kind.as_str())) {
                right_functions += 1;
            } else {
                say(&format!("  {name}: functions {functions:?}"));
            }
        } else if found != "-" && functions.is_empty() {
            say(&format!("  {name}: no functions"));
        }
    }
    say(&format!(
        "crash-logs: kind {right}/{n}, planted function in the first three {right_functions}/{n_functions}"
    ));
}

fn top_functions(crash: &Crash, n: usize) -> Vec<String> {
    crash.significant_frames().filter_map(|frame| frame.function.clone()).take(n).collect()
}

fn last_segment(function: &str) -> &str {
    function.rsplit("::").next().unwrap_or(function)
}

/// ClusterFuzz's words for a kind, and ours.
fn kinds_of_clusterfuzz(label: &str) -> Vec<String> {
    let label = label.lines().next().unwrap_or_default();
    let ours: &[&str] = match label {
        "UNKNOWN" | "UNKNOWN READ" | "UNKNOWN WRITE" | "READ" => {
            &["segv", "unknown-crash", "undefined-behavior", "abort"]
        }
        "ASSERT" => &["assertion-failure", "panic", "fatal-error"],
        "CHECK failure" | "DCHECK failure" | "Security DCHECK failure" | "RUNTIME_ASSERT" => {
            &["assertion-failure"]
        }
        "Fatal error" | "Unreachable code" => &["fatal-error", "assertion-failure", "panic"],
        "Abrt" | "Abort" => &["abort"],
        "Fatal-signal" => &["deadly-signal", "abort"],
        "Ill" => &["illegal-instruction"],
        "Breakpoint" => &["trap"],
        "Direct-leak" | "Indirect-leak" => &["leak"],
        "Unexpected-exit" => &["exit"],
        "Divide-by-zero" => &["undefined-behavior", "floating-point-exception"],
        "Invalid-free" => &["bad-free"],
        "Data race" => &["data-race"],
        "Uncaught exception" | "Fatal Exception" => &["uncaught-exception"],
        "Security exception" | "Arbitrary DNS resolution" => &["security-issue", "uncaught-exception"],
        "Index out of range"
        | "Slice bounds out of range"
        | "Integer divide by zero"
        | "Invalid memory address" => &["panic"],
        "Null-dereference" | "Null-dereference READ" | "Null-dereference WRITE" => &["null-dereference"],
        _ => return vec![label.to_lowercase().replace(' ', "-"), "undefined-behavior".to_owned()],
    };
    ours.iter().map(|word| (*word).to_owned()).collect()
}

/// A function without return type, arguments, templates, package path and symbol hash: what both sides are reduced to.
fn reduced(function: &str) -> String {
    let function = shakedown_core::demangle::without_legacy_hash(function);
    let function = function.rsplit('/').next().unwrap_or(function);
    let head: String = function.split('[').next().unwrap_or(function).to_owned();
    let name = shakedown_core::signature::normalise::cpp_name(&head);
    let name = name.trim_end_matches("::operator()").trim_end_matches("::operator").to_owned();
    let name = if head.contains("(*") { head.split("(0x").next().unwrap_or(&head).to_owned() } else { name };
    name.chars().take(60).collect()
}

fn clusterfuzz(path: &Path) {
    let cases = lines_of(path);
    for tier in 1..=3 {
        let (mut kinds, mut n_kinds, mut states, mut n_states) = (0, 0, 0, 0);
        for case in cases.iter().filter(|case| case["tier"].as_u64() == Some(tier)) {
            let name = text_of(case, "name");
            let log = parse_log(text_of(case, "trace_text").as_bytes());
            let crash = log.first();
            let checked: Vec<&str> =
                case["checked"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let found = crash.map_or("-", |crash| crash.kind.as_str());
            let label = text_of(case, "crash_type");
            if checked.contains(&"crash_type") && case["crash_type"].is_string() {
                n_kinds += 1;
                let expected =
                    if label.is_empty() { vec!["-".to_owned()] } else { kinds_of_clusterfuzz(label) };
                if expected.iter().any(|word| word == found) {
                    kinds += 1;
                } else {
                    say(&format!("  {tier} {name}: kind {found}, label {label:?}"));
                }
            }
            if checked.contains(&"crash_state") && case["crash_state"].is_string() && !label.is_empty() {
                n_states += 1;
                let state: Vec<&str> = text_of(case, "crash_state").lines().collect();
                let ours = crash.map(|crash| top_functions(crash, 4)).unwrap_or_default();
                if agrees(&state, &ours, crash) {
                    states += 1;
                } else {
                    say(&format!("  {tier} {name}: state {state:?}\n      ours {ours:?}"));
                }
            }
        }
        say(&format!(
            "clusterfuzz tier {tier}: kind {kinds}/{n_kinds}, first three functions {states}/{n_states}"
        ));
    }
}

/// Every line of the state that is a function must be ours at its place; a line that is a message or a file is not one.
fn agrees(state: &[&str], ours: &[String], crash: Option<&Crash>) -> bool {
    let is_function = |line: &&&str| {
        !line.contains(' ') && !matches!(**line, "NULL") && !is_file(line) || line.starts_with("void ")
    };
    let functions: Vec<&&str> = state.iter().filter(is_function).collect();
    // ClusterFuzz names every timeout and out-of-memory of a target by the target alone.
    if functions.len() == 1
        && crash.is_some_and(|crash| matches!(crash.kind.as_str(), "out-of-memory" | "timeout"))
    {
        return true;
    }
    let ours_whole = |at: usize| {
        ours.get(at).map(|function| function.replace("(anonymous namespace)::", "")).unwrap_or_default()
    };
    functions.iter().enumerate().all(|(at, line)| {
        let ours = ours.get(at).map(|function| reduced(function)).unwrap_or_default();
        let line_name = reduced(line);
        let whole = ours_whole(at);
        ours == line_name || whole.starts_with(**line) || (!ours.is_empty() && line_name.starts_with(&ours))
    })
}

fn is_file(line: &str) -> bool {
    [".cc", ".cpp", ".c", ".h"].iter().any(|extension| line.ends_with(extension)) || line.starts_with('/')
}

fn fuzzmanager(path: &Path) {
    let (mut right, mut n, mut addresses, mut n_addresses) = (0, 0, 0, 0);
    for case in lines_of(path) {
        let name = text_of(&case, "name");
        let log = parse_log(text_of(&case, "trace_text").as_bytes());
        let stacks: Vec<_> = log.first().map(|crash| crash.stacks.clone()).unwrap_or_default();
        let frames: Vec<String> = stacks
            .iter()
            .flat_map(|stack| &stack.frames)
            .map(|frame| frame.function.clone().unwrap_or_default())
            .collect();
        for (index, function) in case["backtrace"].as_object().into_iter().flatten() {
            let (Ok(index), Some(function)) = (index.parse::<usize>(), function.as_str()) else { continue };
            n += 1;
            let ours = frames.get(index).map(|frame| reduced(frame)).unwrap_or_default();
            let label = reduced(function);
            if ours == label
                || frames.iter().any(|frame| reduced(frame) == label)
                || label.contains(['?', '+'])
                || label.is_empty()
            {
                right += 1;
            } else {
                say(&format!("  {name}: frame {index} {function:?}, ours {ours:?}"));
            }
        }
        if let Some(address) = case["crash_address"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
            .or(case["crash_address"].as_u64())
        {
            n_addresses += 1;
            let ours = log.first().and_then(|crash| crash.access).and_then(|access| access.address);
            addresses += usize::from(ours == Some(address));
        }
    }
    say(&format!("fuzzmanager: frames {right}/{n}, addresses {addresses}/{n_addresses}"));
}

fn crash_sets(folder: &Path, log_key: &str) {
    let cases = lines_of(&folder.join("index.jsonl"));
    let mut sightings = Vec::new();
    let mut labels = Vec::new();
    let mut forms = Vec::new();
    for case in &cases {
        let bytes = fs::read(folder.join(text_of(case, log_key))).unwrap_or_default();
        let Some(mut crash) = parse_log(&bytes).crashes.into_iter().next() else {
            say(&format!("  {}: nothing found", text_of(case, "id")));
            continue;
        };
        crash.target = Some(shakedown_core::target::TargetName::new(text_of(case, "target")));
        let evidence = Evidence::of(&crash);
        forms.push(evidence.normal_form().replace('\n', " | "));
        sightings.push(Sighting { signature: Keys::of(&crash).signature, evidence });
        labels.push(text_of(case, "bug").to_owned());
    }
    let alone: Vec<String> = sightings.iter().map(|sighting| sighting.signature.to_string()).collect();
    let merges = group(&sightings);
    let aliases = canonical(&merges);
    let findings: Vec<String> = sightings
        .iter()
        .map(|sighting| aliases.get(&sighting.signature).unwrap_or(&sighting.signature).to_string())
        .collect();
    for merge in &merges {
        let form = |signature| {
            sightings
                .iter()
                .position(|sighting| &sighting.signature == signature)
                .map_or("", |at| forms[at].as_str())
        };
        say(&format!(
            "  merged: {}\n    into: {}\n    {}",
            form(&merge.from),
            form(&merge.into),
            merge.reason.as_str()
        ));
    }
    report_differences(&labels, &findings, &forms);
    let (precision, recall) = pairwise(&labels, &alone);
    let (merged_precision, merged_recall) = pairwise(&labels, &findings);
    say(&format!(
        "crash-sets {log_key}: {} crashes; signature P {precision:.4} R {recall:.4}; after merges P {merged_precision:.4} R {merged_recall:.4}",
        labels.len()
    ));
}

fn report_differences(labels: &[String], groups: &[String], forms: &[String]) {
    let mut by_label: BTreeMap<&str, BTreeMap<&str, (usize, &str)>> = BTreeMap::new();
    let mut by_group: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for at in 0..labels.len() {
        by_label.entry(&labels[at]).or_default().entry(&groups[at]).or_insert((0, &forms[at])).0 += 1;
        *by_group.entry(&groups[at]).or_default().entry(&labels[at]).or_default() += 1;
    }
    for (label, groups) in by_label.iter().filter(|(_, groups)| groups.len() > 1) {
        say(&format!("  split {label}:"));
        for (count, form) in groups.values() {
            say(&format!("    {count} x {form}"));
        }
    }
    for labels in by_group.values().filter(|labels| labels.len() > 1) {
        say(&format!("  mixed {labels:?}"));
    }
}

fn pairwise(labels: &[String], groups: &[String]) -> (f64, f64) {
    let (mut both, mut same_group, mut same_label) = (0_u64, 0_u64, 0_u64);
    for a in 0..labels.len() {
        for b in a + 1..labels.len() {
            same_group += u64::from(groups[a] == groups[b]);
            same_label += u64::from(labels[a] == labels[b]);
            both += u64::from(groups[a] == groups[b] && labels[a] == labels[b]);
        }
    }
    (both as f64 / same_group.max(1) as f64, both as f64 / same_label.max(1) as f64)
}

/// Processor time of this process in seconds: the machine may be shared.
fn cpu_seconds() -> f64 {
    let schedstat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or_default()
        / 1e9
}

/// Parses everything that was found, again and again, for two seconds on one core.
fn throughput(folder: &Path) {
    for set in ["crash-sets/logs", "crash-logs"] {
        let logs: Vec<Vec<u8>> = fs::read_dir(folder.join(set))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read(entry.path()).ok())
            .collect();
        let bytes: usize = logs.iter().map(Vec::len).sum();
        let start = cpu_seconds();
        let (mut rounds, mut crashes) = (0_u64, 0);
        while bytes > 0 && cpu_seconds() - start < 2.0 {
            crashes += logs.iter().map(|log| parse_log(log).crashes.len()).sum::<usize>();
            rounds += 1;
        }
        let rate = (bytes as u64 * rounds) as f64 / (cpu_seconds() - start) / 1e6;
        say(&format!(
            "throughput {set}: {rate:.0} MB per CPU second ({bytes} bytes x {rounds}, {crashes} crashes)"
        ));
    }
}
