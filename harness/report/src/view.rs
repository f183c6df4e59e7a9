//! The view of a run: every word, number and order that a report shows, decided once for all formats.

use std::time::Duration;

use shakedown_core::finding::Sighted;
use shakedown_core::run::{FindingInRun, Run, TargetInRun, TargetState};
use shakedown_core::text::one_line;
use shakedown_core::time::words;
use shakedown_core::verdict::{Outcome, Reason};

/// How much of a title a line shows.
const TITLE_CHARS_MAX: usize = 160;

/// How many lines of a compiler's or program's complaint a report shows.
const COMPLAINT_LINES_MAX: usize = 12;

/// A run, ready to be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunView {
    /// What it came to.
    pub outcome: Outcome,
    /// The weightiest reason, or that all is well.
    pub headline: String,
    /// The other reasons, without the crashes: each of those has a row of its own.
    pub more_reasons: Vec<String>,
    /// Findings, news first.
    pub findings: Vec<FindingRow>,
    /// Targets that were measured, in the order of their names.
    pub targets: Vec<TargetRow>,
    /// Targets that were not measured, and why.
    pub unmeasured: Vec<Unmeasured>,
    /// What else is worth saying.
    pub notices: Vec<String>,
    /// Run, time, machine.
    pub provenance: Vec<String>,
    /// Commands to go on with.
    pub next: Vec<String>,
}

/// A finding, ready to be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// What it is to this run.
    pub sighted: Sighted,
    /// As much of the signature as people need.
    pub id: String,
    /// Severity.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Where in the code.
    pub place: Option<String>,
    /// The target that showed it first.
    pub target: String,
    /// How often it was seen and how well it reproduces.
    pub evidence: String,
    /// The command that shows it; `None` where the input was lost.
    pub repro: Option<String>,
}

/// A measured target, ready to be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its name.
    pub name: String,
    /// Fuzzing time.
    pub time: String,
    /// Executions.
    pub executions: String,
    /// Executions a second.
    pub rate: String,
    /// Covered edges.
    pub coverage: String,
    /// Covered features.
    pub features: String,
    /// Inputs in the corpus.
    pub corpus: String,
    /// Crashes, duplicates included.
    pub crashes: String,
    /// Distinct findings.
    pub findings: String,
    /// Something to know about it.
    pub remark: Option<String>,
}

/// A target that was not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmeasured {
    /// Its name.
    pub name: String,
    /// A clause.
    pub what: String,
    /// What the compiler or the program said.
    pub complaint: Vec<String>,
}

/// Looks at a run.
pub fn view(run: &Run) -> RunView {
    let (news, others): (Vec<&Reason>, Vec<&Reason>) =
        run.verdict.reasons.iter().partition(|reason| reason.outcome == Outcome::Fail);
    let mut others = others.into_iter().map(|reason| one_line(&reason.text, TITLE_CHARS_MAX));
    let headline = match news.as_slice() {
        [] => others.next().unwrap_or_else(|| all_is_well(run)),
        [only] => one_line(&only.text, TITLE_CHARS_MAX),
        [worst, ..] => {
            let n = number(news.len() as u64);
            one_line(&format!("{n} crashes are news; worst of all, {}", worst.text), TITLE_CHARS_MAX)
        }
    };
    let mut findings: Vec<&FindingInRun> = run.findings.iter().collect();
    findings
        .sort_by_key(|finding| (finding.sighted, std::cmp::Reverse(finding.severity), finding.title.clone()));
    let findings: Vec<FindingRow> = findings.into_iter().map(finding_row).collect();
    RunView {
        outcome: run.verdict.outcome,
        headline,
        more_reasons: others.collect(),
        next: next(run, &findings),
        findings,
        targets: run.targets.iter().filter(|target| is_measured(target)).map(target_row).collect(),
        unmeasured: run.targets.iter().filter_map(unmeasured).collect(),
        notices: run.notices.iter().map(|notice| one_line(notice, 400)).collect(),
        provenance: provenance(run),
    }
}

fn all_is_well(run: &Run) -> String {
    let executions: u64 = run.targets.iter().map(|target| target.executions).sum();
    let n_known = run.findings.len();
    let known =
        if n_known == 0 { String::new() } else { format!(", {}", count(n_known as u64, "known finding")) };
    format!(
        "nothing new in {} of {}{known}",
        count(executions, "execution"),
        count(run.targets.len() as u64, "target")
    )
}

fn is_measured(target: &TargetInRun) -> bool {
    target.state == TargetState::Measured
}

fn is_unreached(target: &TargetInRun) -> bool {
    target.state == TargetState::NotReached
}

fn finding_row(finding: &FindingInRun) -> FindingRow {
    let id = short_id(&finding.signature.to_string());
    let seen = match finding.n_crashes {
        1 => "seen once".to_owned(),
        n => format!("seen {} times", number(n)),
    };
    let reproduces = match finding.reproducibility {
        // Nothing was tried: there was no input, or no time.
        tried if tried.n_tried == 0 => "not confirmed".to_owned(),
        tried => format!("reproduces {tried}"),
    };
    FindingRow {
        sighted: finding.sighted,
        severity: finding.severity.as_str().to_owned(),
        title: one_line(&finding.title, TITLE_CHARS_MAX),
        place: finding.place.as_ref().map(|place| one_line(place, TITLE_CHARS_MAX)),
        target: one_line(finding.target.as_str(), 60),
        evidence: format!("{seen}, {reproduces}"),
        repro: finding.input.as_ref().map(|_| format!("shakedown repro {id}")),
        id,
    }
}

fn target_row(target: &TargetInRun) -> TargetRow {
    TargetRow {
        name: one_line(target.name.as_str(), 40),
        time: words(target.time),
        executions: number(target.executions),
        rate: number(whole(target.executions_per_second())),
        coverage: number(target.coverage),
        features: number(target.features),
        corpus: number(target.corpus_inputs),
        crashes: number(target.n_crashes),
        findings: number(target.n_findings),
        remark: target.is_blocked.then(|| "blocked by known crashes".to_owned()),
    }
}

fn unmeasured(target: &TargetInRun) -> Option<Unmeasured> {
    let (what, why) = match &target.state {
        TargetState::Measured => return None,
        TargetState::Unbuilt { why } => ("does not build", why.as_str()),
        TargetState::Broken { why } => ("cannot be run", why.as_str()),
        TargetState::NotReached => ("its turn did not come", ""),
    };
    let complaint = why.lines().take(COMPLAINT_LINES_MAX).map(shakedown_core::text::printable).collect();
    Some(Unmeasured { name: one_line(target.name.as_str(), 60), what: what.to_owned(), complaint })
}

fn provenance(run: &Run) -> Vec<String> {
    let environment = &run.environment;
    let budget = run.budget.map(|budget| format!(" of {}", words(budget))).unwrap_or_default();
    let jobs = count(environment.n_jobs as u64, "job");
    [
        Some(format!("run {}", run.id)),
        Some(format!("{}{budget}", words(run.wall))),
        environment.revision.as_ref().map(|revision| format!("at {revision}")),
        environment.toolchain.clone(),
        environment.instrumentation.clone(),
        Some(environment.machine.clone()),
        Some(jobs),
    ]
    .into_iter()
    .flatten()
    .map(|part| one_line(&part, 120))
    .collect()
}

fn next(run: &Run, findings: &[FindingRow]) -> Vec<String> {
    if run.targets.is_empty() {
        return vec!["shakedown doctor".to_owned()];
    }
    let news =
        findings.iter().find(|finding| finding.sighted <= Sighted::Reopened && finding.repro.is_some());
    match news {
        Some(finding) => {
            vec![format!("shakedown repro {}", finding.id), format!("shakedown findings show {}", finding.id)]
        }
        // A run that was late goes on where it stopped.
        None if findings.is_empty() && run.targets.iter().any(is_unreached) => {
            vec![one_line(&run.command, TITLE_CHARS_MAX)]
        }
        None if findings.is_empty() => Vec::new(),
        None => vec!["shakedown findings list".to_owned()],
    }
}

/// As much of a signature as people type: twelve digits, without the version.
pub fn short_id(signature: &str) -> String {
    let digits = signature.rsplit(':').next().unwrap_or(signature);
    digits.chars().take(12).collect()
}

/// A number with its thousands apart.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things.
pub fn count(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", number(n), if n == 1 { "" } else { "s" })
}

/// A rate without its fraction.
fn whole(rate: f64) -> u64 {
    // Rates are measured counts over measured seconds: finite, and far below 2^53.
    Duration::try_from_secs_f64(rate).map_or(0, |rate| rate.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shakedown_core::run::sample;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!([0, 12, 1_234, 1_234_567].map(number), ["0", "12", "1,234", "1,234,567"]);
        assert_eq!(count(1, "target"), "1 target");
        assert_eq!(count(2_000, "target"), "2,000 targets");
    }

    #[test]
    fn the_next_command_reproduces_what_is_new() {
        let run = sample::run();
        let view = view(&run);
        assert_eq!(view.next[0], format!("shakedown repro {}", view.findings[0].id));
        assert_eq!(view.unmeasured[0].what, "does not build");
    }

    #[test]
    fn many_crashes_are_counted_in_the_headline_and_said_once() {
        let mut run = sample::run();
        run.verdict.reasons.insert(1, run.verdict.reasons[0].clone());
        let view = view(&run);
        assert!(
            view.headline.starts_with("2 crashes are news; worst of all, a new crash: panic"),
            "{}",
            view.headline
        );
        assert_eq!(view.more_reasons, ["rotten does not build"]);
    }

    #[test]
    fn a_hostile_title_cannot_reach_a_terminal() {
        let mut run = sample::run();
        run.findings[0].title = "\u{1b}]0;owned\u{7}\n\n::error::x".to_owned();
        let title = &view(&run).findings[0].title;
        assert!(!title.contains(['\u{1b}', '\u{7}', '\n']), "{title:?}");
    }
}
