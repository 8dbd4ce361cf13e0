//! An assessment as a person reads it: the grade, what it is made of, what to repair first, and the evidence on demand.

use std::fmt::Write as _;

use riskgraph_domain::posture::{CheckOutcome, CheckResult, Posture, ScoreFix};
use serde_json::Value;

/// Characters of a factor's bar; each stands for five points.
const BAR: usize = 20;
/// Characters of one line of evidence.
const EVIDENCE_CHARS_MAX: usize = 160;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Findings,
    /// With what was seen, also of what passed.
    Evidence,
}

/// One domain's assessment.
pub(super) struct Report<'a> {
    pub(super) domain: &'a str,
    pub(super) outcomes: &'a [CheckOutcome],
    pub(super) posture: &'a Posture,
    pub(super) fixes: &'a [ScoreFix],
}

impl Report<'_> {
    /// The page; ends with a newline.
    pub(super) fn render(&self, detail: Detail) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text, detail);
        text
    }

    fn write(&self, out: &mut String, detail: Detail) -> std::fmt::Result {
        let posture = self.posture;
        let score = posture.score.map_or_else(|| "not rated".to_owned(), |score| format!("{score:.1} of 100"));
        writeln!(out, "{}", self.domain)?;
        writeln!(
            out,
            "  Grade {}   {score}   {:.0} % could be judged   {}",
            posture.grade.as_str(),
            posture.coverage * 100.0,
            posture.model
        )?;
        if posture.score.is_none() {
            writeln!(out, "  Too little could be seen for a grade; what was seen is below.")?;
        }
        self.write_factors(out)?;
        self.write_fixes(out)?;
        self.write_findings(out, detail)?;
        self.write_standards(out)
    }

    fn write_factors(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out)?;
        for factor in &self.posture.factors {
            match factor.score {
                Some(score) => writeln!(
                    out,
                    "  {:<13} {} {score:>5.1}   weight {:>2}{}",
                    factor.name,
                    bar(score),
                    factor.weight,
                    if factor.coverage < 0.999 {
                        format!(", {:.0} % judged", factor.coverage * 100.0)
                    } else {
                        String::new()
                    }
                )?,
                None => writeln!(out, "  {:<13} {:<BAR$}     -   not judged", factor.name, "")?,
            }
        }
        Ok(())
    }

    fn write_fixes(&self, out: &mut String) -> std::fmt::Result {
        if self.fixes.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n  What would lift the score most")?;
        for (place, fix) in self.fixes.iter().enumerate() {
            writeln!(
                out,
                "  {}. +{:<4.1} to {:.1}  {} ({}, {})",
                place + 1,
                fix.gain,
                fix.score,
                fix.title,
                fix.check,
                assets(fix)
            )?;
            writeln!(out, "            {}", fix.recommendation)?;
        }
        Ok(())
    }

    fn write_findings(&self, out: &mut String, detail: Detail) -> std::fmt::Result {
        let is_shown = |outcome: &&CheckOutcome| match outcome.result {
            CheckResult::Fail | CheckResult::Warn => true,
            CheckResult::Pass | CheckResult::Unknown => detail == Detail::Evidence,
        };
        let mut shown: Vec<&CheckOutcome> = self.outcomes.iter().filter(is_shown).collect();
        shown.sort_by_key(|outcome| (order(outcome.result), std::cmp::Reverse(outcome.severity)));
        let n = |result: CheckResult| self.outcomes.iter().filter(|outcome| outcome.result == result).count();
        writeln!(
            out,
            "\n  {} failed, {} warned of, {} passed, {} unknown",
            n(CheckResult::Fail),
            n(CheckResult::Warn),
            n(CheckResult::Pass),
            n(CheckResult::Unknown)
        )?;
        for outcome in shown {
            writeln!(
                out,
                "  {:<7} {:<8} {:<8} {} [{}]",
                outcome.result.as_str(),
                outcome.severity.as_str(),
                outcome.check,
                outcome.title,
                outcome.asset
            )?;
            match detail {
                Detail::Evidence => {
                    for line in evidence(&outcome.evidence) {
                        writeln!(out, "                            {line}")?;
                    }
                    writeln!(out, "                            by {}", outcome.reference)?;
                }
                Detail::Findings if outcome.recommendation.is_empty() => {}
                Detail::Findings => writeln!(out, "          {} ({})", outcome.recommendation, outcome.reference)?,
            }
        }
        Ok(())
    }

    /// What public tools would say.
    fn write_standards(&self, out: &mut String) -> std::fmt::Result {
        let Some(compat) = self.posture.compat.as_object().filter(|compat| !compat.is_empty()) else { return Ok(()) };
        let graded: Vec<String> = compat
            .iter()
            .filter_map(|(name, verdict)| {
                let grade = verdict.get("grade")?.as_str()?;
                Some(format!("{name} {grade}"))
            })
            .collect();
        if graded.is_empty() { Ok(()) } else { writeln!(out, "\n  By public standards: {}", graded.join(", ")) }
    }
}

fn order(result: CheckResult) -> u8 {
    match result {
        CheckResult::Fail => 0,
        CheckResult::Warn => 1,
        CheckResult::Unknown => 2,
        CheckResult::Pass => 3,
    }
}

fn bar(score: f64) -> String {
    let full = (score / 100.0 * BAR as f64).round().clamp(0.0, BAR as f64) as usize;
    "█".repeat(full) + &"░".repeat(BAR - full)
}

fn assets(fix: &ScoreFix) -> String {
    match fix.assets.as_slice() {
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => String::new(),
    }
}

/// One line for each member of the evidence.
fn evidence(evidence: &Value) -> Vec<String> {
    let Some(members) = evidence.as_object() else { return Vec::new() };
    members
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let line = format!("{name}: {value}");
            match line.char_indices().nth(EVIDENCE_CHARS_MAX) {
                Some((end, _)) => format!("{}...", &line[..end]),
                None => line,
            }
        })
        .collect()
}
