//! Cargo's `RUSTC_WRAPPER` for fuzz builds: compiles our copy of libfuzzer-sys's `lib.rs` in place of the original.
//!
//! Cargo starts this executable once for each crate, as `WRAPPER RUSTC ARG…`; [`run`] is its hidden mode. All but one
//! invocation are handed on untouched. Should the copy not compile, the original is, and a file says why. It runs under
//! cargo's jobserver, so it can't be a child of [`crate::process`]; cargo, which is, bounds it.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::command::CommandSpec;

/// The file that is replaced. Its presence in the environment tells our executable that cargo calls it, unless its
/// first argument is the guard's: the guard of a build inherits these variables too.
pub const ORIGINAL_VARIABLE: &str = "SHAKEDOWN_SUBSTITUTE_FOR";
/// The file that takes its place.
pub const SUBSTITUTE_VARIABLE: &str = "SHAKEDOWN_SUBSTITUTE";
/// The wrapper that the user had, which is called by ours.
pub const INNER_VARIABLE: &str = "SHAKEDOWN_INNER_RUSTC_WRAPPER";

/// What is replaced by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// libfuzzer-sys's `src/lib.rs`.
    pub original: PathBuf,
    /// Our copy ([`super::runtime::prepare`]).
    pub substitute: PathBuf,
    /// The user's own `RUSTC_WRAPPER`, for example sccache.
    pub inner: Option<OsString>,
}

impl Substitution {
    /// Makes a cargo build substitute. `executable` is this program.
    #[must_use]
    pub fn apply(&self, spec: CommandSpec, executable: &Path) -> CommandSpec {
        let spec = spec
            .env("RUSTC_WRAPPER", executable)
            .env(ORIGINAL_VARIABLE, &self.original)
            .env(SUBSTITUTE_VARIABLE, &self.substitute);
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
        self.substitute.with_extension("refused")
    }
}

/// The hidden mode: `args` are what cargo passed, the compiler first.
pub fn run(substitution: &Substitution, args: &[OsString]) -> ExitCode {
    let Some(changed) = substituted(args, substitution) else { return hand_on(substitution, args) };
    match try_substitute(substitution, &changed) {
        Ok(()) => ExitCode::SUCCESS,
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
    let original = substitution.original.canonicalize().ok()?;
    let is_original = |arg: &OsStr| {
        let path = Path::new(arg);
        path.extension().is_some_and(|extension| extension == "rs")
            && path.canonicalize().is_ok_and(|path| path == original)
    };
    let at = args.iter().position(|arg| is_original(arg)).filter(|_| is_crate)?;
    let mut changed = args.to_vec();
    changed[at] = substitution.substitute.clone().into();
    Some(changed)
}

fn try_substitute(substitution: &Substitution, args: &[OsString]) -> Result<(), String> {
    // The runtime uses two unstable features; the switch is for this one invocation.
    let output = command(substitution, args)
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(said);
    }
    // Cargo reads of artifacts from these lines.
    std::io::Write::write_all(&mut std::io::stderr(), &output.stderr).map_err(|error| error.to_string())
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
        Substitution { original: folder.join("src/lib.rs"), substitute: "/cache/lib.rs".into(), inner: None }
    }

    #[test]
    fn only_libfuzzer_sys_itself_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let substitution = substitution(folder.path());
        let original = substitution.original.to_str().unwrap();
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
