//! One numbered frame: `#3 0x55.. in f(int) /path/f.c:1:2 (module+0x1f) (BuildId: ..)` and its cousins in TSan, gdb,
//! Android, Fuchsia and Chromium. Reads from both ends, because a function's name may contain anything.

use super::scan;
use crate::demangle::demangle;
use crate::frame::Frame;

/// Names longer than this are cut: a template's name can be megabytes.
const NAME_BYTES_MAX: usize = 4096;

/// The number and content of a frame line that starts with `#`, already trimmed.
pub(super) fn numbered_frame(line: &str) -> Option<(u64, Frame)> {
    let (number, rest) = scan::decimal(line.strip_prefix('#')?)?;
    // libFuzzer's statistics look alike but go on with a tab: `#1024\tpulse`.
    let body = rest.strip_prefix(' ')?.trim();
    (!body.is_empty()).then(|| (number, frame_of(body)))
}

/// Frames of libraries that number nothing, or without `#`: MSVC's `f [0x1+58] (file.cc:1)`, WebKit's `8   0x7f f(int)`,
/// Swift's and macOS' `7    module    0x1 f + 2648`.
pub(super) fn other_frame(text: &str) -> Option<Frame> {
    let mut frame = Frame::default();
    if let Some((symbol, rest)) = text.split_once(" [0x") {
        let (address, place) = rest.strip_suffix(')')?.split_once("] (")?;
        frame.address = scan::bare_hex(address).map(|(address, _)| address);
        set_function(&mut frame, symbol);
        set_place(&mut frame, place);
        return Some(frame);
    }
    let (_, rest) = scan::decimal(text)?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let (module, rest) = if rest.starts_with("0x") {
        ("", rest)
    } else {
        let at = rest.find(" 0x")?;
        (rest[..at].trim(), &rest[at + 1..])
    };
    let (address, symbol) = scan::hex(rest)?;
    frame.address = Some(address);
    frame.module = (!module.is_empty()).then(|| module.to_owned());
    set_function(&mut frame, symbol.rsplit_once(" + ").map_or(symbol, |(symbol, _)| symbol));
    Some(frame)
}

/// The frame in `body`, which is what follows the number.
pub(super) fn frame_of(body: &str) -> Frame {
    if let Some(rest) = body.strip_prefix("pc ") {
        return android_frame(rest);
    }
    let (address, rest) = match scan::hex(body) {
        Some((address, rest)) => (Some(address), rest.trim_start()),
        None => (None, body),
    };
    let text = rest.strip_prefix("in ").unwrap_or(rest);
    let mut frame = symbol_and_place(text);
    frame.address = address;
    frame
}

/// Reads `f(int) /path/f.c:1:2 (module+0x1f)`.
fn symbol_and_place(text: &str) -> Frame {
    let (text, module) = without_module(text);
    let mut frame = Frame::default();
    if let Some((module, offset)) = module {
        frame.module = Some(module.to_owned());
        frame.offset = Some(offset);
    }
    if let Some((symbol, place)) = gdb_place(text) {
        set_function(&mut frame, symbol);
        set_place(&mut frame, place);
        return frame;
    }
    let (symbol, place) = split_place(text);
    set_function(&mut frame, symbol);
    if let Some(place) = place {
        set_place(&mut frame, place);
    }
    frame
}

/// Cuts `(BuildId: ..)` and `(module+0x1f)` off the end.
fn without_module(text: &str) -> (&str, Option<(&str, u64)>) {
    let mut text = text.trim_end();
    // Fuchsia: `f file.cc:1 <libc.so>+0x12`.
    if let Some((head, offset)) = scan::split_offset(text)
        && let Some(head) = head.strip_suffix('>')
        && let Some(at) = memchr::memrchr(b'<', head.as_bytes())
    {
        let module = head[at + 1..].trim_end_matches('>');
        return (head[..at].trim_end_matches(['<', ' ']), Some((module, offset)));
    }
    if text.ends_with(')')
        && let Some(at) = memchr::memrchr(b'(', text.as_bytes())
        && text[at..].starts_with("(BuildId:")
    {
        text = text[..at].trim_end();
    }
    let Some(inner) = text.strip_suffix(')') else { return (text, None) };
    let Some((head, offset)) = scan::split_offset(inner) else { return (text, None) };
    // The module's path may contain parentheses and spaces: an absolute one starts at the first ` (/`.
    let open = if head.starts_with('(') {
        Some(0)
    } else {
        head.find(" (/").or_else(|| head.rfind(" (")).map(|at| at + 1)
    };
    match open {
        Some(open) => (text[..open].trim_end(), Some((&head[open + 1..], offset))),
        None => (text, None),
    }
}

/// gdb: `f (x=1, y=2) at file.c:1` or `f (..) from /lib/l.so`.
fn gdb_place(text: &str) -> Option<(&str, &str)> {
    let open = scan::find(text, " (")?;
    let symbol = &text[..open];
    if let Some(at) = text.rfind(") at ") {
        return Some((symbol, &text[at + ") at ".len()..]));
    }
    if let Some(at) = text.rfind(") from ") {
        return Some((symbol, &text[at + ") from ".len()..]));
    }
    // `f ()` and `f (x=1)` without a place; the sanitizers put no space before the parenthesis.
    (text.ends_with(')') && !symbol.contains(' ') && !text.contains(" (anonymous") && !text.contains(" (."))
        .then_some((symbol, ""))
}

/// Splits a sanitizer's `f(int) const /path with spaces/f.c:1:2`.
fn split_place(text: &str) -> (&str, Option<&str>) {
    // Chromium: `f() [../../base/f.cc:1:2]`.
    if let Some(inner) = text.strip_suffix(']')
        && let Some(at) = inner.rfind(" [")
        && scan::ends_with_line(inner)
    {
        return (&text[..at], Some(&inner[at + 2..]));
    }
    // An absolute path starts at the first ` /` and may contain spaces; so does `C:\`.
    if let Some(at) = scan::find(text, " /") {
        return (&text[..at], Some(&text[at + 1..]));
    }
    if let Some(at) =
        text.match_indices(":\\").map(|(at, _)| at).find(|at| *at >= 2 && text.as_bytes()[at - 2] == b' ')
    {
        return (&text[..at - 2], Some(&text[at - 1..]));
    }
    match text.rsplit_once(' ') {
        Some((symbol, place)) if looks_like_place(place) => (symbol, Some(place)),
        _ if text.starts_with('/') && !text.contains("operator") => ("", Some(text)),
        _ => (text, None),
    }
}

fn looks_like_place(token: &str) -> bool {
    if token.starts_with("<null>") {
        return true;
    }
    if token.ends_with([')', '>', '&', '*']) || token.starts_with(['(', '<']) {
        return token.starts_with('<') && scan::ends_with_line(token);
    }
    scan::ends_with_line(token)
        || token == "??:?"
        || token == "_asan_rtl_"
        || token.contains('/')
        || token.contains("-cgu.")
        || is_file_name(token)
}

fn is_file_name(token: &str) -> bool {
    const EXTENSIONS: [&str; 12] =
        ["c", "cc", "cpp", "cxx", "h", "hpp", "rs", "inl", "S", "m", "mm", "swift"];
    token
        .rsplit_once('.')
        .is_some_and(|(stem, extension)| !stem.is_empty() && EXTENSIONS.contains(&extension))
}

pub(super) fn set_function(frame: &mut Frame, symbol: &str) {
    let symbol = scan::clipped(symbol.trim(), NAME_BYTES_MAX);
    // Windows and old sanitizers: `f+0x1f`.
    let symbol = scan::split_offset(symbol).map_or(symbol, |(name, _)| name);
    if is_library_name(symbol) {
        frame.module.get_or_insert_with(|| symbol.to_owned());
        return;
    }
    let is_unknown = matches!(
        symbol,
        "<unavailable>"
            | ""
            | "??"
            | "<unknown>"
            | "<unknown module>"
            | "(<unknown module>)"
            | "<missing>"
            | "<null>"
            | "_"
    );
    if !is_unknown {
        frame.function = Some(demangle(symbol));
    }
}

/// `libpthread.so.0`, `[vdso]`: what stands in a function's place where only the library is known.
fn is_library_name(symbol: &str) -> bool {
    let stem = symbol.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_shared = stem.strip_suffix(".so").is_some_and(|name| !name.is_empty());
    (is_shared && !symbol.contains(['(', ' '])) || symbol == "[vdso]"
}

pub(super) fn set_place(frame: &mut Frame, place: &str) {
    let place = place.trim();
    if place.is_empty()
        || place.starts_with("??")
        || place.starts_with("<null>")
        || place == "_asan_rtl_"
        || place.contains("-cgu.")
    {
        return;
    }
    let location = scan::location(place);
    if location.line.is_none() && is_library_name(&location.file) {
        frame.module.get_or_insert(location.file);
    } else {
        frame.file = Some(location.file);
        frame.line = location.line;
        frame.column = location.column;
    }
}

/// `0001234 /system/lib/libc.so (f+12)`.
fn android_frame(rest: &str) -> Frame {
    let mut frame = Frame::default();
    let Some((offset, rest)) = scan::bare_hex(rest.trim_start().trim_start_matches("0x")) else {
        return frame;
    };
    frame.offset = Some(offset);
    let (module, symbol) = rest.trim().split_once(" (").unwrap_or((rest.trim(), ""));
    frame.module = Some(module.to_owned());
    let symbol = symbol.strip_suffix(')').unwrap_or(symbol);
    set_function(&mut frame, symbol.rsplit_once('+').map_or(symbol, |(name, _)| name));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        line: &str,
        function: Option<&str>,
        file: Option<&str>,
        line_number: Option<u32>,
        module: Option<(&str, u64)>,
    ) {
        let (_, frame) = numbered_frame(line).expect(line);
        assert_eq!(frame.function.as_deref(), function, "{line}");
        assert_eq!(frame.file.as_deref(), file, "{line}");
        assert_eq!(frame.line, line_number, "{line}");
        assert_eq!(frame.module.as_deref().zip(frame.offset), module, "{line}");
    }

    #[test]
    fn a_symbolised_sanitizer_frame_has_function_and_place() {
        check(
            "#0 0x55 in a::f(int) const /p/with space/f.cc:3:4",
            Some("a::f(int) const"),
            Some("/p/with space/f.cc"),
            Some(3),
            None,
        );
        check(
            "#6 0x7f in raise signal/../sysdeps/posix/raise.c:26:13",
            Some("raise"),
            Some("signal/../sysdeps/posix/raise.c"),
            Some(26),
            None,
        );
        check(
            "#1 0x1 in operator new(unsigned long) C:\\b\\x.cc:7",
            Some("operator new(unsigned long)"),
            Some("C:\\b\\x.cc"),
            Some(7),
            None,
        );
        check(
            "#24 0x1 in __rust_try libfuzzer_sys.16a3ea3309296e0e-cgu.0",
            Some("__rust_try"),
            None,
            None,
            None,
        );
        check("#4 0x1 in main ??:0:0", Some("main"), None, None, None);
    }

    #[test]
    fn a_raw_frame_has_module_and_offset() {
        check(
            "#0 0x55b6  (/build/k+0x15d375) (BuildId: 486d)",
            None,
            None,
            None,
            Some(("/build/k", 0x0015_d375)),
        );
        check(
            "#0 0x55b6 in _start (/build/k (1)/x+0x95880) (BuildId: 486d)",
            Some("_start"),
            None,
            None,
            Some(("/build/k (1)/x", 0x95880)),
        );
        check("#0 0xec3fdeb  (<unknown module>)", None, None, None, None);
    }

    #[test]
    fn tsan_and_gdb_frames_are_read_too() {
        check("#0 foo a/b.cc:12 (exe+0x12)", Some("foo"), Some("a/b.cc"), Some(12), Some(("exe", 0x12)));
        check(
            "#1  0x08 in js::f (cx=0x1, g=(void *) 0x2) at /s/x.cpp:41",
            Some("js::f"),
            Some("/s/x.cpp"),
            Some(41),
            None,
        );
        check("#2  0x00 in raise () from /lib/libc.so.6", Some("raise"), None, None, None);
        check("#3 <signal handler called>", Some("<signal handler called>"), None, None, None);
        check(
            "#00 pc 0001234 /system/lib/libc.so (abort+12)",
            Some("abort"),
            None,
            None,
            Some(("/system/lib/libc.so", 0x1234)),
        );
    }

    #[test]
    fn a_statistics_line_of_libfuzzer_is_no_frame() {
        assert!(numbered_frame("#1024\tpulse  cov: 8 ft: 9 corp: 1/1b").is_none());
        assert!(numbered_frame("#").is_none());
        assert!(numbered_frame("#1").is_none());
    }
}
