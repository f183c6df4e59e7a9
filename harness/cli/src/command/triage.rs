//! `triage`: crash logs or crashing inputs in, deduplicated findings out, without a campaign.
//!
//! Reading order: [`subjects`] (which files, and what they are), [`logs`] and [`inputs`] (what came of each), then here:
//! grouping, the store, and the words.

mod inputs;
mod logs;
mod subjects;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use shakedown_core::crash::Crash;
use shakedown_core::crash::wire::CrashLine;
use shakedown_core::finding::{Reproducibility, Sighted, SignedCrash};
use shakedown_core::input::InputId;
use shakedown_core::run::RunId;
use shakedown_core::signature::{Keys, Signature};
use shakedown_core::target::TargetName;
use shakedown_core::text::one_line;
use shakedown_core::time::{Timestamp, words};
use shakedown_exec::process::Launcher;
use shakedown_report::view::{count, short_id};
use shakedown_store::Store;

use self::subjects::Subjects;
use crate::args::TriageArgs;
use crate::config::Settings;
use crate::console::Console;
use crate::error::CliError;
use crate::stage::grouping::Grouping;

/// The target of a log that names none.
const NO_TARGET: &str = "(unknown)";

/// What came of one file.
struct Triaged {
    /// The file, as it was given.
    path: String,
    /// Content, and the program that it was run in: the same again needs no second look.
    subject: String,
    outcome: Outcome,
}

enum Outcome {
    /// Crashes, most significant first.
    Crashed(Vec<Seen>),
    /// A log without a report, or an input that runs through.
    NoCrash,
    /// It could not be looked at.
    Failed(String),
}

/// One crash of a file.
struct Seen {
    crash: Crash,
    /// What was printed with it.
    log: Vec<u8>,
    /// The input, where the file is one.
    input: Option<Vec<u8>>,
    reproducibility: Reproducibility,
}

/// What was triaged before. A dry run neither asks nor tells the store.
struct Memory(Option<Mutex<Store>>);

impl Memory {
    fn open(settings: &Settings, args: &TriageArgs) -> Result<Self, CliError> {
        if args.dry_run {
            return Ok(Self(None));
        }
        Ok(Self(Some(Mutex::new(Store::open(&settings.state.value)?))))
    }

    /// What came of the same content before; `None` where it must be looked at.
    fn recall(&self, subject: &str) -> Option<Outcome> {
        let store = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be read or understood is looked at again.
        match store.triaged(subject).ok()?? {
            None => Some(Outcome::NoCrash),
            Some(line) => {
                let line: CrashLine = serde_json::from_str(&line).ok()?;
                let crash = line.to_crash().ok()?;
                let reproducibility = Reproducibility { n_same: 1, n_tried: 1 };
                Some(Outcome::Crashed(vec![Seen { crash, log: Vec::new(), input: None, reproducibility }]))
            }
        }
    }
}

pub(crate) fn run(
    launcher: &Launcher,
    settings: &Settings,
    console: &Console,
    args: &TriageArgs,
) -> Result<u8, CliError> {
    let started_at = Instant::now();
    let subjects = Subjects::find(args)?;
    let n_files = subjects.n_files();
    let mut triaged = logs::triage(&subjects.logs, args);
    let memory = Memory::open(settings, args)?;
    for (target, files) in &subjects.inputs {
        triaged.extend(inputs::triage(launcher, settings, console, target, files, &memory)?);
    }
    drop(memory);
    triaged.sort_by(|a, b| a.path.cmp(&b.path));
    let named = group(settings, &triaged)?;
    let news = if args.dry_run { BTreeMap::new() } else { remember(settings, &triaged, &named)? };
    if console.is_json() {
        print_lines(console, &named);
    } else {
        print_findings(console, &named, &news);
    }
    for failed in &triaged {
        if let Outcome::Failed(why) = &failed.outcome {
            console.say(&format!("{}: {}", one_line(&failed.path, 200), one_line(why, 200)));
        }
    }
    let n_silent = triaged.iter().filter(|one| matches!(one.outcome, Outcome::NoCrash)).count() as u64;
    console.say(&format!(
        "{} in {}: {}, {n_silent} without a crash",
        count(n_files as u64, "file"),
        words(started_at.elapsed()),
        count(findings_of(&named).len() as u64, "distinct finding"),
    ));
    Ok(if named.is_empty() { 4 } else { 0 })
}

/// A crash with its names.
struct Named<'a> {
    triaged: &'a Triaged,
    seen: &'a Seen,
    keys: Keys,
    finding: Signature,
    /// Why the team does not want to hear of it.
    ignored: Option<String>,
    is_first: bool,
}

/// Names every crash, with the merges that all of them together suggest.
fn group<'a>(settings: &Settings, triaged: &'a [Triaged]) -> Result<Vec<Named<'a>>, CliError> {
    let mut grouping = Grouping::read(&settings.root)?;
    let mut found = Vec::new();
    for one in triaged {
        if let Outcome::Crashed(crashes) = &one.outcome {
            found.extend(crashes.iter().enumerate().map(|(index, seen)| (one, seen, index == 0)));
        }
    }
    let keys: Vec<Keys> = found.iter().map(|(_, seen, _)| grouping.add(&seen.crash)).collect();
    let (assignments, _) = grouping.assign();
    let named = found.into_iter().zip(keys).zip(assignments).map(
        |(((triaged, seen, is_first), keys), assignment)| {
            let ignored = assignment.ignored.map(|decision| decision.reason);
            Named { triaged, seen, keys, finding: assignment.finding, ignored, is_first }
        },
    );
    Ok(named.collect())
}

/// Takes the crashes into the store, but for those whose file it knows. Says what each finding is to it.
fn remember(
    settings: &Settings,
    triaged: &[Triaged],
    named: &[Named<'_>],
) -> Result<BTreeMap<Signature, Sighted>, CliError> {
    let mut store = Store::open(&settings.state.value)?;
    let now = Timestamp::from(SystemTime::now());
    let run = RunId::new(now, &format!("triage/{}", std::process::id()));
    store.begin_run(&run, now, "shakedown triage")?;
    let mut signed = Vec::new();
    for one in named {
        if store.triaged(&one.triaged.subject)?.is_none() {
            signed.push(sign(&store, one, now)?);
        }
    }
    let sighted = store.take_crashes(&signed, &run)?;
    let mut news = BTreeMap::new();
    for (crash, sighted) in signed.iter().zip(sighted) {
        if let Some(sighted) = sighted {
            news.entry(crash.signature.clone()).or_insert(sighted);
        }
    }
    for one in named {
        if one.finding != one.keys.signature {
            store.fold(&one.keys.signature, &one.finding, "grouped with others at triage", now)?;
        }
        if let (Some(reason), Some(Sighted::New)) = (&one.ignored, news.get(&one.finding)) {
            let ignored = shakedown_core::finding::FindingState::Ignored;
            store.set_finding_state(&one.finding, ignored, reason, now)?;
            news.insert(one.finding.clone(), Sighted::Ignored);
        }
    }
    let seen: Vec<(String, Option<String>)> = triaged
        .iter()
        .filter(|one| !matches!(one.outcome, Outcome::Failed(_)))
        .map(|one| (one.subject.clone(), line_of(named, one)))
        .collect();
    store.remember_triaged(&seen)?;
    Ok(news)
}

fn line_of(named: &[Named<'_>], one: &Triaged) -> Option<String> {
    let first = named.iter().find(|named| named.is_first && named.triaged.subject == one.subject)?;
    serde_json::to_string(&crash_line(first)).ok()
}

fn sign(store: &Store, named: &Named<'_>, now: Timestamp) -> Result<SignedCrash, CliError> {
    let crash = &named.seen.crash;
    let target = crash.target.clone().unwrap_or_else(|| TargetName::new(NO_TARGET));
    let mut signed = SignedCrash::of(crash, named.finding.clone(), target);
    signed.reproducibility = named.seen.reproducibility;
    // The files themselves are still there, so a power cut loses nothing for good.
    signed.log = store.objects().put_copy(&named.seen.log)?;
    signed.input = match &named.seen.input {
        Some(input) => Some((store.objects().put_copy(input)?, input.len() as u64)),
        None => None,
    };
    signed.seen_at = now;
    Ok(signed)
}

fn crash_line(named: &Named<'_>) -> CrashLine {
    CrashLine::new(&named.triaged.path, &named.seen.crash, &named.keys, &named.finding)
}

fn print_lines(console: &Console, named: &[Named<'_>]) {
    let mut page = String::new();
    for one in named {
        let line =
            serde_json::to_string(&crash_line(one)).expect("a crash has string keys and whole numbers only");
        page.push_str(&line);
        page.push('\n');
    }
    console.print(&page);
}

/// The crashes of each finding, the most frequent finding first.
fn findings_of<'a, 'b>(named: &'b [Named<'a>]) -> Vec<(&'b Signature, Vec<&'b Named<'a>>)> {
    let mut findings: BTreeMap<&Signature, Vec<&Named<'_>>> = BTreeMap::new();
    for one in named {
        findings.entry(&one.finding).or_default().push(one);
    }
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort_by_key(|(signature, crashes)| (std::cmp::Reverse(crashes.len()), (*signature).clone()));
    findings
}

fn print_findings(console: &Console, named: &[Named<'_>], news: &BTreeMap<Signature, Sighted>) {
    let mut page = String::new();
    for (signature, crashes) in findings_of(named) {
        let word = news.get(signature).map_or("seen", |sighted| sighted.as_str());
        let first = crashes[0];
        let title = one_line(&shakedown_core::finding::title(&first.seen.crash), 160);
        page.push_str(&format!("{word:<8} {}  {title}\n", short_id(signature.as_str())));
        if let Some(place) = shakedown_core::finding::place(&first.seen.crash) {
            page.push_str(&format!("         at {}\n", one_line(&place, 200)));
        }
        let severity = first.seen.crash.severity();
        let n_crashes = count(crashes.len() as u64, "crash").replace("crashs", "crashes");
        page.push_str(&format!(
            "         {severity} · {n_crashes}, such as {}\n",
            one_line(&first.triaged.path, 160)
        ));
    }
    console.print(&page);
}

/// What makes a second look unnecessary: the content, and the program that it was run in.
fn subject(content: &[u8], program: &str) -> String {
    format!("{program}/{}", InputId::of(content))
}
