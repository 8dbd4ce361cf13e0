//! Numbers, times and grades in plain words. It must *not* know reports.

use chrono::DateTime;
use riskgraph_domain::alert::{AlertStatus, Verdict};
use riskgraph_domain::posture::{CheckOutcome, CheckResult, FindingStatus, Grade};
use riskgraph_domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use riskgraph_domain::vendor::VendorTier;
use riskgraph_domain::{EntityKind, Severity, Timestamp};

use crate::model::Tone;

/// `2 March 2026`.
pub(crate) fn date(at: Timestamp) -> String {
    format(at, "%-d %B %Y")
}

/// `2 March 2026, 08:00 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    format(at, "%-d %B %Y, %H:%M UTC")
}

/// `2 Mar`.
pub(crate) fn day(at: Timestamp) -> String {
    format(at, "%-d %b")
}

fn format(at: Timestamp, pattern: &str) -> String {
    DateTime::from_timestamp_millis(at.millis()).unwrap_or_default().format(pattern).to_string()
}

/// `45 s`, `20 min`, `3 h 20 min`, `2 days 4 h`.
pub(crate) fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    let part = |n: i64, unit: &str| if n == 0 { String::new() } else { format!(" {n} {unit}") };
    match ms {
        ms if ms < SECOND_MS => "under 1 s".to_owned(),
        ms if ms < MINUTE_MS => format!("{} s", ms / SECOND_MS),
        ms if ms < HOUR_MS => format!("{} min", ms / MINUTE_MS),
        ms if ms < DAY_MS => format!("{} h{}", ms / HOUR_MS, part(ms % HOUR_MS / MINUTE_MS, "min")),
        ms => format!("{}{}", count(ms / DAY_MS, "day"), part(ms % DAY_MS / HOUR_MS, "h")),
    }
}

/// Whole days, rounded down.
pub(crate) fn days(ms: i64) -> i64 {
    ms.max(0) / DAY_MS
}

/// `1 alert`, `3 alerts`, `1,200 alerts`.
pub(crate) fn count(n: impl TryInto<i64>, noun: &str) -> String {
    let n: i64 = n.try_into().unwrap_or(i64::MAX);
    let plural = match noun.strip_suffix('y') {
        _ if n == 1 => noun.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", thousands(n))
}

/// `1,234,567`.
pub(crate) fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = if n < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `87 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// `84.5`.
pub(crate) fn score(score: f64) -> String {
    format!("{score:.1}")
}

/// The first characters of a text, with a mark when it was longer. Control characters become spaces.
pub(crate) fn cut(text: &str, max_chars: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(max_chars).map(clean).collect();
    if text.chars().count() > max_chars {
        short.push('…');
    }
    short
}

pub(crate) const fn grade_tone(grade: Grade) -> Tone {
    match grade {
        Grade::A => Tone::Good,
        Grade::B => Tone::Fair,
        Grade::C => Tone::Warn,
        Grade::D => Tone::Bad,
        Grade::F => Tone::Worst,
        Grade::NR => Tone::Plain,
    }
}

pub(crate) const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::NR => "not rated",
        _ => grade.as_str(),
    }
}

pub(crate) const fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Worst,
        Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warn,
        Severity::Low => Tone::Fair,
        Severity::Info => Tone::Plain,
    }
}

pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

pub(crate) const fn tier(tier: VendorTier) -> &'static str {
    match tier {
        VendorTier::Critical => "Critical",
        VendorTier::High => "High",
        VendorTier::Medium => "Medium",
        VendorTier::Low => "Low",
    }
}

pub(crate) const fn alert_status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Open => "New",
        AlertStatus::Acknowledged => "Being looked at",
        AlertStatus::Resolved => "Resolved",
    }
}

pub(crate) const fn finding_status(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Open => "Open",
        FindingStatus::Resolved => "Fixed",
        FindingStatus::Accepted => "Accepted",
        FindingStatus::Disputed => "Disputed",
    }
}

/// What a finding says: its title is what should be so.
pub(crate) fn finding(outcome: &CheckOutcome, max_chars: usize) -> String {
    let word = if outcome.result == CheckResult::Warn { "Only partly met" } else { "Not met" };
    format!("{word}: {}", cut(&outcome.title, max_chars))
}

pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TruePositive => "Real attack or problem",
        Verdict::FalsePositive => "False alarm",
        Verdict::Benign => "Real, but harmless",
        Verdict::Duplicate => "Duplicate of another alert",
        Verdict::InsufficientData => "Could not be decided",
    }
}

/// `API key`, `gift card`.
pub(crate) fn entity_kind(kind: EntityKind) -> String {
    let text = kind.as_str().replace('_', " ").to_lowercase();
    if let Some(rest) = text.strip_prefix("api ") { format!("API {rest}") } else { text }
}

/// `credential_stuffing` as `Credential stuffing`.
pub(crate) fn detector(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The area of a posture as people say it.
pub(crate) fn factor(name: &str) -> String {
    match name {
        "tls" => "Encryption (TLS)".to_owned(),
        "dns" => "Domain names (DNS)".to_owned(),
        "mail" => "E-mail".to_owned(),
        "headers" | "web" => "Browser protection (headers)".to_owned(),
        other => detector(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_times_and_counts_as_people_do() {
        for (ms, want) in [
            (-5, "under 1 s"),
            (45 * SECOND_MS, "45 s"),
            (20 * MINUTE_MS, "20 min"),
            (3 * HOUR_MS + 20 * MINUTE_MS, "3 h 20 min"),
            (3 * HOUR_MS, "3 h"),
            (DAY_MS, "1 day"),
            (2 * DAY_MS + 4 * HOUR_MS, "2 days 4 h"),
        ] {
            assert_eq!(duration(ms), want);
        }
        assert_eq!(count(1, "alert"), "1 alert");
        assert_eq!(count(1_200, "fourth party"), "1,200 fourth parties");
        assert_eq!(count(2, "day"), "2 days");
        assert_eq!(thousands(-1_234_567), "-1,234,567");
        assert_eq!(moment(Timestamp(1_772_438_401_120)), "2 March 2026, 08:00 UTC");
        assert_eq!(cut("a\nbcdef", 3), "a b…");
    }
}
