//! `doctor`: what is missing on this machine and how to get it, what was found, and where every setting came from.

mod json;

use std::fmt::Write;
use std::time::Duration;

use shakedown_core::text::printable;
use shakedown_core::verdict::FailOn;
use shakedown_exec::build::flags::Sanitizer;
use shakedown_exec::command::CommandSpec;
use shakedown_exec::discover::{Discovery, relative};
use shakedown_exec::process::{Launcher, Limits};
use shakedown_exec::toolchain::Channel;

use crate::config::env::{self, Variables};
use crate::config::file::TargetSection;
use crate::config::{Setting, Settings};
use crate::console::Console;
use crate::error::CliError;
use crate::stage::plan::{Compiler, Survey, survey};

pub(crate) fn run(launcher: &Launcher, settings: &Settings, variables: &Variables, console: &Console) -> u8 {
    let Survey { compiler, discovery, notices } = survey(launcher, settings);
    let checks = checks(launcher, settings, &compiler);
    let is_usable = checks.iter().all(|check| check.is_fine || !check.is_required);
    if console.is_json() {
        let examination =
            json::Examination { checks: &checks, discovery: &discovery, settings, notices: &notices };
        console.print(&(json::render(&examination) + "\n"));
    } else {
        console.print(&page(&checks, &discovery, settings, variables, &notices));
    }
    if is_usable { 0 } else { 3 }
}

fn page(
    checks: &[Check],
    discovery: &Discovery,
    settings: &Settings,
    variables: &Variables,
    notices: &[String],
) -> String {
    let mut page = String::from("machine\n");
    for check in checks {
        let mark = if check.is_fine { "ok     " } else { "MISSING" };
        row(&mut page, &format!("{mark} {:<14} {}", check.what, check.found));
        if let Some(cure) = &check.cure {
            row(&mut page, &format!("        {:<14} {cure}", ""));
        }
    }
    page.push_str("\nproject\n");
    row(&mut page, &format!("root {}", settings.root.display()));
    targets(&mut page, discovery, settings);
    page.push_str("\nsettings\n");
    let file = settings.file.as_ref().map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    row(&mut page, &format!("{:<12} {file}", "file"));
    for SettingRow { name, value, source } in setting_rows(settings) {
        row(&mut page, &format!("{name:<12} {value:<40} from {source}"));
    }
    page.push_str("\nenvironment\n");
    for name in env::ALL {
        let value = variables.text(name).unwrap_or_else(|| "(not set)".to_owned());
        row(&mut page, &format!("{name:<22} {value}"));
    }
    if !notices.is_empty() {
        page.push_str("\nnotes\n");
        notices.iter().for_each(|notice| row(&mut page, notice));
    }
    page
}

fn row(page: &mut String, text: &str) {
    let _ = writeln!(page, "  {}", printable(text).trim_end());
}

/// One thing that this machine should have.
struct Check {
    what: &'static str,
    found: String,
    cure: Option<String>,
    is_fine: bool,
    is_required: bool,
}

fn checks(launcher: &Launcher, settings: &Settings, compiler: &Result<Compiler, CliError>) -> Vec<Check> {
    vec![
        toolchain_check(compiler),
        sanitizer_check(compiler),
        program_check(
            launcher,
            "C++ compiler",
            settings.cxx.as_deref().unwrap_or("c++"),
            "libFuzzer is C++: `apt-get install g++`, or name one in CXX",
            true,
        ),
        program_check(
            launcher,
            "git",
            "git",
            "without it reports name no revision: `apt-get install git`",
            false,
        ),
    ]
}

fn toolchain_check(compiler: &Result<Compiler, CliError>) -> Check {
    match compiler {
        Ok(compiler) => Check {
            what: "Rust",
            found: compiler.toolchain.version.clone(),
            cure: (compiler.toolchain.channel == Channel::Stable).then(|| {
                "a nightly would do without RUSTC_BOOTSTRAP: `rustup toolchain install nightly`".to_owned()
            }),
            is_fine: true,
            is_required: true,
        },
        Err(error) => Check {
            what: "Rust",
            found: error.to_string(),
            cure: error.hint(),
            is_fine: false,
            is_required: true,
        },
    }
}

fn sanitizer_check(compiler: &Result<Compiler, CliError>) -> Check {
    let is_there = compiler.as_ref().is_ok_and(|compiler| compiler.toolchain.has_address_sanitizer);
    Check {
        what: "sanitizer",
        found: match compiler {
            Ok(compiler) => compiler.instrumentation_words.clone(),
            Err(_) => "no toolchain, no sanitizer".to_owned(),
        },
        cure: (!is_there).then(|| "toolchains from rustup have one for Linux and macOS".to_owned()),
        is_fine: is_there,
        is_required: false,
    }
}

fn program_check(
    launcher: &Launcher,
    what: &'static str,
    program: &str,
    cure: &str,
    is_required: bool,
) -> Check {
    let spec = CommandSpec::new(program).arg("--version");
    let said = launcher.run(&spec, &Limits::within(Duration::from_secs(10)));
    let version = said.ok().filter(|outcome| outcome.exit.is_success());
    let version = version.and_then(|outcome| outcome.stdout.to_text().lines().next().map(str::to_owned));
    Check {
        what,
        is_fine: version.is_some(),
        cure: version.is_none().then(|| cure.to_owned()),
        found: version.unwrap_or_else(|| format!("`{program}` does not run")),
        is_required,
    }
}

fn targets(page: &mut String, discovery: &Discovery, settings: &Settings) {
    for (krate, target) in discovery.targets() {
        let source = relative(&target.source, &settings.root);
        let assets = &target.assets;
        row(page, &format!("target {:<24} {} ({})", target.name.as_str(), source.display(), krate.name));
        let folders = assets.seed_folders.iter().chain(&assets.seed_archives);
        let seeds: Vec<String> =
            folders.map(|path| relative(path, &settings.root).display().to_string()).collect();
        if !seeds.is_empty() {
            row(page, &format!("  seeds {}", seeds.join(", ")));
        }
        for folder in &assets.regression_folders {
            row(page, &format!("  replayed first {}", relative(folder, &settings.root).display()));
        }
        if let Some(dictionary) = &assets.dictionary {
            row(page, &format!("  dictionary {}", relative(dictionary, &settings.root).display()));
        }
        if !assets.options.is_empty() {
            let options: Vec<String> =
                assets.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
            row(page, &format!("  options {}", options.join(" ")));
        }
    }
    for (name, section) in &settings.targets {
        if section.is_ready_made() {
            row(page, &format!("target {name:<24} ready-made, from shakedown.toml"));
        }
    }
    if discovery.fuzz_crates.is_empty() && !settings.targets.values().any(TargetSection::is_ready_made) {
        row(page, "no fuzz target: `cargo fuzz init` makes a first one, or name a program in shakedown.toml");
    }
    for bench in &discovery.benches {
        let kind = if bench.is_criterion { "criterion" } else { "other" };
        row(page, &format!("bench  {:<24} {} ({kind})", bench.name, bench.package));
    }
}

/// A setting as it is shown.
struct SettingRow {
    name: &'static str,
    value: String,
    source: String,
}

fn setting_rows(settings: &Settings) -> Vec<SettingRow> {
    let budget = humantime::format_duration(settings.budget.value).to_string();
    let seed = settings.seed.value.map_or("the time".to_owned(), |seed| seed.to_string());
    let sanitizer = settings.sanitizer.value.map_or("auto", Sanitizer::as_str);
    let toolchain = settings.toolchain.value.clone().unwrap_or_else(|| "the best there is".to_owned());
    let patterns = match settings.target_patterns.value.as_slice() {
        [] => "all".to_owned(),
        patterns => patterns.join(" "),
    };
    let fail_on = match &settings.fail_on.value {
        FailOn::Own => "each outcome has its own exit status".to_owned(),
        FailOn::Listed(outcomes) => {
            outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(", ")
        }
    };
    vec![
        setting_row("budget", budget, &settings.budget),
        setting_row("jobs", settings.n_jobs.value.to_string(), &settings.n_jobs),
        setting_row("seed", seed, &settings.seed),
        setting_row("sanitizer", sanitizer.to_owned(), &settings.sanitizer),
        setting_row("toolchain", toolchain, &settings.toolchain),
        setting_row("targets", patterns, &settings.target_patterns),
        setting_row("fail_on", fail_on, &settings.fail_on),
        setting_row("state", settings.state.value.display().to_string(), &settings.state),
        setting_row("cache", settings.cache.value.display().to_string(), &settings.cache),
    ]
}

fn setting_row<T>(name: &'static str, value: String, setting: &Setting<T>) -> SettingRow {
    SettingRow { name, value, source: setting.source.to_string() }
}
