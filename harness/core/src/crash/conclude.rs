//! What follows about a crash from the whole of it: conclusions that no single line of a log allows.

use super::{AddressClass, Crash, CrashKind, StackRole};
use crate::frame::mark_in_app;

impl Crash {
    /// Draws the conclusions: whose code each frame is, and the kind where it depends on address or stacks.
    ///
    /// Readers of logs have done it; whoever changes a crash's stacks afterwards (symbolising) does it again.
    pub fn conclude(&mut self) {
        for stack in &mut self.stacks {
            mark_in_app(&mut stack.frames);
        }
        let class = self.access.and_then(|access| access.address_class());
        if self.kind == CrashKind::UnknownCrash && self.reporter == "valgrind" {
            self.kind = self.kind_by_block();
        }
        if self.kind == CrashKind::Segv && class == Some(AddressClass::Null) {
            self.kind = CrashKind::NullDereference;
        }
        if self.kind == CrashKind::DeadlySignal && self.has_aborted() {
            self.kind = CrashKind::Abort;
        }
    }

    /// Valgrind names the access and, apart from it, the block that was missed.
    fn kind_by_block(&self) -> CrashKind {
        if self.stack(StackRole::Deallocation).is_some() {
            CrashKind::HeapUseAfterFree
        } else if self.stack(StackRole::Allocation).is_some() {
            CrashKind::HeapBufferOverflow
        } else {
            CrashKind::Segv
        }
    }

    /// Whether a signal was the program's own `abort`.
    fn has_aborted(&self) -> bool {
        let frames = self.stacks.iter().flat_map(|stack| stack.frames.iter().take(12));
        let mut names = frames.filter_map(|frame| frame.function.as_deref());
        names.any(|name| matches!(name, "abort" | "std::process::abort" | "__GI_abort" | "gsignal" | "raise"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::{Access, AccessMode, Stack};
    use crate::frame::Frame;

    #[test]
    fn a_segv_near_zero_is_a_null_dereference() {
        let mut crash = Crash::of(CrashKind::Segv, "AddressSanitizer");
        crash.access = Some(Access { mode: AccessMode::Read, size: None, address: Some(0x18) });
        crash.conclude();
        assert_eq!(crash.kind, CrashKind::NullDereference);
    }

    #[test]
    fn a_signal_below_abort_is_an_abort_once_the_stack_has_names() {
        let mut crash = Crash::of(CrashKind::DeadlySignal, "libFuzzer");
        crash.stacks.push(Stack::new(StackRole::Crash, vec![Frame::of_offset("/lib/libc.so.6", 0x26471)]));
        crash.conclude();
        assert_eq!(crash.kind, CrashKind::DeadlySignal);
        crash.stacks[0].frames[0].function = Some("abort".to_owned());
        crash.conclude();
        assert_eq!(crash.kind, CrashKind::Abort);
    }
}
