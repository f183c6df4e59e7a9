//! What went wrong: a closed list in the field's own words.

use std::fmt;
use std::str::FromStr;

/// What went wrong. `as_str` gives the word that reports, JSON and people use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "each word is the tools' own and explained in docs/formats.md")]
pub enum CrashKind {
    HeapBufferOverflow,
    StackBufferOverflow,
    StackBufferUnderflow,
    DynamicStackBufferOverflow,
    GlobalBufferOverflow,
    ContainerOverflow,
    IntraObjectOverflow,
    BufferOverflow,
    HeapUseAfterFree,
    StackUseAfterReturn,
    StackUseAfterScope,
    UseAfterPoison,
    DoubleFree,
    BadFree,
    AllocDeallocMismatch,
    HeapCorruption,
    ParamOverlap,
    NegativeSizeParam,
    TagMismatch,
    InvalidPointerPair,
    NullDereference,
    Segv,
    Bus,
    IllegalInstruction,
    FloatingPointException,
    Trap,
    /// Memory access at fault in a way the tool could not name (ASan's `unknown-crash`).
    UnknownCrash,
    UseOfUninitializedValue,
    UndefinedBehavior,
    BadCast,
    OdrViolation,
    InitializationOrderFiasco,
    DataRace,
    LockOrderInversion,
    ThreadMisuse,
    StackOverflow,
    OutOfMemory,
    Timeout,
    Leak,
    Panic,
    AssertionFailure,
    FatalError,
    UncaughtException,
    SecurityIssue,
    Abort,
    Exit,
    OverwrittenInput,
    /// A signal ended the process and no tool said why.
    #[default]
    DeadlySignal,
}

/// What a kind is an instance of, as far as grouping cares: one defect shows as many kinds, but seldom as two classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindClass {
    /// Memory touched that should not have been.
    Memory,
    /// The program noticed by itself: panics, assertions, exceptions, aborts.
    Check,
    /// Two threads at one place.
    Race,
    /// The stack ran out.
    Recursion,
    /// Memory ran out, or an allocation was refused.
    Allocation,
    /// Time ran out.
    Timeout,
    /// Memory was left behind.
    Leak,
    /// The process ended itself, or wrote where the engine forbids.
    Exit,
}

impl CrashKind {
    /// All kinds, worst families first.
    pub const ALL: [Self; 48] = [
        Self::HeapBufferOverflow,
        Self::StackBufferOverflow,
        Self::StackBufferUnderflow,
        Self::DynamicStackBufferOverflow,
        Self::GlobalBufferOverflow,
        Self::ContainerOverflow,
        Self::IntraObjectOverflow,
        Self::BufferOverflow,
        Self::HeapUseAfterFree,
        Self::StackUseAfterReturn,
        Self::StackUseAfterScope,
        Self::UseAfterPoison,
        Self::DoubleFree,
        Self::BadFree,
        Self::AllocDeallocMismatch,
        Self::HeapCorruption,
        Self::ParamOverlap,
        Self::NegativeSizeParam,
        Self::TagMismatch,
        Self::InvalidPointerPair,
        Self::NullDereference,
        Self::Segv,
        Self::Bus,
        Self::IllegalInstruction,
        Self::FloatingPointException,
        Self::Trap,
        Self::UnknownCrash,
        Self::UseOfUninitializedValue,
        Self::UndefinedBehavior,
        Self::BadCast,
        Self::OdrViolation,
        Self::InitializationOrderFiasco,
        Self::DataRace,
        Self::LockOrderInversion,
        Self::ThreadMisuse,
        Self::StackOverflow,
        Self::OutOfMemory,
        Self::Timeout,
        Self::Leak,
        Self::Panic,
        Self::AssertionFailure,
        Self::FatalError,
        Self::UncaughtException,
        Self::SecurityIssue,
        Self::Abort,
        Self::Exit,
        Self::OverwrittenInput,
        Self::DeadlySignal,
    ];

    /// The kind in the field's own word, in kebab-case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HeapBufferOverflow => "heap-buffer-overflow",
            Self::StackBufferOverflow => "stack-buffer-overflow",
            Self::StackBufferUnderflow => "stack-buffer-underflow",
            Self::DynamicStackBufferOverflow => "dynamic-stack-buffer-overflow",
            Self::GlobalBufferOverflow => "global-buffer-overflow",
            Self::ContainerOverflow => "container-overflow",
            Self::IntraObjectOverflow => "intra-object-overflow",
            Self::BufferOverflow => "buffer-overflow",
            Self::HeapUseAfterFree => "heap-use-after-free",
            Self::StackUseAfterReturn => "stack-use-after-return",
            Self::StackUseAfterScope => "stack-use-after-scope",
            Self::UseAfterPoison => "use-after-poison",
            Self::DoubleFree => "double-free",
            Self::BadFree => "bad-free",
            Self::AllocDeallocMismatch => "alloc-dealloc-mismatch",
            Self::HeapCorruption => "heap-corruption",
            Self::ParamOverlap => "memcpy-param-overlap",
            Self::NegativeSizeParam => "negative-size-param",
            Self::TagMismatch => "tag-mismatch",
            Self::InvalidPointerPair => "invalid-pointer-pair",
            Self::NullDereference => "null-dereference",
            Self::Segv => "segv",
            Self::Bus => "bus",
            Self::IllegalInstruction => "illegal-instruction",
            Self::FloatingPointException => "floating-point-exception",
            Self::Trap => "trap",
            Self::UnknownCrash => "unknown-crash",
            Self::UseOfUninitializedValue => "use-of-uninitialized-value",
            Self::UndefinedBehavior => "undefined-behavior",
            Self::BadCast => "bad-cast",
            Self::OdrViolation => "odr-violation",
            Self::InitializationOrderFiasco => "initialization-order-fiasco",
            Self::DataRace => "data-race",
            Self::LockOrderInversion => "lock-order-inversion",
            Self::ThreadMisuse => "thread-misuse",
            Self::StackOverflow => "stack-overflow",
            Self::OutOfMemory => "out-of-memory",
            Self::Timeout => "timeout",
            Self::Leak => "leak",
            Self::Panic => "panic",
            Self::AssertionFailure => "assertion-failure",
            Self::FatalError => "fatal-error",
            Self::UncaughtException => "uncaught-exception",
            Self::SecurityIssue => "security-issue",
            Self::Abort => "abort",
            Self::Exit => "exit",
            Self::OverwrittenInput => "overwrites-const-input",
            Self::DeadlySignal => "deadly-signal",
        }
    }

    /// The class that enters a signature.
    pub fn class(self) -> KindClass {
        match self {
            Self::HeapBufferOverflow
            | Self::StackBufferOverflow
            | Self::StackBufferUnderflow
            | Self::DynamicStackBufferOverflow
            | Self::GlobalBufferOverflow
            | Self::ContainerOverflow
            | Self::IntraObjectOverflow
            | Self::BufferOverflow
            | Self::HeapUseAfterFree
            | Self::StackUseAfterReturn
            | Self::StackUseAfterScope
            | Self::UseAfterPoison
            | Self::DoubleFree
            | Self::BadFree
            | Self::AllocDeallocMismatch
            | Self::HeapCorruption
            | Self::ParamOverlap
            | Self::NegativeSizeParam
            | Self::TagMismatch
            | Self::InvalidPointerPair
            | Self::NullDereference
            | Self::Segv
            | Self::Bus
            | Self::IllegalInstruction
            | Self::Trap
            | Self::UnknownCrash
            | Self::UseOfUninitializedValue
            | Self::OdrViolation
            | Self::InitializationOrderFiasco
            | Self::BadCast => KindClass::Memory,
            Self::DataRace | Self::LockOrderInversion | Self::ThreadMisuse => KindClass::Race,
            Self::StackOverflow => KindClass::Recursion,
            Self::OutOfMemory => KindClass::Allocation,
            Self::Timeout => KindClass::Timeout,
            Self::Leak => KindClass::Leak,
            Self::Panic
            | Self::AssertionFailure
            | Self::FatalError
            | Self::UncaughtException
            | Self::SecurityIssue
            | Self::UndefinedBehavior
            | Self::FloatingPointException
            | Self::Abort
            | Self::DeadlySignal => KindClass::Check,
            Self::Exit | Self::OverwrittenInput => KindClass::Exit,
        }
    }
}

impl KindClass {
    /// The word that enters the normal form of a signature: never change one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Check => "check",
            Self::Race => "race",
            Self::Recursion => "recursion",
            Self::Allocation => "allocation",
            Self::Timeout => "timeout",
            Self::Leak => "leak",
            Self::Exit => "exit",
        }
    }
}

/// The text is no kind of crash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of crash")]
pub struct UnknownKind(String);

impl FromStr for CrashKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKind(text.chars().take(80).collect()))
    }
}

impl fmt::Display for CrashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word_and_is_found_by_it() {
        for kind in CrashKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("heap buffer overflow".parse::<CrashKind>().is_err());
    }

    #[test]
    fn one_site_seen_as_segv_overflow_and_use_after_free_has_one_class() {
        let kinds = [CrashKind::Segv, CrashKind::HeapBufferOverflow, CrashKind::HeapUseAfterFree];
        assert!(kinds.iter().all(|kind| kind.class() == KindClass::Memory));
    }
}
