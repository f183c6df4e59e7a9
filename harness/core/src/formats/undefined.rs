//! UndefinedBehaviorSanitizer: `file:line:column: runtime error: what`.

use super::report::{Event, Report, Standing};
use super::scan;
use crate::crash::{Access, AccessMode, CrashKind};

/// What separates the place from the finding.
pub(super) const MARK: &str = ": runtime error: ";

/// Reads a line that contains [`MARK`].
pub(super) fn line(text: &str) -> Option<Event> {
    let (place, finding) = text.split_once(MARK)?;
    let place = place
        .rsplit_once(' ')
        .map_or(place, |(before, last)| if before.contains('/') { place } else { last });
    if !scan::ends_with_line(place) {
        // Go's runtime errors, in a log line of a program that recovered: not undefined behaviour.
        let is_go =
            ["index out of range", "slice bounds", "invalid memory address", "integer divide by zero"];
        let report = Report::new(CrashKind::Panic, "go").message(&format!("runtime error: {finding}"));
        return is_go.iter().any(|words| finding.starts_with(words)).then(|| report.event());
    }
    let mut report = Report::new(kind_of(finding), "UndefinedBehaviorSanitizer")
        .message(finding)
        .location(scan::location(place.trim()))
        .standing(Standing::Warning);
    report.crash.access = access_of(finding);
    Some(report.event())
}

/// A null pointer and a bad cast have words of their own; the rest is undefined behaviour, named by its message.
fn kind_of(finding: &str) -> CrashKind {
    let is_null = finding.contains("null pointer")
        && !finding.contains("offset")
        && !finding.starts_with("upcast")
        && !finding.starts_with("cast")
        && !finding.contains("passed as argument")
        && !finding.contains("returned from function");
    let is_cast = finding.starts_with("downcast of address")
        || finding.starts_with("control flow integrity check")
        || (finding.contains("which does not point to an object of type")
            && !finding.starts_with("reference binding"));
    if is_null {
        CrashKind::NullDereference
    } else if is_cast {
        CrashKind::BadCast
    } else {
        CrashKind::UndefinedBehavior
    }
}

fn access_of(finding: &str) -> Option<Access> {
    let mode = if finding.starts_with("load of") {
        AccessMode::Read
    } else if finding.starts_with("store to") {
        AccessMode::Write
    } else {
        AccessMode::Unknown
    };
    let address =
        finding.split_once("address ").and_then(|(_, rest)| scan::hex(rest)).map(|(address, _)| address);
    let is_null = finding.contains("null pointer");
    (mode != AccessMode::Unknown || address.is_some()).then(|| Access {
        mode,
        size: None,
        address: address.or_else(|| is_null.then_some(0)),
    })
}
