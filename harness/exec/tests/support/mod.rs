//! Builds the fixture once and hands out what a test needs.
#![expect(clippy::unwrap_used, reason = "a failed preparation is a failed test")]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use shakedown_exec::build::flags::{Instrumentation, PROFILE, Sanitizer};
use shakedown_exec::command::CommandSpec;
use shakedown_exec::driver::runtime::{self, Sources};
use shakedown_exec::driver::wrapper::Substitution;
use shakedown_exec::engine::libfuzzer::Program;
use shakedown_exec::interrupt::Interrupt;
use shakedown_exec::libfuzzer::{ARCHIVE_VARIABLE, ArchiveRequest, ToolOutcome, archive};
use shakedown_exec::process::{Launcher, Limits, Outcome};

/// Starts programs; the guard is the example that cargo builds beside the tests.
pub(crate) fn launcher() -> Launcher {
    Launcher::new(client(), vec!["guard".into()], Interrupt::default())
}

/// `bench/driver-client.rs`. Cargo builds it with the tests, but not for `cargo test --test driver` alone.
fn client() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let client = test.parent().and_then(Path::parent).unwrap().join("examples/driver-client");
    assert!(client.is_file(), "first: cargo build -p shakedown-exec --example driver-client");
    client
}

/// A target of the fixture, without a sanitizer.
pub(crate) fn target(name: &str) -> Program {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(build);
    Program {
        command: CommandSpec::new(folder.join(name)),
        sanitizer: Sanitizer::None,
        inherited_asan_options: None,
        has_driver: true,
    }
}

fn build() -> PathBuf {
    let package = libfuzzer_sys();
    let substitution = Substitution { sources: prepare(&package), inner: None };
    let target_dir = kept(&format!("target-{}", substitution.sources.key()));
    let archive = fuzzer_archive(&package, &kept("archives"));
    let spec = cargo_build(&target_dir).arg("--bins").env(ARCHIVE_VARIABLE, archive);
    run(&substitution.apply(spec, &client()));
    assert_eq!(substitution.refusal(), None);
    target_dir.join(host()).join("release")
}

/// The same target as cargo-fuzz builds it: libfuzzer-sys as it is, with its own archive.
pub(crate) fn plain_target(name: &str) -> PathBuf {
    let target_dir = kept("plain");
    run(&cargo_build(&target_dir).arg("--bin").arg(name));
    target_dir.join(host()).join("release").join(name)
}

/// Builds libfuzzer-sys alone, with `substitute` in place of its own text. Returns why that was not taken, if it was not.
pub(crate) fn build_libfuzzer_sys(substitute: PathBuf, target_dir: &Path) -> Option<String> {
    let package = libfuzzer_sys();
    let sources = Sources { substitute, ..prepare(&package) };
    let substitution = Substitution { sources, inner: None };
    let archive = fuzzer_archive(&package, &kept("archives"));
    let spec = cargo_build(target_dir).args(["-p", "libfuzzer-sys"]).env(ARCHIVE_VARIABLE, archive);
    run(&substitution.apply(spec, &client()));
    substitution.refusal()
}

/// A target in C++ with the driver in it, all of it under AddressSanitizer and UndefinedBehaviorSanitizer. libFuzzer comes
/// from the archive; the driver there is passed over, since its functions are already defined.
pub(crate) fn sanitized_target(folder: &Path) -> Program {
    let package = libfuzzer_sys();
    let archive = fuzzer_archive(&package, &kept("archives"));
    let program = folder.join("plain");
    let mut spec = CommandSpec::new("c++")
        .args([
            "-fsanitize=address,undefined",
            "-fno-sanitize=object-size",
            "-fno-sanitize-recover=undefined",
            "-std=c++17",
            "-g",
            "-O1",
            "-I",
        ])
        .arg(package.join("libfuzzer"))
        .arg("-o")
        .arg(&program)
        .arg(fixture().join("src/plain.cpp"));
    for source in shakedown_driver::NATIVE_SOURCES {
        let path = folder.join(source.name);
        std::fs::write(&path, source.text).unwrap();
        if path.extension().is_some_and(|extension| extension == "cpp") {
            spec = spec.arg(path);
        }
    }
    run(&spec.arg(archive).arg("-lpthread"));
    Program {
        command: CommandSpec::new(program),
        sanitizer: Sanitizer::Address,
        inherited_asan_options: None,
        has_driver: true,
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../driver/fixture")
}

/// What outlives a run of the tests.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("driver-fixture").join(name)
}

fn prepare(package: &Path) -> Sources {
    runtime::prepare(&package.join("src/lib.rs"), &kept("runtime")).unwrap()
}

fn cargo_build(target_dir: &Path) -> CommandSpec {
    let rustflags = Instrumentation { sanitizer: Sanitizer::None }.rustflags(None);
    let spec = CommandSpec::new(env!("CARGO"))
        .args(["build", "--release", "--target", host().as_str(), "--target-dir"])
        .arg(target_dir)
        .cwd(fixture())
        .env("RUSTFLAGS", rustflags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    PROFILE.iter().fold(spec, |spec, (name, value)| spec.env(*name, *value))
}

fn fuzzer_archive(package: &Path, cache: &Path) -> PathBuf {
    let request = ArchiveRequest {
        sources: package.join("libfuzzer"),
        compiler: "c++".into(),
        cache: cache.to_owned(),
        jobs: std::thread::available_parallelism().unwrap(),
    };
    let text =
        |output: shakedown_exec::process::Output| String::from_utf8_lossy(&output.to_bytes()).into_owned();
    archive(&request, &|tool: &OsStr, args: &[OsString]| {
        let outcome = launcher().run(&CommandSpec::new(tool).args(args), &Limits::default()).unwrap();
        let success = outcome.exit.is_success();
        Ok(ToolOutcome { success, stdout: text(outcome.stdout), stderr: text(outcome.stderr) })
    })
    .unwrap()
}

/// The folder of the libfuzzer-sys that the fixture locks.
fn libfuzzer_sys() -> PathBuf {
    let spec = CommandSpec::new(env!("CARGO")).args(["metadata", "--format-version", "1"]).cwd(fixture());
    let limits = Limits { head_bytes_max: 64 << 20, ..Limits::default() };
    let outcome = launcher().run(&spec, &limits).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&outcome.stdout.to_bytes()).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let manifest = packages.iter().find(|package| package["name"] == "libfuzzer-sys").unwrap();
    Path::new(manifest["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn host() -> String {
    let outcome = run(&CommandSpec::new("rustc").args(["-vV"]));
    let said = String::from_utf8_lossy(&outcome.stdout.to_bytes()).into_owned();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn run(spec: &CommandSpec) -> Outcome {
    let outcome = launcher().run(spec, &Limits::default()).unwrap();
    assert!(outcome.exit.is_success(), "{spec}\n{}", outcome.stderr.last_lines(60));
    outcome
}

/// A folder of a test's own.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        std::fs::create_dir(self.path(name)).unwrap();
        self.path(name)
    }

    /// A file for each input, in their order.
    pub(crate) fn files(&self, inputs: &[&str]) -> Vec<PathBuf> {
        let write = |(index, input): (usize, &&str)| {
            let path = self.path(&format!("{index:03}"));
            std::fs::write(&path, input).unwrap();
            path
        };
        inputs.iter().enumerate().map(write).collect()
    }
}
