//! What the demo prints at its end.

use std::fmt::Write as _;

use riskgraph_domain::posture::Posture;
use riskgraph_domain::vendor::Vendor;
use riskgraph_lab::{Role, Sheet, Verdict};

/// The numbers behind the table.
pub struct Summary {
    pub vendors: Vec<(Vendor, Option<Posture>)>,
    pub n_accepted: u64,
    pub n_judged: u64,
    pub n_signals: u64,
    pub n_alerts: usize,
    pub n_above_low: usize,
    pub sheet: Sheet,
    pub resident_mb: f64,
}

impl Summary {
    /// The table.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\nVENDORS\n  {:<34} {:<28} {:<9} {:>5}  {:>8}", "name", "domain", "tier", "grade", "coverage")?;
        for (vendor, posture) in &self.vendors {
            let domain = vendor.domains.first().map_or("-", |domain| domain.as_str());
            let (grade, coverage) = match posture {
                Some(posture) => (posture.grade.as_str(), format!("{:.0} %", posture.coverage * 100.0)),
                None => ("...", "-".to_owned()),
            };
            writeln!(
                out,
                "  {:<34} {domain:<28} {:<9} {grade:>5}  {coverage:>8}",
                cut(&vendor.name, 34),
                vendor.tier.as_str()
            )?;
        }
        writeln!(
            out,
            "\nEVENTS\n  {} accepted, {} judged, {} signals, {} alerts ({} above LOW), {:.0} MB resident",
            self.n_accepted, self.n_judged, self.n_signals, self.n_alerts, self.n_above_low, self.resident_mb
        )?;
        self.write_stories(out, "ATTACKS", Role::Attack)?;
        self.write_stories(out, "BENIGN TWINS (must stay quiet)", Role::Twin)?;
        writeln!(out, "\nFALSE ALERTS above LOW: {}", self.sheet.false_alerts.len())?;
        for alert in &self.sheet.false_alerts {
            writeln!(out, "  {:<8} {} {}", alert.severity.as_str(), alert.opened_at, alert.title)?;
        }
        Ok(())
    }

    fn write_stories(&self, out: &mut String, title: &str, role: Role) -> std::fmt::Result {
        writeln!(out, "\n{title}")?;
        for verdict in self.sheet.verdicts.iter().filter(|verdict| verdict.happening.role == role) {
            let happening = &verdict.happening;
            let name = if role == Role::Attack { happening.scenario.title() } else { happening.scenario.twin_title() };
            writeln!(out, "  {:<4} {:<52} {}", happening.scenario.as_str(), name, outcome(verdict))?;
        }
        Ok(())
    }
}

fn outcome(verdict: &Verdict) -> String {
    let worst = verdict.worst.map_or("no alert", riskgraph_domain::Severity::as_str);
    match verdict.caught_at {
        Some(at) => format!("{worst} {} after its start", span((at - verdict.happening.starts) / 1_000)),
        None => worst.to_owned(),
    }
}

/// Seconds in the largest fitting unit.
fn span(seconds: i64) -> String {
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s => format!("{:.1} h", s as f64 / 3_600.0),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width { text.to_owned() } else { text.chars().take(width - 1).chain(['~']).collect() }
}

/// Resident memory of this process, MB; `NaN` where the system does not say.
#[must_use]
pub fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}
