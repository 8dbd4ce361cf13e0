//! By when an alert should be resolved, and how often it is told that it was not.

use riskgraph_domain::alert::{Alert, AlertChange, AlertStatus};
use riskgraph_domain::time::{DAY_MS, MINUTE_MS};
use riskgraph_domain::triage::DUE_MS_MAX;
use riskgraph_domain::{Severity, Timestamp};

use super::config::{DueRule, PolicyConfig};

/// What holds for a due time that a person set on an alert of a severity without one: told once.
const BY_PERSON: DueRule = DueRule { within_min: 1_440, again_min: 1_440, levels_max: 1 };

/// The due times of one severity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    rule: Option<DueRule>,
}

/// What a review found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is overdue, at this level of so many.
    Level { level: u32, of: u32 },
    /// It is not overdue: the clock that said so was wrong.
    NotYet,
    /// Its due time was set by a clock that was wrong, and is set anew.
    SetAnew,
}

impl Due {
    pub(super) fn of(config: &PolicyConfig, severity: Severity) -> Self {
        Self { rule: config.due.get(&severity).copied() }
    }

    /// Sets the due time of an alert that has none, and brings it forward when the alert became worse. What a person set
    /// stays.
    pub(super) fn set(self, alert: &mut Alert, change: AlertChange, now: Timestamp) {
        let Some(rule) = self.rule.filter(|_| alert.status != AlertStatus::Resolved && alert.due_by.is_none()) else {
            return;
        };
        let within = now + rule.within_ms();
        match alert.due_at {
            None => alert.due_at = Some(within),
            Some(due_at) if change == AlertChange::Escalated && within < due_at => alert.due_at = Some(within),
            Some(_) => {}
        }
    }

    /// When the alert is next told to be overdue.
    pub(super) fn next(self, alert: &Alert) -> Option<Timestamp> {
        let rule = self.rule.unwrap_or(BY_PERSON);
        let due_at = alert.due_at.filter(|_| alert.status != AlertStatus::Resolved && alert.muted.is_none())?;
        (alert.escalation < rule.levels_max)
            .then(|| due_at + i64::from(alert.escalation).saturating_mul(rule.again_ms()))
    }

    /// Brings due time and level up to now. However far the clock jumped, it is one change.
    pub(super) fn review(self, alert: &mut Alert, now: Timestamp) -> Option<Told> {
        let due_at = alert.due_at.filter(|_| alert.status != AlertStatus::Resolved && alert.muted.is_none())?;
        let rule = self.rule.unwrap_or(BY_PERSON);
        let ahead_max = if alert.due_by.is_some() { DUE_MS_MAX } else { rule.within_ms() };
        if due_at - now > ahead_max + DAY_MS {
            alert.due_at = Some(now + rule.within_ms());
            alert.escalation = 0;
            return Some(Told::SetAnew);
        }
        let level = level(due_at, now, rule);
        if level == alert.escalation {
            return None;
        }
        alert.escalation = level;
        Some(if level == 0 { Told::NotYet } else { Told::Level { level, of: rule.levels_max } })
    }
}

fn level(due_at: Timestamp, now: Timestamp, rule: DueRule) -> u32 {
    if now < due_at {
        return 0;
    }
    let passed = (now - due_at) / rule.again_ms().max(1);
    u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1).min(rule.levels_max)
}

impl DueRule {
    fn within_ms(self) -> i64 {
        i64::from(self.within_min) * MINUTE_MS
    }

    fn again_ms(self) -> i64 {
        i64::from(self.again_min) * MINUTE_MS
    }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::AlertId;

    use super::*;

    const NOW: Timestamp = Timestamp(1_772_438_400_000);
    const RULE: DueRule = DueRule { within_min: 60, again_min: 30, levels_max: 3 };

    fn alert() -> Alert {
        Alert::new(AlertId::of(&["a"]), "a", NOW)
    }

    #[test]
    fn levels_come_one_after_the_other() {
        let due = Due { rule: Some(RULE) };
        let mut alert = alert();
        due.set(&mut alert, AlertChange::Opened, NOW);
        assert_eq!(alert.due_at, Some(NOW + 60 * MINUTE_MS));
        let mut check = |minute: i64, told: Option<Told>, next: Option<i64>| {
            assert_eq!(due.review(&mut alert, NOW + minute * MINUTE_MS), told, "{minute}");
            assert_eq!(due.next(&alert), next.map(|minute| NOW + minute * MINUTE_MS), "{minute}");
        };
        check(59, None, Some(60));
        check(60, Some(Told::Level { level: 1, of: 3 }), Some(90));
        check(89, None, Some(90));
        check(90, Some(Told::Level { level: 2, of: 3 }), Some(120));
        check(120, Some(Told::Level { level: 3, of: 3 }), None);
        check(100_000, None, None);
        // The clock went back: it is not overdue, and will be again.
        check(10, Some(Told::NotYet), Some(60));
        // A jump over several levels is one change.
        check(500_000, Some(Told::Level { level: 3, of: 3 }), None);
    }

    #[test]
    fn worse_is_due_sooner_and_people_decide() {
        let due = Due { rule: Some(RULE) };
        let mut alert = Alert { due_at: Some(NOW + DAY_MS), ..alert() };
        due.set(&mut alert, AlertChange::Updated, NOW);
        assert_eq!(alert.due_at, Some(NOW + DAY_MS));
        due.set(&mut alert, AlertChange::Escalated, NOW);
        assert_eq!(alert.due_at, Some(NOW + 60 * MINUTE_MS));
        let mut set = Alert { due_at: Some(NOW + 300 * DAY_MS), due_by: Some("ana".into()), ..alert };
        due.set(&mut set, AlertChange::Escalated, NOW);
        assert_eq!((set.due_at, due.review(&mut set, NOW)), (Some(NOW + 300 * DAY_MS), None));
    }

    #[test]
    fn a_due_time_no_rule_could_have_set_is_set_anew() {
        let due = Due { rule: Some(RULE) };
        let mut auto = Alert { due_at: Some(NOW + 3 * DAY_MS), ..alert() };
        assert_eq!(due.review(&mut auto, NOW), Some(Told::SetAnew));
        assert_eq!(auto.due_at, Some(NOW + 60 * MINUTE_MS));
        assert_eq!(due.review(&mut auto, NOW), None);
    }

    #[test]
    fn what_is_muted_resolved_or_never_due_is_not_told() {
        let due = Due { rule: Some(RULE) };
        let late = Alert { due_at: Some(NOW - DAY_MS), ..alert() };
        let mute = riskgraph_domain::alert::Mute {
            kind: riskgraph_domain::alert::MuteKind::Storm,
            reason: String::new(),
            until: None,
            silence: None,
            by: None,
        };
        let mut muted = Alert { muted: Some(mute), ..late.clone() };
        assert_eq!((due.next(&muted), due.review(&mut muted, NOW)), (None, None));
        let mut over = Alert { status: AlertStatus::Resolved, ..late };
        assert_eq!((due.next(&over), due.review(&mut over, NOW)), (None, None));
        let none = Due { rule: None };
        let mut info = alert();
        none.set(&mut info, AlertChange::Opened, NOW);
        assert_eq!((info.due_at, none.next(&info), none.review(&mut info, NOW)), (None, None, None));
        let mut set = Alert { due_at: Some(NOW), due_by: Some("ana".into()), ..info };
        assert_eq!(none.review(&mut set, NOW), Some(Told::Level { level: 1, of: 1 }));
    }
}
