//! What a source path says: the toolchain, a published crate, or the project's own tree.
//!
//! The same file has another path on every machine (`/home/me/..`, `/build/..`, another registry index, another toolchain),
//! so nothing before the crate's own folder is kept.

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

/// Folders of C and C++ runtimes. Each is a name that the runtime's own build uses; none would be a project's choice.
const RUNTIME_FOLDERS: [&str; 22] = [
    "/compiler-rt/",
    "/sanitizer_common/",
    "/libfuzzer/Fuzzer",
    "/lib/fuzzer/Fuzzer",
    "/libFuzzer/src/Fuzzer",
    "/glibc-",
    "/eglibc-",
    "/sysdeps/",
    "/csu/libc-start.c",
    "/csu/../",
    "/nptl/",
    "/stdlib/abort.c",
    "/stdlib/exit.c",
    "/malloc/malloc.c",
    "/libstdc++-v3/",
    "/include/c++/",
    "/libcxx/",
    "/libcxxabi/",
    "/libc++/src/",
    "/libc++abi/",
    "/bits/stl_",
    "/usr/lib/gcc/",
];

/// The same, where the path is relative to the runtime's own build folder.
const RUNTIME_PREFIXES: [&str; 12] = [
    "csu/",
    "nptl/",
    "signal/../sysdeps",
    "stdlib/./stdlib",
    "stdlib/abort.c",
    "stdlib/exit.c",
    "misc/../sysdeps",
    "string/../sysdeps",
    "malloc/./malloc",
    "assert/./assert",
    "debug/./debug",
    "./nptl/",
];

/// Sorts `file` by where it belongs.
pub fn source_of(file: &str) -> Source<'_> {
    if let Some((krate, path)) = rust_std(file) {
        return Source::RustStd { krate, path };
    }
    if let Some((krate, path)) = published(file) {
        return Source::Published { krate, path };
    }
    // No runtime among them is written in Rust, and most files are.
    if file.ends_with(".rs") {
        return Source::Project { path: project_path(file) };
    }
    let is_runtime = RUNTIME_FOLDERS.iter().any(|folder| file.contains(folder))
        || RUNTIME_PREFIXES.iter().any(|prefix| file.strip_prefix("./").unwrap_or(file).starts_with(prefix));
    if is_runtime { Source::Runtime } else { Source::Project { path: project_path(file) } }
}

/// The path from the crate's folder on: `src/elf/mod.rs`, `fuzz_targets/k.rs`.
fn project_path(file: &str) -> &str {
    const CRATE_FOLDERS: [&str; 6] =
        ["/src/", "/fuzz_targets/", "/tests/", "/benches/", "/examples/", "/hfuzz_targets/"];
    let cut =
        CRATE_FOLDERS.iter().filter_map(|folder| file.rfind(folder)).min_by_key(|at| std::cmp::Reverse(*at));
    let cut = if file.ends_with(".rs") { cut } else { None };
    match cut {
        Some(at) => &file[at + 1..],
        None if file.ends_with(".rs") && !file.starts_with('/') => file,
        None => file.rsplit(['/', '\\']).next().unwrap_or(file),
    }
}

/// Crate and path of a standard library file in every spelling since 1.0.
fn rust_std(file: &str) -> Option<(&str, &str)> {
    let rest = if let Some(at) = file.find("/rustc/") {
        let rest = &file[at + "/rustc/".len()..];
        if rest.starts_with("llvm/") {
            return None;
        }
        rest.split_once('/')?.1
    } else if let Some(at) = file.find("/lib/rustlib/src/rust/") {
        &file[at + "/lib/rustlib/src/rust/".len()..]
    } else if let Some(at) = file.find("/rust/deps/") {
        let (package, path) = file[at + "/rust/deps/".len()..].split_once('/')?;
        return Some((without_version(package), path));
    } else if file.contains("/rust-buildbot/")
        || file.starts_with("/checkout/")
        || file.contains("/rust/src/lib")
    {
        &file[file.rfind("/src/")? + 1..]
    } else {
        file.strip_prefix("../").unwrap_or(file)
    };
    if let Some(rest) = rest.strip_prefix("library/") {
        let (krate, path) = rest.split_once('/')?;
        return is_std_crate(krate).then_some((krate, path));
    }
    let (krate, path) = rest.strip_prefix("src/lib")?.split_once('/')?;
    is_std_crate(krate).then_some((krate, path))
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
    if let Some(at) = file.find("/registry/src/") {
        let (_index, rest) = file[at + "/registry/src/".len()..].split_once('/')?;
        let (package, path) = rest.split_once('/')?;
        return Some((without_version(package), path));
    }
    if let Some(at) = file.find("/git/checkouts/") {
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
