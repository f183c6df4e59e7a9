//! What is linked into a fuzz target beside libFuzzer, carried inside the `shakedown` binary as text.
//!
//! Nothing here runs in the harness: `exec::libfuzzer` compiles the [`NATIVE_SOURCES`] into the archive that
//! libfuzzer-sys links, and `exec::driver` speaks with the result. The words between the two are written down in
//! `docs/driver.md`. [`substitute`] changes the text of the user's libfuzzer-sys so that panics can be caught.
//!
//! Reading order of the C++: `main`, then `serve`, `fork`, `minimise` (inputs from the harness) or `fuzz`, `notes`,
//! `state`, `restart` (libFuzzer), on top of `execute`, `panic`, `death`, `stack`, `crash`, `wire`.
#![forbid(unsafe_code)]

pub mod substitute;

/// The version of the protocol that [`NATIVE_SOURCES`] speak; it is in their `wire.h` too.
pub const PROTOCOL_VERSION: u32 = 1;

/// A C++ file of the driver.
#[derive(Debug, Clone, Copy)]
pub struct NativeSource {
    /// Its name; `.cpp` files are compiled, `.h` files lie beside them.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! native_sources {
    ($($name:literal),* $(,)?) => {
        &[$(NativeSource { name: $name, text: include_str!(concat!("../native/", $name)) }),*]
    };
}

/// The driver: it has the program's `main`, and takes the place of libFuzzer's `FuzzerMain.cpp`.
pub const NATIVE_SOURCES: &[NativeSource] = native_sources![
    "main.cpp",
    "serve.h",
    "serve.cpp",
    "fork.h",
    "fork.cpp",
    "minimise.h",
    "minimise.cpp",
    "fuzz.h",
    "fuzz.cpp",
    "notes.h",
    "notes.cpp",
    "state.h",
    "state.cpp",
    "restart.h",
    "restart.cpp",
    "execute.h",
    "execute.cpp",
    "panic.h",
    "panic.cpp",
    "death.cpp",
    "stack.h",
    "stack.cpp",
    "crash.h",
    "crash.cpp",
    "wire.h",
    "wire.cpp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_native_side_speaks_the_same_version() {
        let wire = NATIVE_SOURCES.iter().find(|source| source.name == "wire.h").unwrap();
        assert!(wire.text.contains(&format!("ProtocolVersion = {PROTOCOL_VERSION};")));
    }
}
