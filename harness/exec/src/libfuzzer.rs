//! libFuzzer and our driver as one static archive, compiled once per machine.
//!
//! libfuzzer-sys compiles its copy of libFuzzer for every project and build directory: most of a cold build. It links
//! the archive named by [`ARCHIVE_VARIABLE`] instead, where that is set. One archive serves every sanitizer, toolchain
//! and profile, because libFuzzer itself is never instrumented. This module does not decide where the cache lies.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use shakedown_core::input::InputId;
use shakedown_driver::NATIVE_SOURCES;

/// Tells libfuzzer-sys's build script (0.3 and 0.4) to link this archive and compile nothing.
pub const ARCHIVE_VARIABLE: &str = "CUSTOM_LIBFUZZER_PATH";

/// libFuzzer's own `main`, which the driver's replaces.
const REPLACED_SOURCE: &str = "FuzzerMain.cpp";

/// What libfuzzer-sys's build script has `cc` pass in a release build with line tables (0.4.13 with cc 1.2; 0.3 differs
/// in `-std=c++11` only, and its sources are also valid C++17). `-g1` instead of `-g`: the same code, a third of the size.
const FLAGS: &[&str] = &[
    "-O3",
    "-ffunction-sections",
    "-fdata-sections",
    "-fPIC",
    "-g1",
    "-gdwarf-4",
    "-fno-omit-frame-pointer",
    #[cfg(target_arch = "x86_64")]
    "-mno-omit-leaf-frame-pointer",
    "-std=c++17",
    "-w",
];

/// What to compile, with what, and where the result is kept.
#[derive(Debug, Clone)]
pub struct ArchiveRequest {
    /// The folder `libfuzzer` in the package directory of the project's locked libfuzzer-sys.
    pub sources: PathBuf,
    /// The C++ compiler, as the user names it (`CXX`, else `c++`).
    pub compiler: OsString,
    /// Where archives are kept, one folder a key; shared by all projects and processes of this user.
    pub cache: PathBuf,
    /// How many compilers run at once.
    pub jobs: NonZeroUsize,
}

/// How a compiler or archiver ended.
#[derive(Debug, Clone)]
pub struct ToolOutcome {
    /// Whether it reported success.
    pub success: bool,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error, or the end of it.
    pub stderr: String,
}

/// Runs a program with arguments to its end. The caller gives `exec::process`; a test gives a fake.
pub trait RunTool: Fn(&OsStr, &[OsString]) -> io::Result<ToolOutcome> + Sync {}
impl<F: Fn(&OsStr, &[OsString]) -> io::Result<ToolOutcome> + Sync> RunTool for F {}

/// Why there is no archive. The build still works without one: libfuzzer-sys then compiles its own, without our driver.
#[derive(Debug, thiserror::Error)]
pub enum LibfuzzerError {
    /// The folder can't be read, or holds no C++.
    #[error("failed to read libFuzzer's sources in `{}`", path.display())]
    Sources {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cache can't be written.
    #[error("failed to write `{}` in the cache of compiled libFuzzers", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The compiler or archiver isn't there.
    #[error("failed to start `{}`, which compiles libFuzzer", tool.display())]
    NoTool {
        /// The program.
        tool: OsString,
        /// What the system said.
        source: io::Error,
    },
    /// The compiler or archiver refused.
    #[error("`{}` failed to compile libFuzzer's `{what}`:\n{stderr}", tool.display())]
    Compile {
        /// The program.
        tool: OsString,
        /// The source file, or the archive.
        what: String,
        /// The end of what it printed.
        stderr: String,
    },
}

/// The archive for `request`, compiled now unless an earlier call of any process on this machine already did.
///
/// The file appears complete or not at all. Two processes that come at once may both compile; one result is kept.
pub fn archive(request: &ArchiveRequest, run: &impl RunTool) -> Result<PathBuf, LibfuzzerError> {
    let sources = read_sources(&request.sources)?;
    let key = key(&sources, &compiler_version(request, run)?);
    let folder = request.cache.join(key);
    let finished = folder.join("libshakedown_fuzzer.a");
    if finished.is_file() {
        return Ok(finished);
    }
    create_folder(&folder)?;
    let cache_error = |source| LibfuzzerError::Cache { path: folder.clone(), source };
    let work = tempfile::Builder::new().prefix("build-").tempdir_in(&folder).map_err(cache_error)?;
    let built = compile(request, run, &sources, work.path())?;
    fs::rename(&built, &finished).map_err(cache_error)?;
    Ok(finished)
}

/// A file of libFuzzer: name and bytes, so that what is hashed is what is compiled.
struct SourceFile {
    name: String,
    bytes: Vec<u8>,
}

fn read_sources(folder: &Path) -> Result<Vec<SourceFile>, LibfuzzerError> {
    let failed = |path: &Path, source| LibfuzzerError::Sources { path: path.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
        if matches!(path.extension().and_then(OsStr::to_str), Some("cpp" | "h" | "def")) {
            let bytes = fs::read(&path).map_err(|source| failed(&path, source))?;
            files.push(SourceFile { name: name.to_owned(), bytes });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.iter().any(|file| file.name == "FuzzerDriver.cpp") {
        Ok(files)
    } else {
        Err(failed(folder, io::Error::new(io::ErrorKind::NotFound, "there is no FuzzerDriver.cpp in it")))
    }
}

/// Everything that the archive's bytes depend on, hashed.
fn key(sources: &[SourceFile], compiler_version: &str) -> String {
    let mut all = Vec::new();
    let driver = NATIVE_SOURCES.iter().map(|source| (source.name, source.text.as_bytes()));
    let libfuzzer = sources.iter().map(|file| (file.name.as_str(), file.bytes.as_slice()));
    let settings = [("flags", FLAGS.join(" ")), ("compiler", compiler_version.to_owned())];
    let settings = settings.iter().map(|(name, value)| (*name, value.as_bytes()));
    for (name, bytes) in settings.chain(driver).chain(libfuzzer) {
        all.extend_from_slice(format!("{name} {}\n", bytes.len()).as_bytes());
        all.extend_from_slice(bytes);
    }
    InputId::of(&all).as_str()[..32].to_owned()
}

/// The path is part of it: two compilers can print the same version and differ in their patches and targets.
fn compiler_version(request: &ArchiveRequest, run: &impl RunTool) -> Result<String, LibfuzzerError> {
    let outcome = run_tool(run, &request.compiler, &["--version".into()], "--version")?;
    Ok(format!("{}\n{}", request.compiler.display(), outcome.stdout))
}

fn compile(
    request: &ArchiveRequest,
    run: &impl RunTool,
    sources: &[SourceFile],
    work: &Path,
) -> Result<PathBuf, LibfuzzerError> {
    let libfuzzer = work.join("libfuzzer");
    let driver = work.join("driver");
    for file in sources {
        write(&libfuzzer.join(&file.name), &file.bytes)?;
    }
    for source in NATIVE_SOURCES {
        write(&driver.join(source.name), source.text.as_bytes())?;
    }
    let objects = compile_all(request, run, &units(sources, &libfuzzer, &driver), &libfuzzer)?;
    let built = work.join("built.a");
    let mut args = vec![OsString::from("crs"), built.clone().into()];
    args.extend(objects.into_iter().map(OsString::from));
    run_tool(run, OsStr::new("ar"), &args, "archive")?;
    Ok(built)
}

/// The files to compile, the slowest first so that no core waits for them at the end.
fn units(sources: &[SourceFile], libfuzzer: &Path, driver: &Path) -> Vec<PathBuf> {
    let is_unit = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "cpp");
    let mut by_size: Vec<&SourceFile> =
        sources.iter().filter(|file| is_unit(&file.name) && file.name != REPLACED_SOURCE).collect();
    by_size.sort_by_key(|file| std::cmp::Reverse(file.bytes.len()));
    let driver =
        NATIVE_SOURCES.iter().filter(|source| is_unit(source.name)).map(|source| driver.join(source.name));
    by_size.into_iter().map(|file| libfuzzer.join(&file.name)).chain(driver).collect()
}

fn compile_all(
    request: &ArchiveRequest,
    run: &impl RunTool,
    units: &[PathBuf],
    include: &Path,
) -> Result<Vec<PathBuf>, LibfuzzerError> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = || {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = compile_one(request, run, unit, include) {
                next.store(units.len(), Ordering::Relaxed);
                *failure.lock().expect("no holder of this lock panics") = Some(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..request.jobs.get().min(units.len()) {
            scope.spawn(work);
        }
    });
    match failure.into_inner().expect("no holder of this lock panics") {
        Some(error) => Err(error),
        None => Ok(units.iter().map(|unit| unit.with_extension("o")).collect()),
    }
}

fn compile_one(
    request: &ArchiveRequest,
    run: &impl RunTool,
    unit: &Path,
    include: &Path,
) -> Result<(), LibfuzzerError> {
    let mut args: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
    args.extend([OsString::from("-I"), include.into(), "-o".into(), unit.with_extension("o").into()]);
    args.extend([OsString::from("-c"), unit.into()]);
    let name = unit.file_name().unwrap_or_default().to_string_lossy();
    run_tool(run, &request.compiler, &args, &name).map(drop)
}

fn run_tool(
    run: &impl RunTool,
    tool: &OsStr,
    args: &[OsString],
    what: &str,
) -> Result<ToolOutcome, LibfuzzerError> {
    let outcome =
        run(tool, args).map_err(|source| LibfuzzerError::NoTool { tool: tool.to_owned(), source })?;
    if outcome.success {
        Ok(outcome)
    } else {
        let (tool, what) = (tool.to_owned(), what.to_owned());
        Err(LibfuzzerError::Compile { tool, what, stderr: outcome.stderr })
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), LibfuzzerError> {
    create_folder(path.parent().expect("a file in a build has a folder"))?;
    fs::write(path, bytes).map_err(|source| LibfuzzerError::Cache { path: path.to_path_buf(), source })
}

fn create_folder(path: &Path) -> Result<(), LibfuzzerError> {
    fs::create_dir_all(path).map_err(|source| LibfuzzerError::Cache { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests;
