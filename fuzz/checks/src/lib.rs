//! What the fuzz targets check. Each function takes the bytes of one input and panics if a law is broken.
//!
//! Reading order: [`CHECKS`] (name and function of each), [`crash_log`] (any log), then the smaller ones. No libFuzzer here:
//! `tests/replay.rs` runs every file of `corpora/<target>/` through the same functions in plain `cargo test`.
#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "a check panics if its law is broken: that is what it is for")]

use arbitrary::{Arbitrary, Unstructured};
use shakedown_core::crash::wire::CrashLine;
use shakedown_core::crash::{Crash, CrashKind, Location, Stack, StackRole};
use shakedown_core::demangle;
use shakedown_core::formats::{LogScanner, parse_frame_line, parse_log};
use shakedown_core::frame::source::extension;
use shakedown_core::frame::{Frame, mark_in_app};
use shakedown_core::signature::group::{Sighting, canonical, group};
use shakedown_core::signature::normalise::function_key;
use shakedown_core::signature::{Evidence, Keys, Overrides, message as words};

/// Takes the bytes of one input.
pub type Check = fn(&[u8]);

/// Every check by the name of its target and of its folder in `corpora/`.
pub const CHECKS: [(&str, Check); 8] = [
    ("crash_log", crash_log),
    ("frame_line", frame_line),
    ("signature", signature),
    ("function_name", function_name),
    ("message", message),
    ("demangle", symbol),
    ("overrides", overrides),
    ("binary", binary),
];

/// A log says the same in one piece and in many, and everything that is made of it holds together.
pub fn crash_log(data: &[u8]) {
    let whole = parse_log(data);
    let mut scanner = LogScanner::new();
    let piece = 1 + data.first().map_or(0, |byte| usize::from(*byte));
    data.chunks(piece).for_each(|piece| scanner.feed(piece));
    assert_eq!(scanner.finish(), whole, "read in pieces of {piece}");

    let keys: Vec<Keys> = whole.crashes.iter().map(Keys::of).collect();
    let sightings: Vec<Sighting> =
        whole.crashes.iter().zip(&keys).map(|(crash, keys)| sighting(crash, keys)).collect();
    let merges = group(&sightings);
    let aliases = canonical(&merges);
    assert!(aliases.values().all(|name| !aliases.contains_key(name)), "an alias of an alias");
    for (crash, keys) in whole.crashes.iter().zip(&keys) {
        assert_eq!(crash.kind.as_str().parse(), Ok(crash.kind));
        let line = CrashLine::new("log", crash, keys, &keys.signature);
        let text = serde_json::to_string(&line).expect("a crash is plain data");
        assert_eq!(serde_json::from_str::<CrashLine>(&text).expect("what was written is read"), line);
    }
}

fn sighting(crash: &Crash, keys: &Keys) -> Sighting {
    Sighting { signature: keys.signature.clone(), evidence: Evidence::of(crash) }
}

/// A line of a stack is read or not, but never breaks anything.
pub fn frame_line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(mut frame) = parse_frame_line(&text) {
        mark_in_app(std::slice::from_mut(&mut frame));
        let _ = function_key(&frame);
    }
}

/// A frame of any shape.
#[derive(Debug, Clone, Arbitrary)]
struct AnyFrame<'a> {
    function: Option<&'a str>,
    file: Option<&'a str>,
    module: Option<&'a str>,
    offset: Option<u64>,
}

/// A crash of any shape.
#[derive(Debug, Clone, Arbitrary)]
struct AnyCrash<'a> {
    kind: u8,
    message: Option<&'a str>,
    file: Option<&'a str>,
    frames: Vec<AnyFrame<'a>>,
    repeats: u8,
}

/// A signature depends neither on lines nor on addresses nor on symbol hashes.
pub fn signature(data: &[u8]) {
    let Ok(any) = AnyCrash::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let crash = crash_of(&any, 1, "::h0123456789abcdef");
    let rebuilt = crash_of(&any, 1000, "::hfedcba9876543210");
    let (one, other) = (Keys::of(&crash), Keys::of(&rebuilt));
    assert_eq!(one.signature, other.signature, "{crash:?}\n{rebuilt:?}");
    assert_eq!(one.site, other.site);
    assert_eq!(one.stack, other.stack);
    assert_eq!(one.signature.to_string().parse(), Ok(one.signature));
}

fn crash_of(any: &AnyCrash<'_>, line: u32, hash: &str) -> Crash {
    let frame = |any: &AnyFrame<'_>| Frame {
        function: any.function.map(|name| format!("{}{hash}", demangle::without_legacy_hash(name))),
        file: any.file.map(str::to_owned),
        line: Some(line),
        column: Some(5),
        module: any.module.map(str::to_owned),
        offset: any.offset,
        address: Some(u64::from(line) << 12),
        ..Frame::default()
    };
    let once = || any.frames.iter().take(64).map(frame);
    let mut frames: Vec<Frame> = (0..=any.repeats % 16).flat_map(|_| once()).collect();
    mark_in_app(&mut frames);
    let kind = CrashKind::ALL[usize::from(any.kind) % CrashKind::ALL.len()];
    Crash {
        kind,
        message: any.message.map(str::to_owned),
        location: any.file.map(|file| Location { file: file.to_owned(), line: Some(line), column: Some(5) }),
        stacks: vec![Stack::new(StackRole::Crash, frames)],
        ..Crash::default()
    }
}

/// The first line is a function, the second its file: the normal form has no hash, and a second one adds nothing.
pub fn function_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let function = demangle::without_legacy_hash(lines.next().unwrap_or_default());
    let file = lines.next().map(str::to_owned);
    let key = |function: String| {
        let file = Some(file.clone().unwrap_or_else(|| "src/lib.rs".to_owned()));
        function_key(&Frame { function: Some(function), file, ..Frame::default() })
    };
    if file.as_deref().is_none_or(|file| extension(file) == "rs") {
        assert_eq!(key(function.to_owned()), key(format!("{function}::h0123456789abcdef")));
    }
    if let Some(key) = key(function.to_owned()) {
        assert!(key.describe().len() <= 3 * (function.len() + file.map_or(10, |file| file.len())) + 64);
    }
}

/// A message's token is short and has no digits of the input's own.
pub fn message(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let token = words::token(&text);
    assert!(token.len() <= 512, "{token}");
    assert!(!token.contains('\n'));
    let _ = words::class_of(&text);
}

/// Any symbol is demangled in bounded room.
pub fn symbol(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(demangle::demangle(&text).len() <= 8 * 1024);
    let _ = demangle::is_mangled(&text);
}

/// Any overrides file is read or refused, and what is read can be applied.
pub fn overrides(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Overrides::parse(text) {
        Ok(overrides) => {
            let keys = [Keys::of(&Crash::default()), Keys::of(&Crash::of(CrashKind::Leak, "x"))];
            let assignments = overrides.assign(&keys, &[]);
            assert_eq!(assignments.len(), keys.len());
            assert!(!overrides.is_empty() || assignments[0].finding == keys[0].signature);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A binary may be anything; what it says about an offset is an answer or an error.
pub fn binary(data: &[u8]) {
    let symbolizer = shakedown_exec::symbolize::Symbolizer::new().with_binary("binary", data);
    let offset = data.iter().rev().take(4).fold(0_u64, |offset, byte| offset << 8 | u64::from(*byte));
    for offset in [offset, offset & 0xffff, 0x1000, 0] {
        let _ = symbolizer.frames(std::path::Path::new("binary"), offset);
    }
}
