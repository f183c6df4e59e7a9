//! How bad a crash is, by kind and access: a rule people can predict, not a verdict on exploitability.

use std::fmt;
use std::str::FromStr;

use super::{Access, AccessMode, AddressClass, CrashKind};

/// How bad a crash is. Ordered: a worse one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Memory left behind, a target that ends itself.
    Low,
    /// The program stops: panics, time or memory run out, null pointers.
    Medium,
    /// Memory is read where it should not be, or its state is unknown.
    High,
    /// Memory is written where it should not be, or freed memory is used.
    Critical,
}

impl Severity {
    /// Judges `kind` with `access`. Writing is worse than reading; a null pointer is only a stop.
    pub fn of(kind: CrashKind, access: Option<Access>) -> Self {
        let is_write = access.is_some_and(|access| access.mode == AccessMode::Write);
        let is_null = access.and_then(|access| access.address_class()) == Some(AddressClass::Null);
        match kind {
            CrashKind::HeapUseAfterFree
            | CrashKind::StackUseAfterReturn
            | CrashKind::DoubleFree
            | CrashKind::HeapCorruption
            | CrashKind::BadCast => Self::Critical,
            CrashKind::HeapBufferOverflow
            | CrashKind::StackBufferOverflow
            | CrashKind::StackBufferUnderflow
            | CrashKind::DynamicStackBufferOverflow
            | CrashKind::GlobalBufferOverflow
            | CrashKind::ContainerOverflow
            | CrashKind::IntraObjectOverflow
            | CrashKind::BufferOverflow
            | CrashKind::StackUseAfterScope
            | CrashKind::UseAfterPoison
            | CrashKind::TagMismatch
            | CrashKind::UnknownCrash => {
                if is_write {
                    Self::Critical
                } else {
                    Self::High
                }
            }
            CrashKind::Segv | CrashKind::Bus if is_null => Self::Medium,
            CrashKind::Segv | CrashKind::Bus if is_write => Self::Critical,
            CrashKind::Segv
            | CrashKind::Bus
            | CrashKind::BadFree
            | CrashKind::AllocDeallocMismatch
            | CrashKind::ParamOverlap
            | CrashKind::NegativeSizeParam
            | CrashKind::InvalidPointerPair
            | CrashKind::UseOfUninitializedValue
            | CrashKind::IllegalInstruction
            | CrashKind::DataRace
            | CrashKind::SecurityIssue
            | CrashKind::OverwrittenInput => Self::High,
            CrashKind::NullDereference
            | CrashKind::UndefinedBehavior
            | CrashKind::OdrViolation
            | CrashKind::InitializationOrderFiasco
            | CrashKind::FloatingPointException
            | CrashKind::Trap
            | CrashKind::LockOrderInversion
            | CrashKind::ThreadMisuse
            | CrashKind::StackOverflow
            | CrashKind::OutOfMemory
            | CrashKind::Timeout
            | CrashKind::Panic
            | CrashKind::AssertionFailure
            | CrashKind::FatalError
            | CrashKind::UncaughtException
            | CrashKind::Abort
            | CrashKind::DeadlySignal => Self::Medium,
            CrashKind::Leak | CrashKind::Exit => Self::Low,
        }
    }

    /// The word used in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The text is no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity (low, medium, high, critical)")]
pub struct UnknownSeverity(String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Low, Self::Medium, Self::High, Self::Critical];
        let found = all.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| UnknownSeverity(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: CrashKind, mode: AccessMode, address: u64, expect: Severity) {
        let access = Access { mode, size: None, address: Some(address) };
        assert_eq!(Severity::of(kind, Some(access)), expect, "{kind} {mode:?} {address:#x}");
    }

    #[test]
    fn writing_is_worse_than_reading_and_null_is_only_a_stop() {
        check(CrashKind::HeapBufferOverflow, AccessMode::Write, 0x6020_0000_0000, Severity::Critical);
        check(CrashKind::HeapBufferOverflow, AccessMode::Read, 0x6020_0000_0000, Severity::High);
        check(CrashKind::Segv, AccessMode::Write, 0x8, Severity::Medium);
        check(CrashKind::Segv, AccessMode::Write, 0x6020_0000_0000, Severity::Critical);
        assert_eq!(Severity::of(CrashKind::Panic, None), Severity::Medium);
        assert!(Severity::Critical > Severity::High);
    }
}
