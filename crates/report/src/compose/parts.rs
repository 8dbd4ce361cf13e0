//! Pieces that several reports have in common: figures, links, what is overdue, what is new.

use riskgraph_domain::posture::{Finding, FindingStatus, Grade};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Timestamp};

use crate::facts::{AlertFacts, Facts, VendorFacts};
use crate::model::{Figure, Link, Tone};
use crate::words;

/// A figure to be finished with the `with_` functions.
pub(super) fn figure(id: &str, label: &str, shown: String, value: Option<f64>) -> Figure {
    Figure {
        id: id.to_owned(),
        label: label.to_owned(),
        shown,
        value,
        unit: String::new(),
        note: None,
        tone: Tone::Plain,
        evidence: Link { url: String::new(), text: String::new() },
        stale: None,
    }
}

/// A figure that counts things.
pub(super) fn counted(id: &str, label: &str, n: usize) -> Figure {
    let shown = words::thousands(i64::try_from(n).unwrap_or(i64::MAX));
    Figure { unit: "count".to_owned(), ..figure(id, label, shown, Some(n as f64)) }
}

impl Figure {
    pub(super) fn unit(self, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..self }
    }

    pub(super) fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// Bad when there is any.
    pub(super) fn bad_when_any(self, bad: Tone) -> Self {
        let tone = if self.value.is_some_and(|value| value > 0.0) { bad } else { Tone::Good };
        Self { tone, ..self }
    }

    pub(super) fn from(self, url: String, text: &str) -> Self {
        Self { evidence: Link { url, text: text.to_owned() }, ..self }
    }

    pub(super) fn stale(self, why: Option<&String>) -> Self {
        Self { stale: why.cloned(), ..self }
    }
}

/// Addresses of the console.
pub(super) struct Links<'a>(pub(super) &'a Facts);

impl Links<'_> {
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.0.public_url)
    }

    pub(super) fn vendor(&self, vendor: &VendorFacts) -> String {
        self.to(&format!("/vendors/{}", vendor.vendor.id))
    }

    pub(super) fn alert(&self, alert: &AlertFacts) -> String {
        self.to(&format!("/alerts/{}", alert.alert.id))
    }

    pub(super) fn entity(&self, id: riskgraph_domain::EntityId) -> String {
        self.to(&format!("/graph?entity={id}"))
    }
}

/// The grade of a vendor at the instant.
pub(super) fn grade_of(vendor: &VendorFacts) -> Grade {
    vendor.posture.as_ref().map_or(Grade::NR, |posture| posture.grade)
}

/// Findings somebody has to do something about.
pub(super) fn open_findings(vendor: &VendorFacts) -> impl Iterator<Item = &Finding> {
    vendor.findings.iter().filter(|finding| finding.status == FindingStatus::Open)
}

/// Days beyond the time a finding may stay open; none when it is not overdue.
pub(super) fn overdue_days(facts: &Facts, finding: &Finding) -> Option<i64> {
    let allowed = i64::from(facts.quantities.fixed_within_days(finding.outcome.severity)) * DAY_MS;
    let over = (facts.as_of - finding.first_seen) - allowed;
    (finding.status == FindingStatus::Open && over > 0).then(|| words::days(over) + 1)
}

/// Open findings that were not there, or not open, at the begin of the period.
pub(super) fn new_findings(vendor: &VendorFacts) -> impl Iterator<Item = &Finding> {
    open_findings(vendor).filter(|finding| {
        vendor.findings_before.get(&finding.id).is_none_or(|before| before.status == FindingStatus::Resolved)
    })
}

/// Findings that were there at the begin of the period and are gone.
pub(super) fn fixed_findings(vendor: &VendorFacts) -> impl Iterator<Item = &Finding> {
    vendor.findings.iter().filter(|finding| {
        finding.status == FindingStatus::Resolved
            && vendor.findings_before.get(&finding.id).is_some_and(|before| before.status != FindingStatus::Resolved)
    })
}

/// Whether an alert was raised in the period.
pub(super) fn is_new(facts: &Facts, alert: &AlertFacts) -> bool {
    alert.raised_at > facts.since && alert.raised_at <= facts.as_of
}

/// Whether an alert was raised in a stretch of the same length before the period.
pub(super) fn is_from_before(facts: &Facts, alert: &AlertFacts) -> bool {
    let begin = facts.since - (facts.as_of - facts.since);
    alert.raised_at > begin && alert.raised_at <= facts.since
}

/// High and critical.
pub(super) fn is_serious(alert: &AlertFacts) -> bool {
    alert.alert.severity >= Severity::High
}

/// `3 more than in the 7 days before`.
pub(super) fn against(n_now: usize, n_before: usize, period_ms: i64) -> String {
    let days = words::count((period_ms + DAY_MS / 2) / DAY_MS, "day");
    match n_now.cmp(&n_before) {
        std::cmp::Ordering::Equal => format!("as many as in the {days} before"),
        std::cmp::Ordering::Greater => format!("{} more than in the {days} before", n_now - n_before),
        std::cmp::Ordering::Less => format!("{} fewer than in the {days} before", n_before - n_now),
    }
}

/// Whether an incident was reported at a vendor: by the detectors that read such news.
pub(super) fn is_incident(alert: &AlertFacts) -> bool {
    const READ_NEWS: [&str; 2] = ["vendor_incident", "leak_match"];
    !alert.alert.vendors.is_empty() && alert.alert.detectors.iter().any(|name| READ_NEWS.contains(&name.as_str()))
}

/// Ends of equal steps that cover the time until the instant, oldest first.
pub(super) fn steps(until: Timestamp, step_ms: i64, n: i64) -> Vec<(Timestamp, Timestamp)> {
    (0..n).rev().map(|back| (until - (back + 1) * step_ms, until - back * step_ms)).collect()
}

/// How the figures were made, in words every report has.
pub(super) fn method(facts: &Facts) -> Vec<String> {
    vec![
        format!(
            "Everything in this report was known on {}. Made again for the same instant it is the same, byte for byte.",
            words::moment(facts.as_of)
        ),
        format!("Changes are against what was known on {}.", words::moment(facts.since)),
    ]
}
