//! Prepare: builds what has to be built, takes in seeds, and looks at what somebody else built.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use shakedown_core::event::{Event, Listener};
use shakedown_core::run::TargetState;
use shakedown_core::target::TargetName;
use shakedown_exec::build::flags::Sanitizer;
use shakedown_exec::build::{self, BuildSettings};
use shakedown_exec::campaign::CampaignTarget;
use shakedown_exec::chain;
use shakedown_exec::command::CommandSpec;
use shakedown_exec::corpus::Corpus;
use shakedown_exec::discover::{Assets, FuzzCrate};
use shakedown_exec::engine::libfuzzer::{Program, is_libfuzzer_program};
use shakedown_exec::process::Launcher;

use crate::config::{Setting, Settings, Source};
use crate::console::Console;
use crate::error::CliError;
use crate::stage::plan::{Compiler, Plan, ReadyMade, plan};

/// A build that takes longer was not going to end.
const BUILD_TIME_MAX: Duration = Duration::from_secs(3600);

/// A target that can be run, and what lies beside it.
pub(crate) struct Prepared {
    pub(crate) target: CampaignTarget,
    pub(crate) assets: Assets,
}

/// What came of preparing: the good ones, and why the others are not among them.
#[derive(Default)]
pub(crate) struct Preparation {
    pub(crate) ready: Vec<Prepared>,
    pub(crate) unready: Vec<(TargetName, TargetState)>,
    pub(crate) notices: Vec<String>,
}

/// Prepares all targets of the plan.
pub(crate) fn prepare(
    launcher: &Launcher,
    settings: &Settings,
    listener: &dyn Listener,
    plan: &Plan,
) -> Preparation {
    let mut preparation = Preparation::default();
    if let Some(compiler) = &plan.compiler {
        for krate in &plan.crates {
            build_crate(launcher, settings, listener, plan, compiler, krate, &mut preparation);
        }
    }
    for made in &plan.ready_made {
        match look_at(made) {
            Ok(()) => {
                let command = made.command.clone();
                // Nobody tells us what is in it; a sanitizer's variables do no harm where there is none.
                add(
                    settings,
                    &made.name,
                    command,
                    (Sanitizer::Address, false),
                    &made.assets,
                    &mut preparation,
                );
            }
            Err(why) => preparation.unready.push((made.name.clone(), TargetState::Broken { why })),
        }
    }
    preparation
}

fn build_crate(
    launcher: &Launcher,
    settings: &Settings,
    listener: &dyn Listener,
    plan: &Plan,
    compiler: &Compiler,
    krate: &FuzzCrate,
    preparation: &mut Preparation,
) {
    let package = krate.name.clone();
    listener.hear(Event::BuildStarted { package: package.clone(), n_targets: krate.targets.len() });
    let build_settings = build_settings(launcher, settings, compiler);
    let mut n_units = 0;
    let progress = |unit: &str| {
        n_units += 1;
        listener.hear(Event::BuildProgress { package: package.clone(), unit: unit.to_owned(), n_units });
    };
    let targets: Vec<_> = krate.targets.iter().collect();
    let started_at = Instant::now();
    let built = build::build(launcher, &build_settings, krate, &targets, Some(plan.deadlines.work), progress);
    let mut built = built.unwrap_or_else(|error| {
        let why = chain(&error);
        let failures = targets.iter().map(|target| (target.name.clone(), why.clone())).collect();
        build::Built { failures, wall: started_at.elapsed(), ..build::Built::default() }
    });
    let is_late = Instant::now() >= plan.deadlines.work || launcher.interrupt().is_raised();
    let n_unbuilt = built.failures.len();
    listener.hear(Event::BuildFinished {
        package,
        n_built: built.programs.len(),
        // What was stopped has not failed.
        n_failed: if is_late { 0 } else { n_unbuilt },
        wall: built.wall,
    });
    preparation.notices.append(&mut built.notices);
    for target in targets {
        match built.programs.get(&target.name) {
            Some(program) => {
                let parts = (compiler.instrumentation.sanitizer, built.has_driver);
                add(settings, &target.name, CommandSpec::new(program), parts, &target.assets, preparation);
            }
            None if is_late => preparation.unready.push((target.name.clone(), TargetState::NotReached)),
            None => {
                let why = built.failures.remove(&target.name).unwrap_or_default();
                preparation.unready.push((target.name.clone(), TargetState::Unbuilt { why }));
            }
        }
    }
    if is_late && n_unbuilt > 0 {
        preparation.notices.push(format!(
            "the build of {} used up the time; what is built is kept, so the next run goes on from there",
            krate.name
        ));
    }
}

/// How this project's targets are built.
pub(crate) fn build_settings(launcher: &Launcher, settings: &Settings, compiler: &Compiler) -> BuildSettings {
    BuildSettings {
        toolchain: compiler.toolchain.clone(),
        instrumentation: compiler.instrumentation,
        builds: settings.state.value.join("build"),
        jobs: None,
        inherited_rustflags: settings.rustflags.clone(),
        runtime: build::RuntimeSettings {
            cache: settings.cache.value.join("libfuzzer"),
            compiler: settings.cxx.clone().unwrap_or_else(|| "c++".to_owned()).into(),
            jobs: NonZeroUsize::new(shakedown_exec::machine::n_cores()).unwrap_or(NonZeroUsize::MIN),
            executable: launcher.guard_program().to_path_buf(),
            inherited_rustc_wrapper: settings.rustc_wrapper.clone().map(Into::into),
        },
    }
}

fn look_at(made: &ReadyMade) -> Result<(), String> {
    match &made.binary {
        Some(binary) => is_libfuzzer_program(binary),
        None => Ok(()),
    }
}

fn add(
    settings: &Settings,
    name: &TargetName,
    command: CommandSpec,
    (sanitizer, has_driver): (Sanitizer, bool),
    assets: &Assets,
    preparation: &mut Preparation,
) {
    let program =
        Program { command, sanitizer, inherited_asan_options: settings.asan_options.clone(), has_driver };
    match ready(settings, name, program, assets) {
        Ok((target, notice)) => {
            preparation.notices.extend(notice);
            preparation.ready.push(Prepared { target, assets: assets.clone() });
        }
        Err(why) => preparation.unready.push((name.clone(), TargetState::Broken { why })),
    }
}

/// A target with its limits and its corpus.
pub(crate) fn ready(
    settings: &Settings,
    name: &TargetName,
    program: Program,
    assets: &Assets,
) -> Result<(CampaignTarget, Option<String>), String> {
    let limits = settings.limits_of(name.as_str(), &assets.options).map_err(|error| chain(&error))?;
    let state: &Path = &settings.state.value;
    let corpus = Corpus::open(state, name)
        .map_err(|error| format!("failed to make a folder for its corpus: {error}"))?;
    let imported = corpus.import(assets).map_err(|error| format!("failed to take in its seeds: {error}"))?;
    let notice = (imported.n_left_out > 0).then(|| {
        format!("{} seeds of {name} are too large or cannot be read; left out", imported.n_left_out)
    });
    let target =
        CampaignTarget { name: name.clone(), program, limits, dictionary: assets.dictionary.clone(), corpus };
    Ok((target, notice))
}

/// Hears nothing.
struct Nobody;

impl Listener for Nobody {
    fn hear(&self, _event: Event) {}
}

/// One target, built for a command that needs no other, in whatever time that takes.
pub(crate) fn target_alone(
    launcher: &Launcher,
    settings: &Settings,
    console: &Console,
    name: &str,
) -> Result<CampaignTarget, CliError> {
    let only_it = Settings {
        target_patterns: Setting { value: vec![name.to_owned()], source: Source::Argument("--target") },
        budget: Setting { value: BUILD_TIME_MAX, source: Source::Default },
        ..settings.clone()
    };
    let plan = plan(launcher, &only_it, Instant::now())?;
    // Such a command prints objects of its own, among which a build's events would be strangers.
    let listener: &dyn Listener = if console.is_json() { &Nobody } else { console };
    let Preparation { ready, unready, .. } = prepare(launcher, &only_it, listener, &plan);
    console.clear();
    if let Some(prepared) = ready.into_iter().next() {
        return Ok(prepared.target);
    }
    let why = unready.into_iter().next().map(|(_, state)| match state {
        TargetState::Unbuilt { why } | TargetState::Broken { why } => why,
        TargetState::Measured | TargetState::NotReached => "the build was stopped".to_owned(),
    });
    Err(CliError::Unbuilt { target: name.to_owned(), why: why.unwrap_or_default() })
}
