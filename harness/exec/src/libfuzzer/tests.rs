use std::sync::atomic::AtomicUsize;

use super::*;

/// A compiler that notes how often it ran and writes what it was asked for.
struct FakeTools {
    n_compiled: AtomicUsize,
    refuses: Option<&'static str>,
}

impl FakeTools {
    fn new() -> Self {
        Self { n_compiled: AtomicUsize::new(0), refuses: None }
    }

    fn run(&self, tool: &OsStr, args: &[OsString]) -> io::Result<ToolOutcome> {
        if tool == "missing-c++" {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let last = args.last().and_then(|arg| arg.to_str()).unwrap_or_default();
        let success = self.refuses.is_none_or(|name| !last.ends_with(name));
        if args.first().is_some_and(|arg| arg == "crs") {
            fs::write(&args[1], b"!<arch>\n")?;
        } else if args.len() > 1 {
            self.n_compiled.fetch_add(1, Ordering::Relaxed);
            fs::write(Path::new(last).with_extension("o"), b"object")?;
        }
        Ok(ToolOutcome { success, stdout: "c++ 1.0".into(), stderr: "it said no".into() })
    }
}

fn request(root: &Path) -> ArchiveRequest {
    let sources = root.join("libfuzzer");
    fs::create_dir_all(&sources).unwrap();
    for name in ["FuzzerDriver.cpp", "FuzzerMain.cpp", "FuzzerDefs.h"] {
        fs::write(sources.join(name), name).unwrap();
    }
    let jobs = NonZeroUsize::new(2).unwrap();
    ArchiveRequest { sources, compiler: "c++".into(), cache: root.join("cache"), jobs }
}

fn scratch(name: &str) -> PathBuf {
    let root = std::env::temp_dir().join(format!("shakedown-libfuzzer-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&root); // Left by an earlier, killed test; usually there is none.
    fs::create_dir_all(&root).unwrap();
    root
}

#[test]
fn the_second_call_compiles_nothing() {
    let root = scratch("second");
    let tools = FakeTools::new();
    let run = |tool: &OsStr, args: &[OsString]| tools.run(tool, args);
    let first = archive(&request(&root), &run).unwrap();
    let n_compiled = tools.n_compiled.load(Ordering::Relaxed);
    assert!(first.is_file() && n_compiled > 0);
    assert_eq!(archive(&request(&root), &run).unwrap(), first);
    assert_eq!(tools.n_compiled.load(Ordering::Relaxed), n_compiled);
    assert_eq!(fs::read_dir(first.parent().unwrap()).unwrap().count(), 1, "nothing but the archive is left");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn libfuzzers_own_main_is_left_out_and_ours_is_in() {
    let root = scratch("main");
    let names = Mutex::new(Vec::new());
    let tools = FakeTools::new();
    let run = |tool: &OsStr, args: &[OsString]| {
        let last = Path::new(args.last().unwrap()).file_name().unwrap().to_owned();
        names.lock().unwrap().push(last);
        tools.run(tool, args)
    };
    archive(&request(&root), &run).unwrap();
    let names = names.into_inner().unwrap();
    assert!(names.contains(&"main.cpp".into()) && names.contains(&"FuzzerDriver.cpp".into()));
    assert!(!names.contains(&"FuzzerMain.cpp".into()));
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_changed_source_or_compiler_is_another_archive() {
    let root = scratch("key");
    let tools = FakeTools::new();
    let run = |tool: &OsStr, args: &[OsString]| tools.run(tool, args);
    let first = archive(&request(&root), &run).unwrap();
    let other_compiler = ArchiveRequest { compiler: "clang++".into(), ..request(&root) };
    assert_ne!(archive(&other_compiler, &run).unwrap(), first);
    let changed = request(&root);
    fs::write(changed.sources.join("FuzzerDefs.h"), "changed").unwrap();
    assert_ne!(archive(&changed, &run).unwrap(), first);
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_refusing_compiler_is_quoted_and_leaves_nothing_behind() {
    let root = scratch("refuses");
    let tools = FakeTools { refuses: Some("FuzzerDriver.cpp"), ..FakeTools::new() };
    let run = |tool: &OsStr, args: &[OsString]| tools.run(tool, args);
    let error = archive(&request(&root), &run).unwrap_err();
    assert_eq!(error.to_string(), "`c++` failed to compile libFuzzer's `FuzzerDriver.cpp`:\nit said no");
    let missing = ArchiveRequest { compiler: "missing-c++".into(), ..request(&root) };
    assert!(matches!(archive(&missing, &run), Err(LibfuzzerError::NoTool { .. })));
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_folder_without_libfuzzer_is_refused_by_name() {
    let root = scratch("empty");
    let run = |_: &OsStr, _: &[OsString]| Err(io::Error::other("nothing should be run"));
    let empty = ArchiveRequest { sources: root.clone(), ..request(&root) };
    let error = archive(&empty, &run).unwrap_err();
    assert!(error.to_string().contains(&root.display().to_string()), "{error}");
    fs::remove_dir_all(root).unwrap();
}
