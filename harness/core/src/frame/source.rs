//! What a source path says: the toolchain, a published crate, or the project's own tree.
//!
//! The same file has another path on every machine (`/home/me/..`, `/build/..`, another registry index, another toolchain),
//! so nothing before the crate's own folder is kept.

use std::sync::LazyLock;

use memchr::memmem::Finder;

// Built once: every frame of every log is asked, and a search on a short text costs most at its start.
static RUST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/rust"));
static REGISTRY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/registry/src/"));
static CHECKOUTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/git/checkouts/"));

/// Where a source file belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants say what `krate` and `path` are")]
pub enum Source<'a> {
    /// The Rust standard library: crate and path inside it.
    RustStd { krate: &'a str, path: &'a str },
    /// A crate from a registry or a git checkout of cargo: name without version, path inside it.
    Published { krate: &'a str, path: &'a str },
    /// C and C++ runtimes, the sanitizers and libFuzzer itself.
    Runtime,
    /// Anything else: the project's tree, as a path from the crate's (or repository's) source folder.
    Project { path: &'a str },
}

/// Sorts `file` by where it belongs.
pub fn source_of(file: &str) -> Source<'_> {
    if let Some((krate, path)) = rust_std(file) {
        return Source::RustStd { krate, path };
    }
    if let Some((krate, path)) = published(file) {
        return Source::Published { krate, path };
    }
    if file.starts_with("node:") {
        return Source::Runtime;
    }
    // No runtime among them is written in Rust, and most files are.
    if extension(file) != "rs" && is_runtime(file) {
        return Source::Runtime;
    }
    Source::Project { path: project_path(file) }
}

/// What follows the last dot of the last component; empty without one.
pub fn extension(file: &str) -> &str {
    let dot = memchr::memrchr3(b'.', b'/', b'\\', file.as_bytes()).filter(|at| file.as_bytes()[*at] == b'.');
    dot.map_or("", |at| &file[at + 1..])
}

/// Whether a path has a folder that a C or C++ runtime's own build uses, and that would be no project's choice.
fn is_runtime(file: &str) -> bool {
    let (mut before, mut previous) = ("", "");
    for part in file.split(['/', '\\']) {
        let is_runtime = match part {
            "compiler-rt" | "sanitizer_common" | "sysdeps" | "nptl" | "libstdc++-v3" | "libcxx"
            | "libcxxabi" | "libc++" | "libc++abi" => true,
            "c++" => previous == "include",
            "abort.c" | "exit.c" => previous == "stdlib",
            "malloc.c" => previous == "malloc",
            _ if part.starts_with("Fuzzer") => {
                matches!(previous, "libfuzzer" | "fuzzer" | "src") && before != "src"
            }
            _ => ["glibc-", "eglibc-", "libc-start"].iter().any(|start| part.starts_with(start)),
        };
        // glibc is built as `stdlib/./stdlib/abort.c`.
        let is_glibc = previous == "." && part == before && !part.is_empty();
        if is_runtime || is_glibc {
            return true;
        }
        (before, previous) = (previous, part);
    }
    false
}

/// The path from the crate's folder on: `src/elf/mod.rs`, `fuzz_targets/k.rs`.
fn project_path(file: &str) -> &str {
    const CRATE_FOLDERS: [&str; 6] =
        ["/src/", "/fuzz_targets/", "/tests/", "/benches/", "/examples/", "/hfuzz_targets/"];
    let cut =
        CRATE_FOLDERS.iter().filter_map(|folder| file.rfind(folder)).min_by_key(|at| std::cmp::Reverse(*at));
    let cut = if extension(file) == "rs" { cut } else { None };
    match cut {
        Some(at) => &file[at + 1..],
        None if extension(file) == "rs" && !file.starts_with('/') => file,
        None => file.rsplit(['/', '\\']).next().unwrap_or(file),
    }
}

/// Crate and path of a standard library file in every spelling since 1.0.
fn rust_std(file: &str) -> Option<(&str, &str)> {
    let rest = match RUST.find(file.as_bytes()) {
        Some(_) => below_rust_folder(file)?,
        None if file.starts_with("/checkout/") => &file[file.rfind("/src/")? + 1..],
        None => file.strip_prefix("../").unwrap_or(file),
    };
    if let Some(rest) = rest.strip_prefix("/deps/") {
        let (package, path) = rest.split_once('/')?;
        return Some((without_version(package), path));
    }
    if let Some(rest) = rest.strip_prefix("library/") {
        let (krate, path) = rest.split_once('/')?;
        return is_std_crate(krate).then_some((krate, path));
    }
    let (krate, path) = rest.strip_prefix("src/lib")?.split_once('/')?;
    is_std_crate(krate).then_some((krate, path))
}

/// Like `str::find`, but fast to start, which is what counts on short texts.
fn find(text: &str, needle: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes())
}

/// What follows the folder of a toolchain's sources, in a path with `/rust` in it.
fn below_rust_folder(file: &str) -> Option<&str> {
    if let Some(at) = find(file, "/rustc/") {
        let rest = &file[at + "/rustc/".len()..];
        return if rest.starts_with("llvm/") { None } else { rest.split_once('/').map(|(_hash, rest)| rest) };
    }
    if let Some(at) = find(file, "/lib/rustlib/src/rust/") {
        return Some(&file[at + "/lib/rustlib/src/rust/".len()..]);
    }
    if let Some(at) = find(file, "/rust/deps/") {
        return Some(&file[at + "/rust".len()..]);
    }
    let is_checkout = file.contains("/rust-buildbot/") || file.contains("/rust/src/lib");
    if is_checkout { file.rfind("/src/").map(|at| &file[at + 1..]) } else { Some(file) }
}

/// Crates that the toolchain ships and no project would name its own folder after.
fn is_std_crate(krate: &str) -> bool {
    const EXTRA: [&str; 9] = [
        "collections",
        "panic_unwind",
        "panic_abort",
        "unwind",
        "backtrace",
        "stdarch",
        "portable-simd",
        "rand",
        "rustrt",
    ];
    super::origin::RUST_STD_CRATES.contains(&krate) || EXTRA.contains(&krate)
}

/// Crate and path of a file below cargo's registry or git checkouts, or below a vendor folder.
fn published(file: &str) -> Option<(&str, &str)> {
    if let Some(at) = REGISTRY.find(file.as_bytes()) {
        let (_index, rest) = file[at + "/registry/src/".len()..].split_once('/')?;
        let (package, path) = rest.split_once('/')?;
        return Some((without_version(package), path));
    }
    if let Some(at) = CHECKOUTS.find(file.as_bytes()) {
        let (package, rest) = file[at + "/git/checkouts/".len()..].split_once('/')?;
        let (_revision, path) = rest.split_once('/')?;
        let name = package.rsplit_once('-').map_or(package, |(name, _hash)| name);
        return Some((name, path));
    }
    None
}

/// `goblin-0.0.10` → `goblin`: cut at the first hyphen that a digit follows.
fn without_version(package: &str) -> &str {
    let cut = package
        .match_indices('-')
        .find(|(at, _)| package[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    cut.map_or(package, |(at, _)| &package[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expect: Source<'_>) {
        assert_eq!(source_of(file), expect, "{file}");
    }

    #[test]
    fn the_standard_library_is_known_in_every_spelling() {
        let hash = "/rustc/e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a";
        check(
            &format!("{hash}/library/core/src/result.rs"),
            Source::RustStd { krate: "core", path: "src/result.rs" },
        );
        check(&format!("{hash}/src/libcore/option.rs"), Source::RustStd { krate: "core", path: "option.rs" });
        check("src/libstd/panicking.rs", Source::RustStd { krate: "std", path: "panicking.rs" });
        check("../src/libstd/panicking.rs", Source::RustStd { krate: "std", path: "panicking.rs" });
        check("library/std/src/panicking.rs", Source::RustStd { krate: "std", path: "src/panicking.rs" });
        check("/checkout/src/liballoc/vec.rs", Source::RustStd { krate: "alloc", path: "vec.rs" });
        check(
            "/rust/deps/hashbrown-0.15.5/src/raw/mod.rs",
            Source::RustStd { krate: "hashbrown", path: "src/raw/mod.rs" },
        );
        let installed = "/root/.rustup/toolchains/nightly/lib/rustlib/src/rust/library/alloc/src/vec/mod.rs";
        check(installed, Source::RustStd { krate: "alloc", path: "src/vec/mod.rs" });
    }

    #[test]
    fn a_published_crate_keeps_its_name_and_loses_index_version_and_home() {
        let old = "/home/ci/.cargo/registry/src/github.com-1ecc6299db9ec823/goblin-0.0.10/src/elf/mod.rs";
        let new = "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/goblin-0.0.11/src/elf/mod.rs";
        assert_eq!(source_of(old), source_of(new));
        check(old, Source::Published { krate: "goblin", path: "src/elf/mod.rs" });
        let git = "/root/.cargo/git/checkouts/my-lib-0123456789abcdef/abc1234/crates/x/src/lib.rs";
        check(git, Source::Published { krate: "my-lib", path: "crates/x/src/lib.rs" });
    }

    #[test]
    fn a_project_file_is_the_same_in_every_checkout() {
        check("/home/me/checkout-2/src/parse.rs", Source::Project { path: "src/parse.rs" });
        check("src/parse.rs", Source::Project { path: "src/parse.rs" });
        check("/build/kinds/fuzz/fuzz_targets/k.rs", Source::Project { path: "fuzz_targets/k.rs" });
        check("/src/project/lib/decode.cc", Source::Project { path: "decode.cc" });
        check("library/shelf/src/book.rs", Source::Project { path: "src/book.rs" });
    }

    #[test]
    fn runtimes_are_known_by_their_own_folders() {
        check("/rustc/llvm/src/llvm-project/compiler-rt/lib/asan/asan_stack.cpp", Source::Runtime);
        check("csu/../sysdeps/nptl/libc_start_call_main.h", Source::Runtime);
        check("./csu/../csu/libc-start.c", Source::Runtime);
        check("/r/libfuzzer-sys-0.4.13/libfuzzer/FuzzerLoop.cpp", Source::Runtime);
    }
}
