//! Shakedown's part of a fuzz target in Rust: panics are told to the driver, which lies in the archive beside libFuzzer,
//! and come back from the target's boundary instead of ending the process.
//!
//! A crate of its own, compiled at build time without coverage counters: an instrumented build has the counters that
//! cargo-fuzz's has, and ours are none of them. The changed copy of libfuzzer-sys calls `panic_arrived`.
#![feature(alloc_error_hook, panic_can_unwind)]

extern "C" {
    fn shakedown_note_panic(
        text: *const u8,
        text_size: usize,
        file: *const u8,
        file_size: usize,
        line: u32,
        column: u32,
        can_unwind: bool,
    ) -> bool;
    fn shakedown_panic_arrived() -> i32;
    fn shakedown_allocation_failed(size: usize) -> bool;
}

/// What the target is said to have returned when a panic arrived at its boundary.
#[inline(never)]
pub fn panic_arrived() -> i32 {
    // SAFETY: the driver's function takes nothing and touches only its own state.
    unsafe { shakedown_panic_arrived() }
}

/// Called by the driver once, after the target's initialisation, which may have set a hook of its own.
#[export_name = "shakedown_install_runtime"]
extern "C" fn install_runtime() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !note(info) {
            before(info);
        }
    }));
    std::alloc::set_alloc_error_hook(|layout| {
        // SAFETY: the driver's function takes a number and touches only its own state and this process's limits.
        if unsafe { shakedown_allocation_failed(layout.size()) } {
            panic!("memory allocation failed");
        }
    });
}

fn note(info: &std::panic::PanicHookInfo<'_>) -> bool {
    let payload = info.payload();
    let text = match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "Box<dyn Any>",
    };
    let (file, line, column) = match info.location() {
        Some(location) => (location.file(), location.line(), location.column()),
        None => ("", 0, 0),
    };
    // SAFETY: both texts outlive the call, their sizes are theirs, and the driver copies what it keeps.
    unsafe {
        shakedown_note_panic(
            text.as_ptr(),
            text.len(),
            file.as_ptr(),
            file.len(),
            line,
            column,
            info.can_unwind(),
        )
    }
}
