//! Cargo's `RUSTC_WRAPPER` for fuzz builds: compiles our copy of libfuzzer-sys's `lib.rs` in place of the original, after
//! the runtime that it calls.
//!
//! Cargo starts this executable once for each crate, as `WRAPPER RUSTC ARG…`; [`run`] is its hidden mode. All but one
//! invocation are handed on untouched. Should the copy not compile, the original is, and a file says why. It runs under
//! cargo's jobserver, so it can't be a child of [`crate::process`]; cargo, which is, bounds it.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use shakedown_driver::substitute::RUNTIME_CRATE;

use super::runtime::Sources;
use crate::command::CommandSpec;

/// The file that is replaced. Its presence in the environment tells our executable that cargo calls it, unless its
/// first argument is the guard's: the guard of a build inherits these variables too.
pub const ORIGINAL_VARIABLE: &str = "SHAKEDOWN_SUBSTITUTE_FOR";
/// The file that takes its place.
pub const SUBSTITUTE_VARIABLE: &str = "SHAKEDOWN_SUBSTITUTE";
/// The runtime that the substitute calls.
pub const RUNTIME_VARIABLE: &str = "SHAKEDOWN_RUNTIME";
/// The wrapper that the user had, which is called by ours.
pub const INNER_VARIABLE: &str = "SHAKEDOWN_INNER_RUSTC_WRAPPER";

/// What is replaced by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// What is compiled instead of what ([`super::runtime::prepare`]).
    pub sources: Sources,
    /// The user's own `RUSTC_WRAPPER`, for example sccache.
    pub inner: Option<OsString>,
}

impl Substitution {
    /// Makes a cargo build substitute. `executable` is this program.
    #[must_use]
    pub fn apply(&self, spec: CommandSpec, executable: &Path) -> CommandSpec {
        let spec = spec
            .env("RUSTC_WRAPPER", executable)
            .env(ORIGINAL_VARIABLE, &self.sources.original)
            .env(SUBSTITUTE_VARIABLE, &self.sources.substitute)
            .env(RUNTIME_VARIABLE, &self.sources.runtime);
        match &self.inner {
            Some(inner) => spec.env(INNER_VARIABLE, inner),
            None => spec.env_remove(INNER_VARIABLE),
        }
    }

    /// Why the last build compiled the original after all: what the compiler said about the copy.
    pub fn refusal(&self) -> Option<String> {
        std::fs::read_to_string(self.refusal_file()).ok()
    }

    fn refusal_file(&self) -> PathBuf {
        self.sources.substitute.with_extension("refused")
    }
}

/// The hidden mode: `args` are what cargo passed, the compiler first.
pub fn run(substitution: &Substitution, args: &[OsString]) -> ExitCode {
    let Some(changed) = substituted(args, substitution) else { return hand_on(substitution, args) };
    match try_substitute(substitution, changed) {
        Ok(()) => {
            // Usually there is none; one of an older compiler is no longer true.
            drop(std::fs::remove_file(substitution.refusal_file()));
            ExitCode::SUCCESS
        }
        Err(why) => {
            // If even this can't be written, the driver still says that it has no runtime.
            drop(std::fs::write(substitution.refusal_file(), why));
            hand_on(substitution, args)
        }
    }
}

/// The arguments with the copy in place of the original, if this invocation compiles the original.
fn substituted(args: &[OsString], substitution: &Substitution) -> Option<Vec<OsString>> {
    let is_crate = args.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == "libfuzzer_sys");
    let original = substitution.sources.original.canonicalize().ok()?;
    let is_original = |arg: &OsStr| {
        let path = Path::new(arg);
        path.extension().is_some_and(|extension| extension == "rs")
            && path.canonicalize().is_ok_and(|path| path == original)
    };
    let at = args.iter().position(|arg| is_original(arg)).filter(|_| is_crate)?;
    let mut changed = args.to_vec();
    changed[at] = substitution.sources.substitute.clone().into();
    Some(changed)
}

/// Compiles the runtime, then the copy against it.
fn try_substitute(substitution: &Substitution, mut args: Vec<OsString>) -> Result<(), String> {
    let folder = value_of(&args, "--out-dir").ok_or("cargo gave no --out-dir")?;
    let said = compile(substitution, &runtime_args(substitution, &args, &folder))?;
    let mut external = OsString::from(RUNTIME_CRATE);
    external.push("=");
    external.push(Path::new(&folder).join(format!("lib{RUNTIME_CRATE}.rlib")));
    args.extend([OsString::from("--extern"), external]);
    let said = [said, compile(substitution, &args)?].concat();
    // Cargo reads of artifacts from these lines.
    std::io::Write::write_all(&mut std::io::stderr(), &said).map_err(|error| error.to_string())
}

/// The invocation for the runtime: none of the project's flags, so that it is not instrumented.
fn runtime_args(substitution: &Substitution, args: &[OsString], folder: &OsStr) -> Vec<OsString> {
    let mut ours: Vec<OsString> = args.first().cloned().into_iter().collect();
    let fixed = ["--crate-name", RUNTIME_CRATE, "--crate-type=lib", "--edition=2021", "--cap-lints=allow"];
    ours.extend(fixed.iter().map(OsString::from));
    ours.extend(
        ["-Copt-level=3", "-Cpanic=unwind", "-Cdebuginfo=line-tables-only", "-Ccodegen-units=1"]
            .map(OsString::from),
    );
    ours.extend(["--error-format=json", "--emit=link", "--out-dir"].map(OsString::from));
    ours.push(folder.to_owned());
    if let Some(target) = value_of(args, "--target") {
        ours.extend([OsString::from("--target"), target]);
    }
    ours.push(substitution.sources.runtime.clone().into());
    ours
}

/// The value of `flag`, as its own word or after an equals sign.
fn value_of(args: &[OsString], flag: &str) -> Option<OsString> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if word == flag {
            return words.next().cloned();
        }
        let attached = word.to_str().and_then(|word| word.strip_prefix(flag)?.strip_prefix('='));
        if let Some(value) = attached {
            return Some(value.into());
        }
    }
    None
}

/// Runs the compiler. What it says is for cargo if it succeeds, and the reason if not.
fn compile(substitution: &Substitution, args: &[OsString]) -> Result<Vec<u8>, String> {
    let output = command(substitution, args)
        // The runtime uses two unstable features; the switch is for these invocations alone.
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(output.stderr)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Becomes the compiler.
fn hand_on(substitution: &Substitution, args: &[OsString]) -> ExitCode {
    let error = command(substitution, args).exec();
    drop(std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("failed to start the compiler: {error}\n"),
    ));
    ExitCode::FAILURE
}

#[expect(
    clippy::disallowed_methods,
    reason = "a compiler belongs to cargo, which waits for it and passes it its jobserver"
)]
fn command(substitution: &Substitution, args: &[OsString]) -> Command {
    let mut words = substitution.inner.iter().chain(args);
    let mut command = Command::new(words.next().map_or(OsStr::new("rustc"), OsString::as_os_str));
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn substitution(folder: &Path) -> Substitution {
        std::fs::create_dir_all(folder.join("src")).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "original").unwrap();
        let sources = Sources {
            original: folder.join("src/lib.rs"),
            substitute: "/cache/lib.rs".into(),
            runtime: "/cache/runtime.rs".into(),
        };
        Substitution { sources, inner: None }
    }

    #[test]
    fn only_libfuzzer_sys_itself_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let substitution = substitution(folder.path());
        let original = substitution.sources.original.to_str().unwrap();
        let ours =
            args(&["rustc", "--crate-name", "libfuzzer_sys", "--edition=2018", original, "--emit=link"]);
        let changed = substituted(&ours, &substitution).unwrap();
        assert_eq!(changed[4], "/cache/lib.rs");
        assert_eq!((&changed[..4], &changed[5..]), (&ours[..4], &ours[5..]));
        let other_crate = args(&["rustc", "--crate-name", "serde", original]);
        assert_eq!(substituted(&other_crate, &substitution), None);
        let other_file = args(&["rustc", "--crate-name", "libfuzzer_sys", "/elsewhere/lib.rs"]);
        assert_eq!(substituted(&other_file, &substitution), None);
    }

    #[test]
    fn the_runtime_has_the_projects_target_and_none_of_its_flags() {
        let folder = tempfile::tempdir().unwrap();
        let cargo = args(&["rustc", "--crate-name", "libfuzzer_sys", "--target=x", "-Cpasses=sancov-module"]);
        let ours = runtime_args(&substitution(folder.path()), &cargo, OsStr::new("/deps"));
        assert_eq!(value_of(&ours, "--target").unwrap(), "x");
        assert_eq!(value_of(&ours, "--out-dir").unwrap(), "/deps");
        assert_eq!(ours.last().unwrap(), "/cache/runtime.rs");
        assert!(!ours.iter().any(|arg| arg == "-Cpasses=sancov-module"));
    }

    #[test]
    fn the_users_own_wrapper_is_still_called() {
        let folder = tempfile::tempdir().unwrap();
        let with_inner = Substitution { inner: Some("sccache".into()), ..substitution(folder.path()) };
        let command = command(&with_inner, &args(&["rustc", "-vV"]));
        assert_eq!(command.get_program(), "sccache");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["rustc", "-vV"]);
        let line = with_inner.apply(CommandSpec::new("cargo"), Path::new("/bin/shakedown")).to_string();
        assert!(line.contains("RUSTC_WRAPPER=/bin/shakedown"), "{line}");
        assert!(line.contains("SHAKEDOWN_INNER_RUSTC_WRAPPER=sccache"), "{line}");
    }
}
