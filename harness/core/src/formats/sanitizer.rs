//! AddressSanitizer, HWASan, MemorySanitizer, ThreadSanitizer, LeakSanitizer: headers, accesses, stack titles.
//!
//! Undefined behaviour is in `undefined`; libFuzzer speaks in the same `==pid==` lines and is in `libfuzzer`.

use super::report::{Event, Report, Standing, Style};
use super::scan;
use crate::crash::{Access, AccessMode, CrashKind, StackRole};

/// What a `==pid==` line's rest means. `text` starts after the second `==`.
pub(super) fn pid_line(text: &str) -> Option<Event> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("ERROR: ") {
        return headline(rest);
    }
    if let Some(rest) = text.strip_prefix("WARNING: ") {
        // AddressSanitizer goes on after a warning; the others use the word for their findings.
        return (!rest.starts_with("AddressSanitizer")).then(|| headline(rest)).flatten();
    }
    if let Some(rest) = text.strip_prefix("The signal is caused by a ") {
        return Some(Event::Access(Access { mode: access_mode(rest), ..Access::default() }));
    }
    if text.starts_with("Hint: this fault was caused by a dereference of a high value address") {
        return Some(Event::AddressUnknown);
    }
    if text.starts_with("ABORTING") {
        return Some(Event::Close);
    }
    // `==1==AddressSanitizer: soft rss limit exhausted (..)`, `==1==AddressSanitizer CHECK failed: ..`.
    (text.contains("Sanitizer: ") || text.contains("Sanitizer CHECK")).then(|| headline(text)).flatten()
}

/// `AddressSanitizer: heap-buffer-overflow on address ..`, also without a `==pid==` before it.
pub(super) fn headline(text: &str) -> Option<Event> {
    let at = text.find("Sanitizer")?;
    let end = at + "Sanitizer".len();
    let tool = text[..end].rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let is_known = ["Address", "HWAddress", "Memory", "Thread", "Leak", "UndefinedBehavior", "KernelAddress"]
        .iter()
        .any(|name| tool.strip_suffix("Sanitizer") == Some(name));
    if !is_known {
        return None;
    }
    let rest = text[end..].trim_start_matches(':').trim_start();
    let mut report = report_of(tool, rest)?;
    report.crash.message = Some(format!("{tool}: {}", scan::clipped(rest, 1024)));
    if let Some(access) = access_in_headline(rest) {
        report.crash.access = Some(access);
    }
    Some(report.event())
}

fn report_of(tool: &str, rest: &str) -> Option<Report> {
    let word = rest.split([' ', ':', ',']).next().unwrap_or(rest);
    let known = match word {
        "SEGV" | "access-violation" => Some(CrashKind::Segv),
        "BUS" | "in-page-error" => Some(CrashKind::Bus),
        "FPE" | "int-divide-by-zero" | "int-overflow" => Some(CrashKind::FloatingPointException),
        "ILL" | "illegal-instruction" | "priv-instruction" => Some(CrashKind::IllegalInstruction),
        "TRAP" | "breakpoint" => Some(CrashKind::Trap),
        "ABRT" => Some(CrashKind::Abort),
        "stack-buffer-underflow" => Some(CrashKind::StackBufferUnderflow),
        "calloc-overflow"
        | "reallocarray-overflow"
        | "pvalloc-overflow"
        | "allocation-size-too-big"
        | "rss-limit-exceeded"
        | "out-of-memory" => Some(CrashKind::OutOfMemory),
        "new-delete-type-mismatch" | "alloc-dealloc-mismatch" => Some(CrashKind::AllocDeallocMismatch),
        "bad-malloc_usable_size" | "bad-free" | "invalid-free" => Some(CrashKind::BadFree),
        "tag-mismatch" => Some(CrashKind::TagMismatch),
        "unknown-crash" => Some(CrashKind::UnknownCrash),
        _ if word.ends_with("-param-overlap") => Some(CrashKind::ParamOverlap),
        _ => word.parse().ok(),
    };
    // A bare word that anything could have printed counts only if it goes on as the tool's own lines do.
    let kind = known.or_else(|| kind_of_sentence(rest));
    let standing = match kind {
        None => Standing::Weak,
        Some(CrashKind::Abort | CrashKind::IllegalInstruction | CrashKind::Trap) => Standing::Aftermath,
        // A check of the tool's own, after it has said what went wrong.
        Some(CrashKind::FatalError) if rest.starts_with("CHECK failed") => Standing::Aftermath,
        Some(
            CrashKind::DataRace | CrashKind::LockOrderInversion | CrashKind::ThreadMisuse | CrashKind::Leak,
        ) => Standing::Warning,
        Some(_) if tool == "ThreadSanitizer" && !rest.contains(" on unknown address") => Standing::Warning,
        Some(_) => Standing::Fatal,
    };
    if kind.is_none() && !is_plausible(rest) {
        return None;
    }
    Some(Report::new(kind.unwrap_or(CrashKind::UnknownCrash), tool).style(Style::Numbered).standing(standing))
}

/// Headlines that are sentences rather than a word.
fn kind_of_sentence(rest: &str) -> Option<CrashKind> {
    const SENTENCES: [(&str, CrashKind); 28] = [
        ("attempting double-free", CrashKind::DoubleFree),
        ("attempting free on address which was not malloc", CrashKind::BadFree),
        ("attempting to call malloc_usable_size", CrashKind::BadFree),
        ("attempting to call __sanitizer_get_allocated_size", CrashKind::BadFree),
        ("invalid-free", CrashKind::BadFree),
        ("requested allocation size", CrashKind::OutOfMemory),
        ("calloc parameters overflow", CrashKind::OutOfMemory),
        ("reallocarray parameters overflow", CrashKind::OutOfMemory),
        ("pvalloc parameters overflow", CrashKind::OutOfMemory),
        ("specified RSS limit exceeded", CrashKind::OutOfMemory),
        ("out of memory", CrashKind::OutOfMemory),
        ("allocator is out of memory", CrashKind::OutOfMemory),
        ("allocator is trying to allocate", CrashKind::OutOfMemory),
        ("failed to allocate", CrashKind::OutOfMemory),
        ("hard rss limit exhausted", CrashKind::OutOfMemory),
        ("soft rss limit exhausted", CrashKind::OutOfMemory),
        ("invalid allocation alignment", CrashKind::FatalError),
        ("invalid aligned_alloc alignment", CrashKind::FatalError),
        ("invalid alignment requested in posix_memalign", CrashKind::FatalError),
        ("detected memory leaks", CrashKind::Leak),
        ("data race", CrashKind::DataRace),
        ("race on", CrashKind::DataRace),
        ("thread leak", CrashKind::ThreadMisuse),
        ("signal-unsafe call", CrashKind::ThreadMisuse),
        ("signal handler spoils errno", CrashKind::ThreadMisuse),
        ("CHECK failed", CrashKind::FatalError),
        ("nested bug in the same thread", CrashKind::UnknownCrash),
        ("memory ranges", CrashKind::ParamOverlap),
    ];
    let found = SENTENCES.iter().find(|(words, _)| rest.starts_with(words)).map(|(_, kind)| *kind);
    found.or_else(|| (rest.contains(" mutex") || rest.contains("rwlock")).then_some(CrashKind::ThreadMisuse))
}

/// An unknown word followed by what the tools print after one.
fn is_plausible(rest: &str) -> bool {
    rest.contains(" on address 0x") || rest.contains(" on unknown address") || rest.contains(" (pid=")
}

/// The address in a headline: `on address 0x..`, `on unknown address 0x..`, `attempting free .. : 0x..`.
fn access_in_headline(rest: &str) -> Option<Access> {
    let after = rest
        .split_once("address ")
        .or_else(|| rest.split_once("double-free on "))
        .or_else(|| rest.split_once("malloc()-ed: "))
        .map(|(_, after)| after)?;
    let (address, _) = scan::hex(after.trim_start())?;
    Some(Access { address: Some(address), ..Access::default() })
}

/// Lines of a report that are neither header nor frame: accesses and the titles of further stacks.
pub(super) fn detail(text: &str) -> Option<Event> {
    let first = *text.as_bytes().first()?;
    if matches!(first, b'R' | b'W' | b'P' | b'A')
        && let Some(event) = access_line(text)
    {
        return Some(event);
    }
    if text.starts_with("SUMMARY: ") {
        return Some(Event::Close);
    }
    stack_title(text).map(|role| Event::Stack(role, Style::Numbered))
}

/// ASan's `READ of size 4 at 0x.. thread T0`, TSan's `  Previous atomic write of size 8 at 0x.. by thread T1:`.
fn access_line(text: &str) -> Option<Event> {
    let lower_previous = text.starts_with("Previous ");
    let words = text.strip_prefix("Previous ").unwrap_or(text);
    let words = words.strip_prefix("Atomic ").or_else(|| words.strip_prefix("atomic ")).unwrap_or(words);
    let mode = access_mode(words);
    if mode == AccessMode::Unknown {
        return None;
    }
    let rest = words.get(4..)?.trim_start_matches(['E', 'e']).trim_start();
    let rest = rest.strip_prefix("of size ")?;
    if lower_previous {
        return Some(Event::Stack(StackRole::OtherThread, Style::Numbered));
    }
    let (size, rest) = scan::decimal(rest)?;
    Some(Event::Access(Access { mode, size: Some(size), address: scan::first_hex(rest) }))
}

fn access_mode(text: &str) -> AccessMode {
    let starts = |word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if starts("READ") {
        AccessMode::Read
    } else if starts("WRITE") {
        AccessMode::Write
    } else {
        AccessMode::Unknown
    }
}

/// The titles that sanitizers put above the further stacks of a report.
fn stack_title(text: &str) -> Option<StackRole> {
    const TITLES: [(&str, StackRole); 18] = [
        ("freed by thread", StackRole::Deallocation),
        ("deallocated by thread", StackRole::Deallocation),
        ("previously allocated by", StackRole::Allocation),
        ("allocated by thread", StackRole::Allocation),
        ("allocated here:", StackRole::Allocation),
        ("Location is heap block", StackRole::Allocation),
        ("Direct leak of", StackRole::Crash),
        ("Indirect leak of", StackRole::Allocation),
        ("Uninitialized value was created by", StackRole::Origin),
        ("Uninitialized value was stored to memory at", StackRole::Origin),
        ("Memory was marked as uninitialized", StackRole::Origin),
        ("Member fields were destroyed", StackRole::Deallocation),
        ("Thread T", StackRole::ThreadCreation),
        ("Thread ", StackRole::ThreadCreation),
        ("Mutex M", StackRole::OtherThread),
        ("As if synchronized via sleep", StackRole::OtherThread),
        ("Live Heap Allocations", StackRole::Allocation),
        ("Address 0x", StackRole::Allocation),
    ];
    if !matches!(
        text.as_bytes().first()?,
        b'f' | b'd' | b'p' | b'a' | b'L' | b'D' | b'I' | b'U' | b'M' | b'T' | b'A'
    ) {
        return None;
    }
    let role = TITLES.iter().find(|(title, _)| text.starts_with(title)).map(|(_, role)| *role)?;
    let is_creation = text.contains(" created by ") || text.contains(" created at");
    match role {
        StackRole::ThreadCreation => is_creation.then_some(role),
        StackRole::Allocation if text.starts_with("Address 0x") => {
            text.contains(" is located in stack of").then_some(role)
        }
        StackRole::Crash
        | StackRole::Allocation
        | StackRole::Deallocation
        | StackRole::Origin
        | StackRole::OtherThread => Some(role),
    }
}
