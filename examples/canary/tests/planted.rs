//! The planted defects answer to their triggers, and `defects.toml` tells the truth about the sources.
//!
//! Only what ends in an ordinary panic is run in this process. What needs a sanitizer, a limit or another
//! process to be seen at all is left to the fuzz targets.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::{fs, str};

use serde::Deserialize;

#[derive(Deserialize)]
struct Plan {
    defect: Vec<Defect>,
    clean: Vec<Clean>,
}

#[derive(Deserialize)]
struct Defect {
    name: String,
    target: String,
    panic: Option<String>,
    file: String,
    functions: Vec<String>,
    triggers: Vec<String>,
}

#[derive(Deserialize)]
struct Clean {
    target: String,
}

#[test]
fn every_planted_panic_answers_to_its_triggers() {
    for defect in plan().defect {
        let Some(expected) = defect.panic else { continue };
        for trigger in defect.triggers {
            let message = panic_message(&defect.target, &read(&format!("triggers/{trigger}")));
            assert_eq!(message.as_deref(), Some(expected.as_str()), "{trigger}");
        }
    }
}

#[test]
fn sound_input_is_answered_by_every_target() {
    for (target, input) in [
        ("records", b"L1x\x00c\x01aa\x00".as_slice()),
        ("watches", b"W\x08\x0c"),
        ("stores", b"rum=40\nbread=20\n?rum"),
        ("accounts", b"s\nrum=40"),
        ("macros", b"a=all hands;b=$a on deck;$b"),
        ("unpack", b"Z\x05\x02a\x03b"),
        ("chain", b"#\x20\x09\x30"),
        ("bitmap_plain", b"Bp\x00\x02\x00\x02abc"),
        ("bitmap_runs", b"Br+a\x00\x03\x00"),
        ("segments", b"S\x03\x05\x09\x02\x04"),
        ("words", b"all hands on deck, all of you"),
    ] {
        assert_eq!(panic_message(target, input), None, "{target}");
    }
}

#[test]
fn the_plan_names_what_the_sources_and_the_fuzz_crate_have() {
    let plan = plan();
    let manifest = read_text("fuzz/Cargo.toml");
    let targets = plan.defect.iter().map(|defect| &defect.target);
    for target in targets.chain(plan.clean.iter().map(|clean| &clean.target)) {
        assert!(manifest.contains(&format!("name = \"{target}\"\n")), "no fuzz target {target}");
    }
    for defect in &plan.defect {
        let source = read_text(&defect.file);
        assert!(source.contains(&format!("// DEFECT {}: ", defect.name)), "{} is unmarked", defect.name);
        for function in &defect.functions {
            assert!(source.contains(&format!("fn {function}")), "{} has no {function}", defect.file);
        }
    }
}

#[test]
fn every_trigger_belongs_to_a_defect() {
    let listed: BTreeSet<String> = plan().defect.into_iter().flat_map(|defect| defect.triggers).collect();
    let present: BTreeSet<String> = fs::read_dir(root().join("triggers"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(listed, present);
}

/// The panic that a target ends in, without printing it; `None` if it returns.
fn panic_message(target: &str, input: &[u8]) -> Option<String> {
    let run = AssertUnwindSafe(|| match target {
        "records" => drop(canary::records::summarize(input)),
        "watches" => drop(canary::watches::add_up(input)),
        "stores" => drop(canary::stores::ask(str::from_utf8(input).unwrap())),
        "accounts" => drop(canary::stores::account(str::from_utf8(input).unwrap())),
        "macros" => drop(canary::macros::expand_all(input)),
        "unpack" => drop(canary::unpack::unpack(input)),
        "chain" => drop(canary::chain::weakest(input)),
        "bitmap_plain" => drop(canary::bitmap::decode_plain(input)),
        "bitmap_runs" => drop(canary::bitmap::decode_runs(input)),
        "segments" => drop(canary::segments::deepest(input)),
        "words" => drop(canary::words::count(input)),
        unknown => panic!("no target {unknown} in this test"),
    });
    let payload = panic::catch_unwind(run).err()?;
    let message = payload.downcast_ref::<String>().cloned();
    Some(message.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
}

fn plan() -> Plan {
    toml::from_str(&read_text("defects.toml")).unwrap()
}

fn read(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|error| panic!("failed to read `{path}`: {error}"))
}

fn read_text(path: &str) -> String {
    String::from_utf8(read(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
