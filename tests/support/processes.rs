//! Who is still alive of all that a command started, however deep and in whatever session: they inherit a variable.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that marks a command and all its descendants.
pub const MARK: &str = "SHAKEDOWN_TEST_MARK";

/// How long processes may take to be gone after they were killed: the kernel may still be freeing a sanitizer's memory.
const GONE_TIME_MAX: Duration = Duration::from_secs(20);

/// How often the process table is looked at: the kernel tells nobody of the end of processes that are not theirs.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// All processes with one value of the variable.
#[derive(Debug, Clone)]
pub struct Marked {
    value: String,
}

impl Marked {
    /// Those that are started with `value`.
    pub fn new(value: &str) -> Self {
        Self { value: value.to_owned() }
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Their command lines now.
    pub fn alive(&self) -> Vec<String> {
        let entry = format!("{MARK}={}", self.value).into_bytes();
        let is_ours = |folder: &Path| {
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == entry)
        };
        let command = |folder: &Path| {
            let words = fs::read(folder.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).replace('\0', " ")
        };
        let folders = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        folders.filter(|folder| is_ours(folder)).map(|folder| command(&folder)).collect()
    }

    /// Waits until one of them has `word` in its command line.
    #[track_caller]
    pub fn wait_for(&self, word: &str) {
        self.wait_until(&format!("no process has `{word}` in its command line"), |alive| {
            alive.iter().any(|command| command.contains(word))
        });
    }

    /// Waits until none is left.
    #[track_caller]
    pub fn assert_gone(&self) {
        self.wait_until("processes are left", <[String]>::is_empty);
    }

    #[track_caller]
    fn wait_until(&self, complaint: &str, is_so: impl Fn(&[String]) -> bool) {
        let give_up = Instant::now() + GONE_TIME_MAX;
        loop {
            let alive = self.alive();
            if is_so(&alive) {
                return;
            }
            assert!(Instant::now() < give_up, "{complaint}; alive: {alive:#?}");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// Leaves a grandchild of this program that is hard to find: forked twice, in a session of its own, deaf to signals. It
/// is this same program again; the first call in it never returns. Returns once the grandchild has taken cover.
///
/// Its command line has [`GRANDCHILD`] in it.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a fake that starts programs is what the test is about"
)]
pub fn leave_a_grandchild() {
    let own = std::env::current_exe().unwrap();
    match std::env::args().nth(1).as_deref() {
        Some(CHILD) => {
            let mut grandchild = Command::new(own).arg(GRANDCHILD).stdout(Stdio::piped()).spawn().unwrap();
            // It says a byte when it is ready; then this process, its only relative, leaves.
            grandchild.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
            std::process::exit(0);
        }
        Some(GRANDCHILD) => {
            nix::sys::signal::SigSet::all().thread_block().unwrap();
            nix::unistd::setsid().unwrap();
            std::io::stdout().write_all(b".").unwrap();
            std::io::stdout().flush().unwrap();
            loop {
                std::thread::sleep(Duration::from_secs(3600));
            }
        }
        Some(_) | None => {
            assert!(Command::new(own).arg(CHILD).status().unwrap().success());
        }
    }
}

const CHILD: &str = "__child";

/// The word in the command line of a grandchild.
pub const GRANDCHILD: &str = "__grandchild";
