//! Silences and cases: what people decide over several alerts. It must not know how they are judged or stored.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Comment, TimelineEntry, words};
use crate::error::{Fault, FaultCode};
use crate::graph::EntityKind;
use crate::id::{AlertId, CaseId, SilenceId};
use crate::page::{Page, PageRequest};
use crate::signal::Severity;
use crate::text::Text;
use crate::time::{DAY_MS, Timestamp};

/// Conditions of one silence.
pub const MATCHERS_MAX: usize = 16;
/// Characters of a matcher's value.
pub const VALUE_CHARS_MAX: usize = 256;
/// Characters of a reason, comment or note.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of a case's title.
pub const TITLE_CHARS_MAX: usize = 200;
/// How far ahead a silence may end: what is to stay quiet for longer is a matter of configuration.
pub const SILENCE_MS_MAX: i64 = 90 * DAY_MS;
/// How far ahead an alert may be due.
pub const DUE_MS_MAX: i64 = 365 * DAY_MS;
/// Alerts of one case.
pub const CASE_ALERTS_MAX: usize = 200;

words! {
    /// What of an alert a matcher looks at.
    MatchField {
        Severity = "SEVERITY", Detector = "DETECTOR", Technique = "TECHNIQUE", Entity = "ENTITY",
        EntityKind = "ENTITY_KIND", Vendor = "VENDOR", Title = "TITLE",
    }
}
words! {
    /// How a matcher compares.
    MatchOp {
        Equals = "EQUALS", NotEquals = "NOT_EQUALS", Contains = "CONTAINS", AtLeast = "AT_LEAST", AtMost = "AT_MOST",
    }
}
words! {
    /// Whether somebody works on a case.
    CaseStatus { Open = "OPEN", Closed = "CLOSED" }
}
words! {
    /// Where a silence is in its life.
    SilenceState { Waiting = "WAITING", Active = "ACTIVE", Over = "OVER" }
}

/// One condition on an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    pub field: MatchField,
    pub op: MatchOp,
    pub value: Text,
}

/// Alerts that meet all matchers are muted for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    pub matchers: Vec<Matcher>,
    pub author: Text,
    pub reason: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub state: SilenceState,
    /// Alerts it has muted so far.
    pub mutes: u32,
}

/// What a person gives for a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceInput {
    pub matchers: Vec<Matcher>,
    pub reason: String,
    /// Now, when not given.
    pub starts_at: Option<Timestamp>,
    pub ends_at: Timestamp,
}

/// Several alerts that somebody works on as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    pub title: String,
    pub status: CaseStatus,
    /// The worst of its alerts.
    pub severity: Severity,
    pub assignee: Option<Text>,
    pub created_by: Text,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// In the order in which they came.
    pub members: Vec<Member>,
    /// Oldest first.
    pub comments: Vec<Comment>,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The case that stands for this one while they are merged.
    pub merged_into: Option<CaseId>,
    /// The status it had before it was merged.
    pub status_before: Option<CaseStatus>,
    /// Cases merged into this one.
    pub merged: Vec<CaseId>,
    /// Nobody can change it any more: too many newer ones are kept.
    pub archived: bool,
}

/// An alert of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub alert: AlertId,
    /// As of its last change.
    pub severity: Severity,
    /// The merged case that brought it in.
    pub from: Option<CaseId>,
}

/// What a person gives for a new case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInput {
    pub title: String,
    pub alerts: Vec<AlertId>,
    pub assignee: Option<Text>,
}

/// What is to change of a case; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseUpdate {
    pub title: Option<String>,
    pub assignee: Option<Text>,
    pub status: Option<CaseStatus>,
}

/// Which cases are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    pub status: Option<CaseStatus>,
    /// Part of the title, without case.
    pub query: Option<String>,
}

/// The reading side of the store for triage.
#[async_trait]
pub trait TriageRecords: Send + Sync {
    /// Last ending first; `Some(true)` only those in force, `Some(false)` only the others.
    async fn silences(&self, active: Option<bool>, page: PageRequest) -> Result<Page<Silence>, Fault>;
    async fn silence(&self, id: SilenceId) -> Result<Option<Silence>, Fault>;
    /// Last changed first.
    async fn cases(&self, filter: CaseFilter, page: PageRequest) -> Result<Page<Case>, Fault>;
    async fn case(&self, id: CaseId) -> Result<Option<Case>, Fault>;
    /// Those of these ids that exist, in any order.
    async fn alerts_by_id(&self, ids: &[AlertId]) -> Result<Vec<Alert>, Fault>;
    /// Resolved alerts that share a detector, technique, entity or vendor with this one, newest first, at most `max`.
    async fn alike(&self, alert: &Alert, max: usize) -> Result<Vec<Alert>, Fault>;
}

/// A past alert that is like another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    pub alert: Alert,
    /// 0 ..= 1.
    pub similarity: f64,
    /// What both have, in words, most telling first.
    pub shared: Vec<String>,
}

/// Finds past alerts that are like one.
#[async_trait]
pub trait PastAlerts: Send + Sync {
    /// Most similar first, at most `max`.
    async fn similar(&self, alert: &Alert, max: usize) -> Result<Vec<Similar>, Fault>;
}

impl Matcher {
    /// Whether the operator fits the field and the value fits both.
    ///
    /// # Errors
    /// What is wrong, in words that follow the matcher's place.
    pub fn check(&self) -> Result<(), String> {
        use MatchOp::{AtLeast, AtMost, Contains, Equals, NotEquals};
        let allowed: &[MatchOp] = match self.field {
            MatchField::Severity => &[Equals, NotEquals, AtLeast, AtMost],
            MatchField::EntityKind => &[Equals, NotEquals],
            _ => &[Equals, NotEquals, Contains],
        };
        if !allowed.contains(&self.op) {
            let names: Vec<&str> = allowed.iter().map(|op| op.as_str()).collect();
            return Err(format!(
                "{} cannot be compared by {}; use {}",
                self.field.as_str(),
                self.op.as_str(),
                names.join(", ")
            ));
        }
        let chars = self.value.chars().count();
        if self.value.trim().is_empty() || chars > VALUE_CHARS_MAX {
            return Err(format!("give a value of 1 to {VALUE_CHARS_MAX} characters"));
        }
        match self.field {
            MatchField::Severity if Severity::parse(&self.value).is_none() => {
                Err(format!("'{}' is no severity; use INFO, LOW, MEDIUM, HIGH or CRITICAL", self.value))
            }
            MatchField::EntityKind if EntityKind::parse(&self.value).is_none() => {
                Err(format!("'{}' is no kind of entity; write it like API_KEY", self.value))
            }
            _ => Ok(()),
        }
    }
}

impl SilenceInput {
    /// Whether such a silence can begin now.
    ///
    /// # Errors
    /// `BadInput` that names the field and the remedy.
    pub fn check(&self, now: Timestamp) -> Result<(), Fault> {
        let wrong = |message: String| Err(Fault::new(FaultCode::BadInput, message));
        if self.matchers.is_empty() {
            return wrong("matchers: give at least one; a silence of everything is not possible".to_owned());
        }
        if self.matchers.len() > MATCHERS_MAX {
            return wrong(format!("matchers: give at most {MATCHERS_MAX}"));
        }
        for (place, matcher) in self.matchers.iter().enumerate() {
            if let Err(problem) = matcher.check() {
                return wrong(format!("matchers[{place}]: {problem}"));
            }
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > TEXT_CHARS_MAX {
            return wrong(format!("reason: say why, in 1 to {TEXT_CHARS_MAX} characters"));
        }
        if self.ends_at <= now {
            return wrong(format!("endsAt: {} has passed; give a time to come", self.ends_at));
        }
        if self.ends_at - now > SILENCE_MS_MAX {
            return wrong(format!("endsAt: at most {} days ahead", SILENCE_MS_MAX / DAY_MS));
        }
        if self.starts_at.is_some_and(|starts_at| starts_at >= self.ends_at) {
            return wrong("startsAt: must be before endsAt".to_owned());
        }
        Ok(())
    }
}

impl Silence {
    /// Where it is in its life at this instant. One that ends further ahead than any could have been set was made under a
    /// clock that was wrong: it is over.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> SilenceState {
        if self.state == SilenceState::Over || self.ends_at <= now || self.ends_at - now > SILENCE_MS_MAX + DAY_MS {
            SilenceState::Over
        } else if self.starts_at <= now {
            SilenceState::Active
        } else {
            SilenceState::Waiting
        }
    }
}

/// The fault of a change that was made for an alert as it no longer is; made anew, it fits.
#[must_use]
pub fn changed_meanwhile() -> Fault {
    Fault::new(FaultCode::Conflict, "the alert was changed at the same moment; try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_772_438_400_000);

    fn matcher(field: &str, op: &str, value: &str) -> Matcher {
        Matcher {
            field: MatchField::parse(field).expect("a field"),
            op: MatchOp::parse(op).expect("an operator"),
            value: value.into(),
        }
    }

    #[test]
    fn matchers_are_checked() {
        let check = |field, op, value: &str, wrong: Option<&str>| match (matcher(field, op, value).check(), wrong) {
            (Ok(()), None) => {}
            (Err(problem), Some(part)) if problem.contains(part) => {}
            other => panic!("{field} {op} {value}: {other:?}"),
        };
        check("SEVERITY", "AT_LEAST", "HIGH", None);
        check("SEVERITY", "AT_LEAST", "high", Some("no severity"));
        check("SEVERITY", "CONTAINS", "HIGH", Some("use EQUALS, NOT_EQUALS, AT_LEAST, AT_MOST"));
        check("TITLE", "AT_MOST", "x", Some("use EQUALS, NOT_EQUALS, CONTAINS"));
        check("TITLE", "CONTAINS", "", Some("1 to 256"));
        check("TITLE", "CONTAINS", "  ", Some("1 to 256"));
        check("TITLE", "CONTAINS", &"x".repeat(257), Some("1 to 256"));
        check("TITLE", "CONTAINS", &"ü".repeat(256), None);
        check("ENTITY_KIND", "EQUALS", "API_KEY", None);
        check("ENTITY_KIND", "EQUALS", "KEY", Some("no kind"));
        check("ENTITY_KIND", "CONTAINS", "API_KEY", Some("EQUALS"));
        check("VENDOR", "NOT_EQUALS", "acme", None);
        check("DETECTOR", "EQUALS", "scraping", None);
        check("TECHNIQUE", "EQUALS", "T1110", None);
        check("ENTITY", "CONTAINS", "192.0.2.", None);
    }

    #[test]
    fn silences_are_checked() {
        let good = || SilenceInput {
            matchers: vec![matcher("TITLE", "CONTAINS", "x")],
            reason: "maintenance".to_owned(),
            starts_at: None,
            ends_at: NOW + 1,
        };
        let check = |input: SilenceInput, wrong: Option<&str>| match (input.check(NOW), wrong) {
            (Ok(()), None) => {}
            (Err(fault), Some(part)) if fault.code == FaultCode::BadInput && fault.message.contains(part) => {}
            (other, _) => panic!("{input:?}: {other:?}"),
        };
        check(good(), None);
        check(SilenceInput { matchers: Vec::new(), ..good() }, Some("at least one"));
        check(SilenceInput { matchers: vec![matcher("TITLE", "CONTAINS", "x"); 17], ..good() }, Some("at most 16"));
        let second = vec![matcher("TITLE", "CONTAINS", "x"), matcher("SEVERITY", "EQUALS", "BAD")];
        check(SilenceInput { matchers: second, ..good() }, Some("matchers[1]: 'BAD'"));
        check(SilenceInput { reason: " ".to_owned(), ..good() }, Some("reason"));
        check(SilenceInput { ends_at: NOW, ..good() }, Some("has passed"));
        check(SilenceInput { ends_at: NOW + SILENCE_MS_MAX, ..good() }, None);
        check(SilenceInput { ends_at: NOW + SILENCE_MS_MAX + 1, ..good() }, Some("90 days"));
        check(SilenceInput { starts_at: Some(NOW + 1), ..good() }, Some("before endsAt"));
        check(SilenceInput { starts_at: Some(NOW - 5), ..good() }, None);
    }

    #[test]
    fn a_silence_lives_by_the_clock_it_is_given() {
        let silence = Silence {
            id: SilenceId(1),
            matchers: Vec::new(),
            author: "ana".into(),
            reason: String::new(),
            starts_at: NOW,
            ends_at: NOW + DAY_MS,
            state: SilenceState::Waiting,
            mutes: 0,
        };
        let check = |now: Timestamp, state: SilenceState| assert_eq!(silence.state_at(now), state, "{now}");
        check(NOW - 1, SilenceState::Waiting);
        check(NOW, SilenceState::Active);
        check(NOW + DAY_MS - 1, SilenceState::Active);
        check(NOW + DAY_MS, SilenceState::Over);
        // Set while the clock was far ahead.
        check(NOW - 200 * DAY_MS, SilenceState::Over);
    }
}
