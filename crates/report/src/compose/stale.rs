//! What of the input is old or missing, and which figures that touches.

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::HOUR_MS;

use crate::facts::{Facts, SilenceKind, VendorFacts};
use crate::model::{Block, ReportModel, Stale};
use crate::words;

/// Vendors and silences named one by one; more are counted.
const NAMED_MAX: usize = 5;

/// Why figures of one sort may be old, in words for the mark; none when they are fresh.
#[derive(Debug, Clone, Default)]
pub(super) struct Staleness {
    /// Of grades and findings.
    pub(super) vendors: Option<String>,
    /// Of alerts.
    pub(super) alerts: Option<String>,
    /// The whole story, for the list.
    stories: Vec<(Sort, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Vendors,
    Alerts,
    Both,
}

/// Why a vendor's own result is old.
pub(super) fn of_vendor(facts: &Facts, vendor: &VendorFacts) -> Option<String> {
    let hours = facts.quantities.assessed_within_h(vendor.vendor.tier);
    let limit_ms = i64::from(hours) * HOUR_MS;
    let assessed = vendor.posture.as_ref().map(|posture| posture.assessed_at);
    let age = facts.as_of - assessed.unwrap_or(vendor.vendor.added_at);
    if age <= limit_ms {
        return None;
    }
    Some(match assessed {
        Some(at) => format!("last assessed {} ago, on {}", words::duration(age), words::date(at)),
        None => "never assessed".to_owned(),
    })
}

/// What is old or missing for a report over all vendors.
pub(super) fn of_all(facts: &Facts) -> Staleness {
    let mut staleness = Staleness::default();
    let old: Vec<(&str, String)> = facts
        .vendors
        .iter()
        .filter_map(|vendor| Some((vendor.vendor.name.as_str(), of_vendor(facts, vendor)?)))
        .collect();
    if !old.is_empty() {
        let n = words::count(old.len(), "vendor");
        staleness.vendors = Some(format!("{n} not assessed in time"));
        let named: Vec<String> =
            old.iter().take(NAMED_MAX).map(|(name, why)| format!("{} ({why})", words::cut(name, 60))).collect();
        let more = old.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let text = format!("Not assessed within the time of their tier: {}{more}.", named.join(", "));
        staleness.stories.push((Sort::Vendors, text));
    }
    silences(facts, &mut staleness);
    if facts.alerts_left_out > 0 {
        let text = format!(
            "{} with the oldest changes are left out: there are more than one report can read.",
            words::count(facts.alerts_left_out, "alert")
        );
        staleness.alerts.get_or_insert_with(|| "the oldest alerts are left out".to_owned());
        staleness.stories.push((Sort::Alerts, text));
    }
    if let Some(begin) = facts.history_begins {
        let text = format!(
            "History begins on {}: what was known at the begin of the period is not kept, so everything found until \
             then counts as new.",
            words::moment(begin)
        );
        staleness.stories.push((Sort::Both, text));
    }
    staleness
}

fn silences(facts: &Facts, staleness: &mut Staleness) {
    for (kind, what) in [(SilenceKind::Down, "The service did not run"), (SilenceKind::NoEvents, "No event arrived")] {
        let found: Vec<(Timestamp, Timestamp)> =
            facts.silences.iter().filter(|silence| silence.kind == kind).map(|s| (s.from, s.until)).collect();
        if found.is_empty() {
            continue;
        }
        let total: i64 = found.iter().map(|(from, until)| *until - *from).sum();
        let mark = match kind {
            SilenceKind::Down => format!("the service was down for {}", words::duration(total)),
            SilenceKind::NoEvents => format!("no events for {}", words::duration(total)),
        };
        staleness.alerts = Some(match staleness.alerts.take() {
            Some(before) => format!("{before}; {mark}"),
            None => mark,
        });
        let spans: Vec<String> = found
            .iter()
            .take(NAMED_MAX)
            .map(|(from, until)| format!("from {} to {}", words::moment(*from), words::moment(*until)))
            .collect();
        let more = found.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(", and {more} more times") } else { String::new() };
        let text = format!("{what} {}{more}. Attacks in that time may be missing.", spans.join(", "));
        staleness.stories.push((Sort::Alerts, text));
    }
}

impl Staleness {
    /// Lists the stories in the report, each with the figures and tables it touches.
    pub(super) fn tell(self, model: &mut ReportModel) {
        let marked = |wanted: &Option<String>| -> Vec<String> {
            let Some(wanted) = wanted else { return Vec::new() };
            let blocks = model.sections.iter().flat_map(|section| &section.blocks);
            blocks
                .flat_map(|block| match block {
                    Block::Figures { figures } => {
                        figures.iter().filter(|figure| figure.stale.as_ref() == Some(wanted)).map(|f| &f.id).collect()
                    }
                    Block::Table(table) if table.rows.iter().any(|row| row.stale.is_some()) => vec![&table.id],
                    _ => Vec::new(),
                })
                .cloned()
                .collect()
        };
        let (vendors, alerts) = (marked(&self.vendors), marked(&self.alerts));
        for (sort, text) in self.stories {
            let affects = match sort {
                Sort::Vendors => vendors.clone(),
                Sort::Alerts => alerts.clone(),
                Sort::Both => Vec::new(),
            };
            model.stale.push(Stale { text, affects });
        }
    }
}
