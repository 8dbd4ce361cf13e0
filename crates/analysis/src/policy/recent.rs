//! Alerts that ended lately, by the number of their last change.
//!
//! A change of an alert that is over comes with the alert as it was read from its row. Between reading and judging another
//! change may have been made: then this one does not fit and is made anew. Known are the newest; for older ones it is
//! enough that the row was read after their last change.

use std::collections::BTreeMap;

use riskgraph_domain::alert::{Alert, AlertStatus};
use riskgraph_domain::triage::changed_meanwhile;
use riskgraph_domain::{AlertId, Fault};
use serde::{Deserialize, Serialize};

/// Alerts known one by one: far more than change between a read and its judgement.
const KNOWN_MAX: usize = 512;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Recent {
    last: BTreeMap<AlertId, u64>,
    /// What is not in `last` changed last at this number or before.
    forgotten_until: u64,
}

impl Recent {
    pub(super) fn note(&mut self, id: AlertId, revision: u64) {
        self.last.insert(id, revision);
        if self.last.len() > KNOWN_MAX
            && let Some((oldest, revision)) =
                self.last.iter().map(|(id, revision)| (*id, *revision)).min_by_key(|e| e.1)
        {
            self.last.remove(&oldest);
            self.forgotten_until = self.forgotten_until.max(revision);
        }
    }

    pub(super) fn forget(&mut self, id: AlertId) {
        self.last.remove(&id);
    }

    pub(super) fn knows(&self, id: AlertId) -> bool {
        self.last.contains_key(&id)
    }

    pub(super) fn check(&self, alert: &Alert, as_of: u64) -> Result<(), Fault> {
        let fits = match self.last.get(&alert.id) {
            Some(revision) => *revision == alert.revision,
            None => as_of >= self.forgotten_until,
        };
        if fits && alert.status == AlertStatus::Resolved { Ok(()) } else { Err(changed_meanwhile()) }
    }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::Timestamp;

    use super::*;

    fn alert(name: u64, revision: u64) -> Alert {
        let id = AlertId::of(&[&name.to_string()]);
        Alert { status: AlertStatus::Resolved, revision, ..Alert::new(id, "", Timestamp(0)) }
    }

    #[test]
    fn only_the_last_version_fits() {
        let mut recent = Recent::default();
        for n in 0..KNOWN_MAX as u64 + 10 {
            recent.note(alert(n, 0).id, n + 1);
        }
        let check = |n: u64, revision: u64, as_of: u64, fits: bool| {
            assert_eq!(recent.check(&alert(n, revision), as_of).is_ok(), fits, "{n} {revision} {as_of}");
        };
        check(100, 101, 0, true);
        check(100, 100, 9_999, false);
        // Number 9 (revision 10) is the newest that was forgotten.
        check(9, 10, 10, true);
        check(9, 10, 9, false);
        check(3, 4, 10, true);
        // Never changed since anybody looked.
        check(100_000, 0, 10, true);
        let open = Alert { status: AlertStatus::Open, ..alert(100, 101) };
        assert!(recent.check(&open, 9_999).is_err());
    }
}
