//! `init`: looks around and writes a `shakedown.toml` whose comments teach.

use std::fmt::Write;

use shakedown_exec::discover::{Discovery, relative};
use shakedown_exec::process::Launcher;
use shakedown_report::view::count;

use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;
use crate::project::CONFIG_NAME;
use crate::stage::plan::survey;

pub(crate) fn run(
    launcher: &Launcher,
    settings: &Settings,
    console: &Console,
    force: bool,
) -> Result<u8, CliError> {
    let path = settings.root.join(CONFIG_NAME);
    if path.exists() && !force {
        return Err(CliError::ConfigExists { path });
    }
    let survey = survey(launcher, settings);
    let text = config_text(&survey.discovery, settings);
    std::fs::write(&path, text).map_err(|source| CliError::Write { path: path.clone(), source })?;
    survey.notices.iter().for_each(|notice| console.say(&format!("note: {notice}")));
    let n_targets = survey.discovery.targets().count() as u64;
    console.say(&format!(
        "wrote {} ({}, {})",
        path.display(),
        count(n_targets, "fuzz target"),
        count(survey.discovery.benches.len() as u64, "bench target")
    ));
    console.say("next: shakedown run --for 2m");
    Ok(0)
}

/// The file. Everything in it is a comment or a default, so deleting it changes nothing.
fn config_text(discovery: &Discovery, settings: &Settings) -> String {
    let mut text = String::from(HEAD);
    let _ = writeln!(text, "# Fuzz targets found here (`shakedown doctor` shows more):");
    for (krate, target) in discovery.targets() {
        let source = relative(&target.source, &settings.root);
        let _ = writeln!(text, "#   {:<24} {} ({})", target.name.as_str(), source.display(), krate.name);
    }
    if discovery.fuzz_crates.is_empty() {
        let _ = writeln!(text, "#   none: `cargo fuzz init` makes a first one, or name a program below");
    }
    if !discovery.benches.is_empty() {
        let _ = writeln!(text, "# Benches found here:");
        for bench in &discovery.benches {
            let kind = if bench.is_criterion { "criterion" } else { "other" };
            let _ = writeln!(text, "#   {:<24} {} ({kind})", bench.name, bench.package);
        }
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = r#"# Shakedown: what the stage does with this project. Every setting is optional and shown with its default.
# `shakedown doctor` shows each value and where it came from; arguments and SHAKEDOWN_* variables win over this file.

[budget]
# The time for everything, builds included. The stage ends within it; `--for` overrides.
# total = "10m"

[discover]
# Folders that are not looked into, from this file's folder.
# exclude = ["third_party"]

"#;

const TAIL: &str = r#"
[fuzz]
# Processes at once; one a core.
# jobs = 2
# auto: AddressSanitizer where the toolchain has it. none: faster, but sees only panics.
# sanitizer = "auto"
# The rustup toolchain that builds the targets: nightly if there is one.
# toolchain = "nightly"
# An execution that takes longer, or a process that grows larger, is a finding.
# timeout = "25s"
# rss_limit_mb = 2560
# malloc_limit_mb = 2560

# One target's own limits, seeds and dictionary:
# [target.NAME]
# timeout = "2s"
# seeds = ["tests/data"]
# dictionary = "fuzz/name.dict"
# flags = { len_control = 0 }

# A ready-made program that speaks libFuzzer's flags (C, C++, Python with atheris):
# [target.decoder]
# binary = "build/decoder_fuzzer"
# [target.config_parser]
# command = ["python3", "fuzz/config_parser.py"]

[policy]
# Without this, pass, fail, broken and undecided exit with 0, 1, 3 and 4. With it, those listed exit with 1, others with 0.
# fail_on = ["fail", "broken", "undecided"]
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::ConfigFile;

    #[test]
    fn what_init_writes_is_a_configuration_that_changes_nothing() {
        let text = format!("{HEAD}{TAIL}");
        let (file, warnings) = ConfigFile::parse(&text).unwrap();
        assert_eq!(file, ConfigFile::default());
        assert_eq!(warnings, [] as [String; 0]);
    }

    #[test]
    fn every_line_that_init_suggests_is_understood_when_it_is_uncommented() {
        let text = format!("{HEAD}{TAIL}");
        let is_suggestion =
            |line: &str| line.starts_with("# ") && (line.contains(" = ") || line.starts_with("# ["));
        let uncommented: String = text
            .lines()
            .map(|line| if is_suggestion(line) { line.trim_start_matches("# ") } else { line })
            .flat_map(|line| [line, "\n"])
            .collect();
        let (_, warnings) =
            ConfigFile::parse(&uncommented).unwrap_or_else(|error| panic!("{error}\n{uncommented}"));
        assert_eq!(warnings, [] as [String; 0]);
    }
}
