//! Plan: what will be run, with what, until when.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shakedown_core::target::TargetName;
use shakedown_exec::build::flags::Instrumentation;
use shakedown_exec::command::CommandSpec;
use shakedown_exec::discover::{self, Assets, Discovery, FuzzCrate};
use shakedown_exec::process::Launcher;
use shakedown_exec::toolchain::{self, Installed, Toolchain, ToolchainError};

use crate::config::{Settings, file::TargetSection};
use crate::error::CliError;

/// What the end of a run needs for itself: confirming the last crash, recording, reporting.
const CLOSING_SHARE: u32 = 20;
const CLOSING_TIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(15);

/// What will be run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Who compiles; `None` where nothing is to be compiled.
    pub(crate) compiler: Option<Compiler>,
    /// Crates with the targets that were chosen.
    pub(crate) crates: Vec<FuzzCrate>,
    /// Targets that somebody else built.
    pub(crate) ready_made: Vec<ReadyMade>,
    /// Until when.
    pub(crate) deadlines: Deadlines,
    /// What is worth saying.
    pub(crate) notices: Vec<String>,
}

/// Who compiles, and how.
#[derive(Debug, Clone)]
pub(crate) struct Compiler {
    pub(crate) toolchain: Toolchain,
    pub(crate) instrumentation: Instrumentation,
    /// What was decided about the sanitizer, and why.
    pub(crate) instrumentation_words: String,
}

/// A target that somebody else built.
#[derive(Debug, Clone)]
pub(crate) struct ReadyMade {
    pub(crate) name: TargetName,
    pub(crate) command: CommandSpec,
    /// The file to look into, where the command is just that file.
    pub(crate) binary: Option<PathBuf>,
    pub(crate) assets: Assets,
}

/// The budget, cut up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// When fuzzing ends.
    pub(crate) work: Instant,
    /// When everything ends.
    pub(crate) end: Instant,
}

impl Deadlines {
    pub(crate) fn new(started_at: Instant, budget: Duration) -> Self {
        let closing = (budget / CLOSING_SHARE).clamp(*CLOSING_TIME.start(), *CLOSING_TIME.end());
        Self { work: started_at + budget.saturating_sub(closing), end: started_at + budget }
    }
}

impl Plan {
    /// The names of everything that was chosen.
    pub(crate) fn target_names(&self) -> Vec<TargetName> {
        let built =
            self.crates.iter().flat_map(|krate| krate.targets.iter().map(|target| target.name.clone()));
        built.chain(self.ready_made.iter().map(|target| target.name.clone())).collect()
    }
}

/// What is there, before anything is chosen.
pub(crate) struct Survey {
    pub(crate) compiler: Result<Compiler, CliError>,
    pub(crate) discovery: Discovery,
    pub(crate) notices: Vec<String>,
}

/// Looks at the machine and the project.
pub(crate) fn survey(launcher: &Launcher, settings: &Settings) -> Survey {
    let mut notices = settings.warnings.clone();
    let installed = Installed::detect(launcher);
    let chosen = toolchain::choose(launcher, &installed, settings.toolchain.value.as_deref(), &settings.root);
    let compiler = chosen.map_err(CliError::from).map(|(toolchain, said)| {
        notices.extend(said);
        let (instrumentation, words) = Instrumentation::choose(&toolchain, settings.sanitizer.value);
        Compiler { toolchain, instrumentation, instrumentation_words: words }
    });
    let discovery = match &compiler {
        Ok(compiler) => {
            let mut discovery =
                discover::discover(launcher, &compiler.toolchain, &settings.root, &settings.exclude);
            notices.append(&mut discovery.notices);
            discovery
        }
        Err(_) => Discovery::default(),
    };
    for krate in &discovery.fuzz_crates {
        let folder = krate.manifest.parent().unwrap_or(&settings.root);
        let pin = toolchain::pin_of(folder).filter(|pin| installed.find(&pin.channel).is_none());
        if let (Some(pin), false) = (pin, installed.names.is_empty()) {
            let notice = toolchain::missing_pin_notice(&pin);
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
    }
    Survey { compiler, discovery, notices }
}

/// Chooses what will be run.
pub(crate) fn plan(launcher: &Launcher, settings: &Settings, started_at: Instant) -> Result<Plan, CliError> {
    let Survey { compiler, discovery, mut notices } = survey(launcher, settings);
    // Without a compiler no crate was looked for, so what follows would say that there is none.
    let compiler = match compiler {
        Ok(compiler) => Some(compiler),
        Err(error)
            if is_wrong_name(&error) || !settings.targets.values().any(TargetSection::is_ready_made) =>
        {
            return Err(error);
        }
        Err(error) => {
            notices.push(format!("no fuzz crate was looked for: {error}"));
            None
        }
    };
    let mut crates = discovery.fuzz_crates;
    let ready_made: Vec<ReadyMade> = settings
        .targets
        .iter()
        .filter_map(|(name, section)| ready_made(name, section, &settings.root))
        .collect();
    for krate in &mut crates {
        krate.targets.retain(|target| ready_made.iter().all(|made| made.name != target.name));
        for target in &mut krate.targets {
            if let Some(section) = settings.targets.get(target.name.as_str()) {
                add_assets(&mut target.assets, section, &settings.root);
            }
        }
    }
    let mut plan = Plan {
        compiler,
        crates,
        ready_made,
        deadlines: Deadlines::new(started_at, settings.budget.value),
        notices: Vec::new(),
    };
    notices.extend(sections_without_target(settings, &plan.target_names()));
    choose(&mut plan, settings)?;
    plan.notices = notices;
    Ok(plan)
}

/// Whether somebody asked for a toolchain that is not there: going on without one is not what was meant.
fn is_wrong_name(error: &CliError) -> bool {
    matches!(error, CliError::Toolchain(ToolchainError::NotInstalled { .. }))
}

/// Keeps the targets that the patterns name, or all that are enabled.
fn choose(plan: &mut Plan, settings: &Settings) -> Result<(), CliError> {
    let names = plan.target_names();
    let patterns = &settings.target_patterns.value;
    for pattern in patterns {
        if !names.iter().any(|name| fits(pattern, name.as_str())) {
            let nearest = crate::config::nearest(pattern, names.iter().map(ToString::to_string));
            return Err(CliError::UnknownTarget {
                pattern: pattern.clone(),
                nearest,
                n_targets: names.len(),
            });
        }
    }
    let is_chosen = |name: &TargetName| {
        if patterns.is_empty() {
            settings.targets.get(name.as_str()).and_then(|section| section.enabled) != Some(false)
        } else {
            patterns.iter().any(|pattern| fits(pattern, name.as_str()))
        }
    };
    for krate in &mut plan.crates {
        krate.targets.retain(|target| is_chosen(&target.name));
    }
    plan.crates.retain(|krate| !krate.targets.is_empty());
    plan.ready_made.retain(|target| is_chosen(&target.name));
    Ok(())
}

/// Whether `name` fits `pattern`, in which `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

fn ready_made(name: &str, section: &TargetSection, root: &Path) -> Option<ReadyMade> {
    let binary = section.binary.as_ref().map(|binary| root.join(binary));
    let command = match (&binary, section.command.as_deref()) {
        (Some(binary), _) => CommandSpec::new(binary),
        (None, Some([program, args @ ..])) => CommandSpec::new(program).args(args),
        (None, Some([]) | None) => return None,
    };
    let directory = root.join(section.directory.as_deref().unwrap_or(Path::new("")));
    let mut assets = Assets::default();
    add_assets(&mut assets, section, root);
    Some(ReadyMade { name: TargetName::new(name), command: command.cwd(directory), binary, assets })
}

fn add_assets(assets: &mut Assets, section: &TargetSection, root: &Path) {
    let (archives, folders): (Vec<_>, Vec<_>) = section
        .seeds
        .iter()
        .map(|seeds| root.join(seeds))
        .partition(|path| path.extension().is_some_and(|extension| extension == "zip"));
    assets.seed_folders.extend(folders);
    assets.seed_archives.extend(archives);
    assets.regression_folders.extend(section.regressions.iter().map(|folder| root.join(folder)));
    if let Some(dictionary) = &section.dictionary {
        assets.dictionary = Some(root.join(dictionary));
    }
}

/// A section for a target that is not there is a typo, or a target that was removed.
fn sections_without_target(settings: &Settings, names: &[TargetName]) -> Vec<String> {
    let is_there = |section: &&String| names.iter().any(|name| name.as_str() == section.as_str());
    let missing = settings.targets.keys().filter(|section| !is_there(section));
    missing
        .map(|section| match crate::config::nearest(section, names.iter().map(ToString::to_string)) {
            Some(nearest) => format!("`[target.{section}]` has no target; did you mean `{nearest}`?"),
            None => format!("`[target.{section}]` has no target"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name) in
            [("parse", "parse"), ("*", "x"), ("parse_*", "parse_a"), ("*_x", "a_x"), ("a*c*e", "abcde")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("parse", "parser"), ("parse_*", "parse"), ("a*a", "a"), ("", "x")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_end_of_the_budget_is_kept_for_closing() {
        let now = Instant::now();
        let closing = |seconds| {
            let deadlines = Deadlines::new(now, Duration::from_secs(seconds));
            (deadlines.end - deadlines.work).as_secs()
        };
        assert_eq!([closing(10), closing(60), closing(36_000)], [1, 3, 15]);
    }
}
