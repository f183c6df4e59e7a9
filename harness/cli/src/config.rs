//! Settings as meant: arguments, environment, file and defaults, resolved once. Nothing below this crate knows that a flag
//! existed.

pub(crate) mod env;
pub(crate) mod file;
mod pick;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shakedown_core::verdict::FailOn;
use shakedown_exec::build::flags::Sanitizer;
use shakedown_exec::engine::libfuzzer::ExecutionLimits;

use self::env::Variables;
use self::file::{ConfigFile, LimitKeys, TargetSection};
use self::pick::{Picker, parse_sanitizer};
use crate::args::{GlobalArgs, RunArgs};

/// The time budget when nobody says one: what a pipeline's stage can afford on every push.
const DEFAULT_BUDGET: Duration = Duration::from_secs(10 * 60);

/// A budget that is shorter cannot hold a single slice.
const BUDGET_MIN: Duration = Duration::from_secs(5);

/// Where a setting's value came from, strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Argument(&'static str),
    Environment(&'static str),
    File,
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "{name}"),
            Self::Environment(name) => write!(f, "${name}"),
            Self::File => write!(f, "shakedown.toml"),
            Self::Default => write!(f, "default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// Why the settings make no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("failed to read the configuration `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("failed to understand the configuration `{}`", path.display())]
    Syntax { path: PathBuf, source: toml::de::Error },
    #[error("`{value}` is no {what} (from {source_of})")]
    Value { value: String, what: &'static str, source_of: String },
    #[error("`[target.{target}]` has both `binary` and `command`")]
    TwoPrograms { target: String },
}

/// Everything that was decided before the run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The project's root.
    pub(crate) root: PathBuf,
    /// The file that was read; `None` where there is none.
    pub(crate) file: Option<PathBuf>,
    pub(crate) state: Setting<PathBuf>,
    pub(crate) cache: Setting<PathBuf>,
    pub(crate) budget: Setting<Duration>,
    pub(crate) n_jobs: Setting<usize>,
    pub(crate) seed: Setting<Option<u32>>,
    /// `None` is "the best there is".
    pub(crate) sanitizer: Setting<Option<Sanitizer>>,
    pub(crate) toolchain: Setting<Option<String>>,
    pub(crate) fail_on: Setting<FailOn>,
    /// Patterns of targets; empty is all.
    pub(crate) target_patterns: Setting<Vec<String>>,
    pub(crate) exclude: Vec<PathBuf>,
    pub(crate) limits: LimitKeys,
    pub(crate) targets: BTreeMap<String, TargetSection>,
    pub(crate) cxx: Option<String>,
    pub(crate) rustflags: Option<String>,
    pub(crate) rustc_wrapper: Option<String>,
    pub(crate) asan_options: Option<String>,
    /// Sentences about the file.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// Resolves everything. `n_cores` is what the machine has.
    pub(crate) fn resolve(
        global: &GlobalArgs,
        run: &RunArgs,
        variables: &Variables,
        root: &Path,
        n_cores: usize,
    ) -> Result<Self, ConfigError> {
        let (path, file, warnings) = read_file(global, root)?;
        let pick = Picker { variables };
        let budget = pick.value(
            ("--for", run.budget),
            (env::FOR, "time such as 10m", |text| humantime::parse_duration(text).ok()),
            file.budget.total.as_deref(),
            DEFAULT_BUDGET,
        )?;
        if budget.value < BUDGET_MIN {
            let value = humantime::format_duration(budget.value).to_string();
            let what = "budget: at least 5s are needed";
            return Err(ConfigError::Value { value, what, source_of: budget.source.to_string() });
        }
        let n_jobs = pick.number(("--jobs", run.jobs), env::JOBS, file.fuzz.jobs, n_cores)?;
        let sanitizer = pick.value(
            ("--sanitizer", run.sanitizer.as_deref().map(parse_sanitizer).transpose()?),
            (env::SANITIZER, "sanitizer (auto, address, none)", |text| parse_sanitizer(text).ok()),
            file.fuzz.sanitizer.as_deref(),
            None,
        )?;
        let toolchain = pick.optional(
            ("--toolchain", run.toolchain.clone()),
            env::TOOLCHAIN,
            file.fuzz.toolchain.clone(),
        );
        let seed = pick.seed(run.seed, file.fuzz.seed)?;
        let fail_on = pick.fail_on(run.fail_on.as_deref(), file.policy.fail_on.as_deref())?;
        let default_state = root.join(".shakedown");
        let state = pick.path(("--state", global.state.clone()), env::STATE, default_state);
        let default_cache = default_cache(variables, &state.value);
        let cache = pick.path(("", None), env::CACHE, default_cache);
        let target_patterns = match (&run.targets, &file.fuzz.targets) {
            (said, _) if !said.is_empty() => {
                Setting { value: said.clone(), source: Source::Argument("TARGET") }
            }
            (_, Some(listed)) => Setting { value: listed.clone(), source: Source::File },
            (_, None) => Setting { value: Vec::new(), source: Source::Default },
        };
        let settings = Self {
            root: root.to_path_buf(),
            file: path,
            state,
            cache,
            budget,
            n_jobs,
            seed,
            sanitizer,
            toolchain,
            fail_on,
            target_patterns,
            exclude: file.discover.exclude,
            limits: file.fuzz.limits,
            targets: file.target,
            cxx: variables.text(env::CXX),
            rustflags: variables.text(env::RUSTFLAGS),
            rustc_wrapper: variables.text(env::RUSTC_WRAPPER),
            asan_options: variables.text(env::ASAN_OPTIONS),
            warnings,
        };
        settings.check_targets()?;
        Ok(settings)
    }

    fn check_targets(&self) -> Result<(), ConfigError> {
        for (name, section) in &self.targets {
            if section.binary.is_some() && section.command.is_some() {
                return Err(ConfigError::TwoPrograms { target: name.clone() });
            }
            self.limits_of(name, &[])?;
        }
        self.limits_of("", &[]).map(drop)
    }

    /// The limits of one execution of `target`: its own section, then its `.options` file, then `[fuzz]`, then defaults.
    pub(crate) fn limits_of(
        &self,
        target: &str,
        options: &[(String, String)],
    ) -> Result<ExecutionLimits, ConfigError> {
        let mut limits = ExecutionLimits::default();
        apply_limits(&mut limits, &self.limits, "[fuzz]")?;
        for (name, value) in options {
            apply_option(&mut limits, name, value);
        }
        if let Some(section) = self.targets.get(target) {
            apply_limits(&mut limits, &section.limits, target)?;
            let flags = section.flags.iter().map(|(name, value)| (name.clone(), value.to_string()));
            limits.more_flags.extend(flags);
        }
        Ok(limits)
    }
}

fn apply_limits(limits: &mut ExecutionLimits, keys: &LimitKeys, source: &str) -> Result<(), ConfigError> {
    if let Some(text) = &keys.timeout {
        limits.timeout = humantime::parse_duration(text).map_err(|_| ConfigError::Value {
            value: text.clone(),
            what: "timeout such as 25s",
            source_of: source.to_owned(),
        })?;
    }
    limits.rss_mb_max = keys.rss_limit_mb.unwrap_or(limits.rss_mb_max);
    limits.malloc_mb_max = keys.malloc_limit_mb.or(limits.malloc_mb_max);
    limits.input_bytes_max = keys.max_len.or(limits.input_bytes_max);
    Ok(())
}

/// An `.options` file speaks libFuzzer's own names.
fn apply_option(limits: &mut ExecutionLimits, name: &str, value: &str) {
    let number = value.parse::<u64>().ok();
    match (name, number) {
        ("timeout", Some(seconds)) => limits.timeout = Duration::from_secs(seconds),
        ("rss_limit_mb", Some(mb)) => limits.rss_mb_max = mb,
        ("malloc_limit_mb", Some(mb)) => limits.malloc_mb_max = Some(mb),
        ("max_len", Some(bytes)) => limits.input_bytes_max = Some(bytes),
        _ => limits.more_flags.push((name.to_owned(), value.to_owned())),
    }
}

fn read_file(
    global: &GlobalArgs,
    root: &Path,
) -> Result<(Option<PathBuf>, ConfigFile, Vec<String>), ConfigError> {
    let path = global.config.clone().unwrap_or_else(|| root.join(crate::project::CONFIG_NAME));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && global.config.is_none() => {
            return Ok((None, ConfigFile::default(), Vec::new()));
        }
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    let (file, warnings) =
        ConfigFile::parse(&text).map_err(|source| ConfigError::Syntax { path: path.clone(), source })?;
    let warnings = warnings.into_iter().map(|warning| format!("`{}`: {warning}", path.display())).collect();
    Ok((Some(path), file, warnings))
}

fn default_cache(variables: &Variables, state: &Path) -> PathBuf {
    let base = variables.get(env::XDG_CACHE_HOME).map(PathBuf::from);
    let base = base.or_else(|| variables.get(env::HOME).map(|home| Path::new(home).join(".cache")));
    base.map_or_else(|| state.join("cache"), |base| base.join("shakedown"))
}

/// The candidate that is so near to `word` that it was probably meant.
pub(crate) fn nearest(word: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let distance_max = (word.chars().count() / 4).max(2);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, &candidate), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::ColorChoice;

    fn global() -> GlobalArgs {
        GlobalArgs {
            project: None,
            config: None,
            state: None,
            json: false,
            quiet: false,
            color: ColorChoice::Never,
        }
    }

    fn resolve(
        run: &RunArgs,
        variables: &[(&'static str, &str)],
        file: &str,
    ) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shakedown.toml"), file).unwrap();
        Settings::resolve(&global(), run, &Variables::of(variables), folder.path(), 2)
    }

    #[test]
    fn arguments_beat_the_environment_which_beats_the_file_which_beats_the_default() {
        let file = "[fuzz]\njobs = 3\n";
        let said = RunArgs { jobs: Some(5), ..RunArgs::default() };
        let quiet = RunArgs::default();
        let variables = [(env::JOBS, "4")];
        let jobs = |settings: Settings| (settings.n_jobs.value, settings.n_jobs.source);
        assert_eq!(jobs(resolve(&said, &variables, file).unwrap()), (5, Source::Argument("--jobs")));
        assert_eq!(jobs(resolve(&quiet, &variables, file).unwrap()), (4, Source::Environment(env::JOBS)));
        assert_eq!(jobs(resolve(&quiet, &[], file).unwrap()), (3, Source::File));
        assert_eq!(jobs(resolve(&quiet, &[], "").unwrap()), (2, Source::Default));
    }

    #[test]
    fn a_wrong_value_names_where_it_came_from() {
        let quiet = RunArgs::default();
        let error = resolve(&quiet, &[(env::FOR, "soon")], "").unwrap_err();
        assert_eq!(error.to_string(), "`soon` is no time such as 10m (from $SHAKEDOWN_FOR)");
        let error = resolve(&quiet, &[], "[policy]\nfail_on = ['crash']\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`crash` is no outcome (fail, broken, undecided) (from shakedown.toml)"
        );
        let error = resolve(&quiet, &[], "[target.x]\ntimeout = 'later'\n").unwrap_err();
        assert_eq!(error.to_string(), "`later` is no timeout such as 25s (from x)");
    }

    #[test]
    fn a_targets_own_limits_win_over_its_options_file_and_the_general_ones() {
        let file =
            "[fuzz]\ntimeout = '9s'\nmax_len = 10\n[target.x]\nmax_len = 30\nflags = { len_control = 0 }\n";
        let settings = resolve(&RunArgs::default(), &[], file).unwrap();
        let options = [("max_len".to_owned(), "20".to_owned()), ("timeout".to_owned(), "7".to_owned())];
        let limits = settings.limits_of("x", &options).unwrap();
        assert_eq!((limits.input_bytes_max, limits.timeout), (Some(30), Duration::from_secs(7)));
        assert_eq!(limits.more_flags, [("len_control".to_owned(), "0".to_owned())]);
        assert_eq!(settings.limits_of("y", &[]).unwrap().input_bytes_max, Some(10));
    }

    #[test]
    fn a_near_miss_is_recognised() {
        let names = || ["parse_header", "parse_body"].map(str::to_owned);
        assert_eq!(nearest("parse_headr", names()), Some("parse_header".to_owned()));
        assert_eq!(nearest("completely_else", names()), None);
    }
}
