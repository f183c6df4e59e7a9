//! Laws of signatures, on logs of real runs that are edited as a rebuild, a checkout or another compiler would.

use super::*;
use crate::formats::parse_log;
use crate::target::TargetName;

macro_rules! seed {
    ($name:literal) => {
        include_str!(concat!("../../../../corpora/crash_log/seeds/", $name))
    };
}

/// One log of each sort of defect, with symbols.
const LOGS: [&str; 14] = [
    seed!("rust-index-nightly-asan.txt"),
    seed!("rust-iterator-impl-nightly-asan.txt"),
    seed!("rust-unwrap-stable-no-sanitizer.txt"),
    seed!("rust-panic-in-drop.txt"),
    seed!("rust-thread-panic-asan.txt"),
    seed!("rust-generic-u8.txt"),
    seed!("rust-recursion-asan.txt"),
    seed!("rust-capacity-overflow.txt"),
    seed!("asan-heap-overflow-rust.txt"),
    seed!("asan-use-after-free-rust.txt"),
    seed!("lsan-leak-rust.txt"),
    seed!("libfuzzer-timeout.txt"),
    seed!("asan-heap-overflow-cpp.txt"),
    seed!("tsan-race.txt"),
];

fn keys_of(log: &str) -> Keys {
    let crash = parse_log(log.as_bytes()).crashes.into_iter().next().expect("a report");
    Keys::of(&crash)
}

fn form_of(log: &str) -> String {
    Evidence::of(parse_log(log.as_bytes()).first().expect("a report")).normal_form()
}

/// `edit` changes every log, and no signature.
fn check_same(edit: impl Fn(&str) -> String) {
    for log in LOGS {
        let edited = edit(log);
        assert_ne!(edited, log, "the edit does nothing");
        assert_eq!(form_of(&edited), form_of(log));
        assert_eq!(keys_of(&edited).signature, keys_of(log).signature);
        assert_eq!(keys_of(&edited).stack, keys_of(log).stack);
    }
}

fn check_one_defect(logs: &[&str]) {
    for log in logs {
        assert_eq!(form_of(log), form_of(logs[0]));
    }
}

fn check_two_defects(one: &str, other: &str) {
    assert_ne!(form_of(one), form_of(other));
}

/// Every number after a source file's name, changed by `by`.
fn with_lines_shifted(log: &str, by: u32) -> String {
    let mut shifted = String::new();
    for (at, part) in log.split(".rs:").enumerate() {
        shifted.push_str(if at > 0 { ".rs:" } else { "" });
        let end = part.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(part.len());
        match part[..end].parse::<u32>() {
            Ok(line) if at > 0 => shifted.extend([(line + by).to_string().as_str(), &part[end..]]),
            _ => shifted.push_str(part),
        }
    }
    shifted.replace("case.cc:1", "case.cc:91").replace("case.cc:2", "case.cc:92")
}

#[test]
fn lines_inserted_above_change_nothing() {
    check_same(|log| with_lines_shifted(log, 17));
}

#[test]
fn another_checkout_home_and_registry_change_nothing() {
    check_same(|log| {
        let moved = log
            .replace("/tmp/seedlab", "/home/other/work tree/ledger-2")
            .replace("/root/.cargo", "/opt/ci/cargo");
        moved.replace("index.crates.io-1949cf8c6b5b557f", "github.com-1ecc6299db9ec823") + "\n"
    });
}

#[test]
fn another_run_has_other_addresses_and_pids() {
    check_same(|log| {
        log.replace("0x5", "0x6").replace("0x7f", "0x7e").replace("==1", "==2").replace("(pid=", "(pid=9")
            + "\n"
    });
}

#[test]
fn another_compiler_has_another_hash_and_spells_symbols_with_theirs() {
    check_same(|log| {
        let newer = log
            .replace("e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a", "0123456789abcdef0123456789abcdef01234567");
        newer.replace(" in ledger::run ", " in ledger::run::h0123456789abcdef ") + "\n"
    });
}

#[test]
fn every_panic_header_gives_one_signature() {
    let new = seed!("rust-index-without-fuzzer.txt");
    let (header, rest) = new.split_once("stack backtrace:").expect("a backtrace");
    let words = header.lines().last().expect("a message");
    let place = "src/lib.rs:6:59";
    let with = |header: String| format!("{header}\nstack backtrace:{rest}");
    check_one_defect(&[
        new,
        &with(format!("thread 'main' panicked at {place}:\n{words}")),
        &with(format!("thread 'main' (77) panicked at {place}:\n{words}")),
        &with(format!("thread 'main' panicked at '{words}', {place}")),
        &with(format!("thread '<main>' panicked at '{words}', src/lib.rs:6")),
    ]);
}

#[test]
fn one_defect_has_one_signature_with_and_without_a_sanitizer_or_a_fuzzer() {
    check_one_defect(&[
        seed!("rust-index-nightly-asan.txt"),
        seed!("rust-index-stable-no-sanitizer.txt"),
        seed!("rust-index-without-fuzzer.txt"),
        seed!("rust-index-full-backtrace.txt"),
    ]);
    check_one_defect(&[seed!("rust-unwrap-nightly-asan.txt"), seed!("rust-unwrap-stable-no-sanitizer.txt")]);
    check_one_defect(&[seed!("rust-thread-panic-asan.txt"), seed!("rust-thread-panic-and-join.txt")]);
    // Refused by the sanitizer, by libFuzzer, by std: one missing limit.
    check_one_defect(&[
        seed!("asan-allocation-too-big.txt"),
        seed!("libfuzzer-malloc-limit-no-sanitizer.txt"),
        seed!("rust-capacity-overflow.txt"),
    ]);
    // One generic function for two types.
    check_one_defect(&[seed!("rust-generic-u8.txt"), seed!("rust-generic-str.txt")]);
    // One null pointer under AddressSanitizer and gdb.
    check_one_defect(&[seed!("asan-null-with-ubsan.txt"), seed!("gdb-segv.txt")]);
}

#[test]
fn different_defects_stay_apart() {
    for (at, one) in LOGS.iter().enumerate() {
        LOGS[at + 1..].iter().for_each(|other| check_two_defects(one, other));
    }
}

#[test]
fn values_in_a_message_do_not_matter_but_words_do() {
    let log = |words: &str| {
        format!(
            "thread 'main' panicked at src/a.rs:1:5:\n{words}\nstack backtrace:\n   0: demo::read\n             at /p/src/a.rs:1:5\n"
        )
    };
    check_one_defect(&[&log("no node 17"), &log("no node 4")]);
    check_two_defects(&log("no node 17"), &log("no edge 17"));
}

#[test]
fn the_kind_enters_only_as_a_class() {
    let log = |kind: &str| {
        format!(
            "==1==ERROR: AddressSanitizer: {kind} on address 0x6020 at pc 0x1\n    #0 0x1 in demo::read /p/src/a.rs:1:5\n"
        )
    };
    check_one_defect(&[&log("heap-buffer-overflow"), &log("heap-use-after-free"), &log("SEGV")]);
}

#[test]
fn timeouts_are_keyed_by_the_loop_and_not_by_where_they_were_sampled() {
    let log = |inner: &str, outer: &str| {
        format!(
            "==1== ERROR: libFuzzer: timeout after 2 seconds\n    #0 0x1 in demo::{inner} /p/src/a.rs:9:5\n    #1 0x2 in demo::{outer} /p/src/a.rs:5:5\n\
             \x20   #2 0x3 in demo::decode /p/src/a.rs:1:5\n    #3 0x4 in LLVMFuzzerTestOneInput /p/f.cc:1:1\n"
        )
    };
    check_one_defect(&[&log("byte", "frame"), &log("skip", "frame")]);
    check_two_defects(&log("byte", "frame"), &log("byte", "header"));
}

fn sighting(log: &str) -> Sighting {
    let mut crash = parse_log(log.as_bytes()).crashes.remove(0);
    crash.target = Some(TargetName::new("t"));
    Sighting { signature: Keys::of(&crash).signature, evidence: Evidence::of(&crash) }
}

/// A panic in `function` of `src/a.rs`, called by `caller`.
fn panic_in(function: &str, caller: &str, words: &str, place: &str) -> String {
    format!(
        "thread 'm' panicked at {place}:\n{words}\nstack backtrace:\n   0: {function}\n             at /p/{place}\n\
         \x20  1: {caller}\n             at /p/src/a.rs:9:5\n"
    )
}

fn check_merged(one: &str, other: &str, reason: MergeReason) {
    let (one, other) = (sighting(one), sighting(other));
    let merges = group(&[one.clone(), other.clone()]);
    assert_eq!(merges, [Merge { from: other.signature, into: one.signature, reason }]);
}

#[test]
fn a_corruption_and_the_invariant_it_breaks_below_are_merged_with_a_reason() {
    let write = "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x6020 at pc 0x1\n\
        \x20   #0 0x1 in v::grow /p/src/a.rs:9:5\n    #1 0x1 in v::insert /p/src/a.rs:5:5\n";
    let invariant = panic_in("v::len", "v::grow", "internal error: entered unreachable code", "src/a.rs:2:1");
    check_merged(write, &invariant, MergeReason::BelowCorruption);
    let unrelated = panic_in("v::len", "v::grow", "no node 17", "src/a.rs:2:1");
    assert_eq!(group(&[sighting(write), sighting(&unrelated)]), []);
}

#[test]
fn a_crash_without_symbols_joins_its_finding_by_the_place_in_its_header() {
    check_merged(
        &panic_in("v::read", "v::load", "no node 17", "src/a.rs:2:9"),
        "thread 'm' panicked at src/a.rs:2:9:\nno node 4\nnote: run with it\n",
        MergeReason::SamePlace,
    );
}

#[test]
fn a_zero_that_is_let_through_is_one_defect_wherever_it_hits() {
    check_merged(
        &panic_in("v::rows", "v::load", "chunk size must be non-zero", "src/a.rs:2:9"),
        &panic_in("v::scale", "v::load", "attempt to divide by zero", "src/a.rs:7:5"),
        MergeReason::SameZero,
    );
}

#[test]
fn a_function_named_with_and_without_its_type_is_one() {
    check_merged(
        &panic_in("<v::Reader>::take", "v::load", "no node 17", "src/a.rs:2:9"),
        &panic_in("take", "v::load", "no node 17", "src/a.rs:3:9"),
        MergeReason::SameFunction,
    );
}

#[test]
fn a_team_can_refuse_a_merge() {
    let zeros = [("v::rows", "chunk size must be non-zero"), ("v::scale", "attempt to divide by zero")];
    let sightings =
        zeros.map(|(function, words)| sighting(&panic_in(function, "v::load", words, "src/a.rs:2:9")));
    let [one, other] = [0, 1].map(|at: usize| sightings[at].signature.short().to_owned());
    let file = format!(
        "[[split]]\nsignatures = [\"{one}\", \"{other}\"]\nreason = \"two checks\"\ndate = 2026-01-31\n"
    );
    assert_eq!(Overrides::parse(&file).unwrap().group(&sightings), []);
    assert_eq!(Overrides::default().group(&sightings).len(), 1);
}

#[test]
fn panics_that_the_optimiser_merged_are_told_apart_by_column_and_not_by_line() {
    let merged = |place: &str| {
        format!(
            "thread 'm' panicked at {place}:\nindex out of bounds: the len is 1\nstack backtrace:\n   0: v::run\n   1: v::main\n             at /p/src/main.rs:1:5\n"
        )
    };
    check_one_defect(&[&merged("src/a.rs:9:67"), &merged("src/a.rs:26:67")]);
    check_two_defects(&merged("src/a.rs:9:67"), &merged("src/a.rs:9:47"));
}

#[test]
fn a_signature_is_read_back_and_abbreviated() {
    let signature = keys_of(LOGS[0]).signature;
    assert_eq!(signature.to_string().parse(), Ok(signature.clone()));
    assert_eq!(signature.version(), VERSION);
    assert!(
        signature.starts_with(signature.short())
            && signature.starts_with(&format!("v1:{}", signature.short()))
    );
    for wrong in ["", "v1:", "v1:abc", "v0:0", "x", "v1:XYZ"] {
        assert!(wrong.parse::<Signature>().is_err(), "{wrong}");
    }
}

#[test]
fn signatures_of_yesterday_are_signatures_of_tomorrow() {
    // If this fails, the algorithm changed: it needs a new version beside v1, or every stored finding is filed again.
    let short: Vec<String> = LOGS.iter().map(|log| keys_of(log).signature.short().to_owned()).collect();
    assert_eq!(short, include_str!("golden-v1.txt").lines().collect::<Vec<_>>());
}
