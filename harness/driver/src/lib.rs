//! What is linked into a fuzz target beside libFuzzer, carried inside the `shakedown` binary as text.
//!
//! Nothing here runs in the harness: `exec::libfuzzer` compiles the [`NATIVE_SOURCES`] into the archive that
//! libfuzzer-sys links.
//! The words between the two are written down in `docs/driver.md`.
#![forbid(unsafe_code)]

/// A C++ file of the driver.
#[derive(Debug, Clone, Copy)]
pub struct NativeSource {
    /// Its name; `.cpp` files are compiled, `.h` files lie beside them.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The driver: it has the program's `main`, and takes the place of libFuzzer's `FuzzerMain.cpp`.
pub const NATIVE_SOURCES: &[NativeSource] =
    &[NativeSource { name: "main.cpp", text: include_str!("../native/main.cpp") }];
