//! What changed in the portfolio since an instant, newest first, from the same history as the reports.

use std::collections::{BTreeMap, HashMap, HashSet};

use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::id::hash128;
use riskgraph_domain::journal::Position;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::posture::{CheckResult, FindingStatus, Grade};
use riskgraph_domain::report::{ChangeKind, Cut, PortfolioChange};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{EntityId, Timestamp, VendorId};

use super::gather::Gatherer;

/// Changes looked at; of more the newest.
const FINDINGS_MAX: usize = 2_000;
const ALERTS_MAX: usize = 2_000;
/// How far before the begin an earlier grade is looked for.
const GRADE_BACK_MS: i64 = 100 * DAY_MS;
/// Detectors that read news of incidents.
const READ_NEWS: [&str; 2] = ["vendor_incident", "leak_match"];

impl Gatherer {
    /// What changed, newest first.
    ///
    /// # Errors
    /// When the store cannot be read, or the cursor is none of ours.
    pub async fn changes(&self, since: Timestamp, page: PageRequest) -> Result<Page<PortfolioChange>, Fault> {
        // Everything that is known now.
        let now = Cut { at: Timestamp(i64::MAX), position: Position(u64::MAX), sequence: u64::MAX, n_events: 0 };
        let nothing = Cut { at: since, position: Position(0), sequence: 0, n_events: 0 };
        let before = self.history.cut_at(since).await?.unwrap_or(nothing);
        let vendors: BTreeMap<VendorId, Vendor> =
            self.history.vendors_at(now).await?.into_iter().map(|vendor| (vendor.id, vendor)).collect();
        let mut all = self.grade_changes((since, now), &vendors).await?;
        all.extend(self.finding_changes(since, (before, now), &vendors).await?);
        all.extend(self.new_fourth_parties((before, now), &vendors).await?);
        all.extend(self.new_alerts((since, now), &vendors).await?);
        all.retain(|change| change.at >= since);
        paged(all, page)
    }

    /// One vendor as it is known now.
    pub(super) async fn knows(&self, id: VendorId) -> Result<Option<Vendor>, Fault> {
        let now = Cut { at: Timestamp(i64::MAX), position: Position(u64::MAX), sequence: u64::MAX, n_events: 0 };
        Ok(self.history.vendors_at(now).await?.into_iter().find(|vendor| vendor.id == id))
    }

    async fn grade_changes(
        &self,
        (since, now): (Timestamp, Cut),
        vendors: &BTreeMap<VendorId, Vendor>,
    ) -> Result<Vec<PortfolioChange>, Fault> {
        let mut last: HashMap<VendorId, Grade> = HashMap::new();
        let mut changes = Vec::new();
        for point in self.history.grades(now, since - GRADE_BACK_MS).await? {
            let before = last.insert(point.vendor, point.grade);
            let (Some(vendor), true) = (vendors.get(&point.vendor), point.at >= since && before != Some(point.grade))
            else {
                continue;
            };
            let after = said(point.grade);
            let text = match before {
                Some(before) => format!("{}: grade {} after {}", vendor.name, after, said(before)),
                None => format!("{}: first grade {after}", vendor.name),
            };
            changes.push(PortfolioChange {
                before: before.map(|grade| said(grade).to_owned()),
                after: Some(after.to_owned()),
                ..change(point.at, ChangeKind::Grade, text, Some(point.vendor))
            });
        }
        Ok(changes)
    }

    async fn finding_changes(
        &self,
        since: Timestamp,
        (before, now): (Cut, Cut),
        vendors: &BTreeMap<VendorId, Vendor>,
    ) -> Result<Vec<PortfolioChange>, Fault> {
        let mut seen = HashSet::new();
        let mut changes = Vec::new();
        for version in self.history.finding_versions(before, now, FINDINGS_MAX).await? {
            let finding = version.finding;
            let Some(vendor) = finding.vendor.and_then(|id| vendors.get(&id)) else { continue };
            let (kind, at, word) = match finding.status {
                FindingStatus::Resolved => (ChangeKind::FindingFixed, finding.last_seen, "fixed"),
                FindingStatus::Open if finding.first_seen >= since => {
                    let word = if finding.outcome.result == CheckResult::Warn { "partly not met" } else { "not met" };
                    (ChangeKind::FindingNew, finding.first_seen, word)
                }
                _ => continue,
            };
            if seen.insert((finding.id, kind, at)) {
                let text = format!("{}: {word}: {} ({})", vendor.name, finding.outcome.title, finding.outcome.asset);
                let after = Some(finding.status.as_str().to_owned());
                let told = change(at, kind, text, Some(vendor.id));
                changes.push(PortfolioChange { finding: Some(finding.id), after, ..told });
            }
        }
        Ok(changes)
    }

    async fn new_fourth_parties(
        &self,
        (before, now): (Cut, Cut),
        vendors: &BTreeMap<VendorId, Vendor>,
    ) -> Result<Vec<PortfolioChange>, Fault> {
        let mut owners: HashMap<EntityId, &Vendor> = HashMap::new();
        for vendor in vendors.values() {
            let domains = vendor.domains.iter().map(|domain| EntityKey::new(EntityKind::Domain, domain.clone()));
            for key in std::iter::once(vendor.entity()).chain(domains) {
                owners.entry(key.id()).or_insert(vendor);
            }
        }
        let parties = self.history.fourth_parties_at(now).await?;
        let new = parties.into_iter().filter(|party| party.position > before.position);
        let told = new.filter_map(|party| {
            let vendor = owners.get(&party.from)?;
            let text = format!("{} newly depends on {}", vendor.name, party.to.key);
            Some(PortfolioChange {
                after: Some(party.to.key.to_string()),
                ..change(party.first_seen, ChangeKind::FourthParty, text, Some(vendor.id))
            })
        });
        Ok(told.collect())
    }

    async fn new_alerts(
        &self,
        (since, now): (Timestamp, Cut),
        vendors: &BTreeMap<VendorId, Vendor>,
    ) -> Result<Vec<PortfolioChange>, Fault> {
        let (events, _) = self.history.alerts_at(now, ALERTS_MAX).await?;
        let told = events.into_iter().map(|event| event.alert).filter_map(|alert| {
            let raised_at = alert.accepted_at.unwrap_or(alert.opened_at);
            let vendor = alert.vendors.iter().find(|id| vendors.contains_key(id)).copied();
            let is_incident = vendor.is_some() && alert.detectors.iter().any(|name| READ_NEWS.contains(&name.as_str()));
            let kind = if is_incident { ChangeKind::Incident } else { ChangeKind::Alert };
            (raised_at >= since).then(|| PortfolioChange {
                alert: Some(alert.id),
                after: Some(alert.severity.as_str().to_owned()),
                ..change(raised_at, kind, alert.title, vendor)
            })
        });
        Ok(told.collect())
    }
}

fn change(at: Timestamp, kind: ChangeKind, text: String, vendor: Option<VendorId>) -> PortfolioChange {
    PortfolioChange { at, kind, text, vendor, finding: None, alert: None, before: None, after: None }
}

fn said(grade: Grade) -> &'static str {
    if grade == Grade::NR { "not rated" } else { grade.as_str() }
}

/// A page of the list. A cursor is the place of a change in the order, so changes that come later move nothing.
fn paged(all: Vec<PortfolioChange>, page: PageRequest) -> Result<Page<PortfolioChange>, Fault> {
    let mut ordered: Vec<((i64, u128), PortfolioChange)> =
        all.into_iter().map(|change| ((change.at.0, hash128(&[change.kind.as_str(), &change.text])), change)).collect();
    ordered.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    ordered.dedup_by_key(|(place, _)| *place);
    let after = match page.after.as_deref() {
        Some(cursor) => Some(parse(cursor).ok_or_else(|| {
            Fault::new(FaultCode::StaleCursor, "the cursor is none of this list; start again without 'after'")
        })?),
        None => None,
    };
    let mut left = ordered.into_iter().filter(|(place, _)| after.is_none_or(|after| *place < after)).peekable();
    let items = left.by_ref().take(page.first).map(|((at, hash), item)| (format!("{at}.{hash:032x}"), item)).collect();
    Ok(Page { items, has_next: left.peek().is_some(), total: None })
}

fn parse(cursor: &str) -> Option<(i64, u128)> {
    let (at, hash) = cursor.split_once('.')?;
    Some((at.parse().ok()?, u128::from_str_radix(hash, 16).ok()?))
}
