//! For people at a terminal: verdict first, then why, then what to do.

use std::fmt::Write;

use shakedown_core::finding::Sighted;
use shakedown_core::verdict::Outcome;

use crate::view::{FindingRow, RunView, TargetRow};

/// Whether escape sequences for colour are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    On,
    /// They are not.
    Off,
}

impl Colour {
    /// `text` in one of the sixteen colours, by its SGR code.
    pub fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "1;32";
const YELLOW: &str = "1;33";

/// Lays out a run.
pub fn render(view: &RunView, colour: Colour) -> String {
    let mut page = String::new();
    let verdict = verdict(view.outcome, colour);
    line(&mut page, &format!("{verdict}: {}", view.headline));
    for reason in &view.more_reasons {
        line(&mut page, &format!("  also: {reason}"));
    }
    findings(&mut page, &view.findings, colour);
    targets(&mut page, &view.targets, colour);
    for target in &view.unmeasured {
        line(&mut page, &format!("\n{}: {}", colour.paint(YELLOW, &target.name), target.what));
        target.complaint.iter().for_each(|complaint| line(&mut page, &format!("    {complaint}")));
    }
    if !view.notices.is_empty() {
        line(&mut page, "");
        view.notices.iter().for_each(|notice| line(&mut page, &format!("note: {notice}")));
    }
    line(&mut page, &format!("\n{}", colour.paint(DIM, &view.provenance.join(" · "))));
    for (index, command) in view.next.iter().enumerate() {
        let label = if index == 0 { "next:" } else { "     " };
        line(&mut page, &format!("{label} {}", colour.paint(BOLD, command)));
    }
    page
}

fn line(page: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{}", text.trim_end());
}

fn verdict(outcome: Outcome, colour: Colour) -> String {
    let (code, word) = match outcome {
        Outcome::Pass => (GREEN, "PASS"),
        Outcome::Fail => (RED, "FAIL"),
        Outcome::Broken => (YELLOW, "BROKEN"),
        Outcome::Undecided => (YELLOW, "UNDECIDED"),
    };
    colour.paint(code, word)
}

fn findings(page: &mut String, findings: &[FindingRow], colour: Colour) {
    for finding in findings {
        let (code, word) = match finding.sighted {
            Sighted::New => (RED, "NEW"),
            Sighted::Reopened => (RED, "BACK"),
            Sighted::Known => (YELLOW, "KNOWN"),
            Sighted::Ignored => (DIM, "IGNORED"),
        };
        let word = colour.paint(code, word);
        let title = colour.paint(BOLD, &finding.title);
        line(page, &format!("\n{word} {} {title}", finding.id));
        if let Some(place) = &finding.place {
            line(page, &format!("    at {place}"));
        }
        line(page, &format!("    {} · {} · {}", finding.target, finding.severity, finding.evidence));
        if let Some(repro) = &finding.repro {
            line(page, &format!("    {repro}"));
        }
    }
}

fn targets(page: &mut String, targets: &[TargetRow], colour: Colour) {
    if targets.is_empty() {
        return;
    }
    // What fits on eighty columns beside a name of a dozen letters; the JSON report has the features too.
    let head = ["target", "time", "exec/s", "executions", "coverage", "corpus", "crashes", "findings"];
    let cells = |target: &TargetRow| {
        [
            target.name.clone(),
            target.time.clone(),
            target.rate.clone(),
            target.executions.clone(),
            target.coverage.clone(),
            target.corpus.clone(),
            target.crashes.clone(),
            target.findings.clone(),
        ]
    };
    let rows: Vec<[String; 8]> = targets.iter().map(cells).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let lay = |cells: &[String]| {
        let first = format!("{:<width$}", cells[0], width = widths[0]);
        let rest = cells[1..].iter().zip(&widths[1..]).map(|(cell, width)| format!("{cell:>width$}"));
        [first].into_iter().chain(rest).collect::<Vec<_>>().join("  ")
    };
    line(page, &format!("\n{}", colour.paint(DIM, &lay(&head.map(str::to_owned)))));
    for (row, target) in rows.iter().zip(targets) {
        let remark = target.remark.as_ref().map(|remark| format!("  {remark}")).unwrap_or_default();
        line(page, &format!("{}{remark}", lay(row)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::view;
    use shakedown_core::run::sample;

    #[test]
    fn the_verdict_stands_first_and_the_command_last() {
        let page = render(&view(&sample::run()), Colour::Off);
        assert!(page.starts_with("FAIL: a new crash: panic: index out of bounds"), "{page}");
        assert!(page.trim_end().lines().last().unwrap().contains("shakedown findings show"), "{page}");
        assert!(!page.contains('\u{1b}'));
    }

    #[test]
    fn colours_change_no_word() {
        let view = view(&sample::run());
        let mut plain = String::new();
        let mut is_escape = false;
        for c in render(&view, Colour::On).chars() {
            match (c, is_escape) {
                ('\u{1b}', _) => is_escape = true,
                ('m', true) => is_escape = false,
                (_, true) => {}
                (c, false) => plain.push(c),
            }
        }
        assert_eq!(plain, render(&view, Colour::Off));
    }
}
