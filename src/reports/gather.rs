//! Reads what was known at an instant. It must *not* read what is known now, nor ask a clock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::journal::Position;
use riskgraph_domain::posture::{Finding, Grade, Posture};
use riskgraph_domain::report::{Cut, FindingVersion, FourthParty, History, ReportKind};
use riskgraph_domain::time::{DAY_MS, MINUTE_MS};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{EntityId, FindingId, Timestamp, VendorId};
use riskgraph_report::{Facts, Quantities, Silence, SilenceKind, VendorFacts};

/// A line of a vendor's points goes back this far.
const HISTORY_MS: i64 = 365 * DAY_MS;
/// Two cuts further apart than this: the service did not run. It makes one every minute.
const DOWN_AFTER_MS: i64 = 10 * MINUTE_MS;

/// What is wanted, with nothing left to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub kind: ReportKind,
    /// Set for [`ReportKind::Vendor`] and only then.
    pub vendor: Option<VendorId>,
    pub since: Timestamp,
    pub as_of: Timestamp,
}

/// Reads history.
#[derive(Clone)]
pub struct Gatherer {
    pub history: Arc<dyn History>,
    pub quantities: Quantities,
    pub silent_after_ms: i64,
    pub public_url: String,
}

/// What was known of vendors at a cut.
#[derive(Default)]
struct Known {
    postures: HashMap<VendorId, Posture>,
    findings: HashMap<VendorId, Vec<Finding>>,
}

impl Gatherer {
    /// Everything a report of this kind says, as it was known at `ask.as_of`.
    ///
    /// # Errors
    /// `BadInput` when no history reaches back that far, `NotFound` when there was no such vendor.
    pub async fn facts(&self, ask: Ask) -> Result<Facts, Fault> {
        let Some(cut) = self.history.cut_at(ask.as_of).await? else { return Err(self.too_early(ask.as_of).await?) };
        let before = self.history.cut_at(ask.since).await?;
        let history_begins = match before {
            Some(_) => None,
            None => self.history.first_cut().await?.map(|first| first.at),
        };
        // Before the first cut only that is known which was there when history began: its rows carry position 0.
        let before = before.unwrap_or(Cut { at: ask.since, position: Position(0), sequence: 0, n_events: 0 });
        let vendors = self.vendors(ask, cut).await?;
        let facts = Facts {
            kind: ask.kind,
            since: ask.since,
            as_of: ask.as_of,
            public_url: self.public_url.clone(),
            vendors: self.vendor_facts(ask, &vendors, (before, cut)).await?,
            alerts: Vec::new(),
            alerts_left_out: 0,
            silences: Vec::new(),
            history_begins,
            quantities: self.quantities.clone(),
        };
        if ask.kind == ReportKind::Vendor {
            // A vendor is told of itself; neither the shop's alerts nor its traffic are its business.
            return Ok(facts);
        }
        let (alerts, alerts_left_out) = self.alerts(cut).await?;
        let silences = self.silences(ask, history_begins).await?;
        Ok(Facts { alerts, alerts_left_out, silences, ..facts })
    }

    async fn too_early(&self, as_of: Timestamp) -> Result<Fault, Fault> {
        let begin = match self.history.first_cut().await? {
            Some(first) => format!("history begins at {}; ask for an instant after that", first.at),
            None => "history has not begun yet; start the service once".to_owned(),
        };
        Ok(Fault::new(FaultCode::BadInput, format!("nothing is known as of {as_of}: {begin}")))
    }

    async fn vendors(&self, ask: Ask, cut: Cut) -> Result<Vec<Vendor>, Fault> {
        let mut vendors = self.history.vendors_at(cut).await?;
        if let Some(wanted) = ask.vendor {
            vendors.retain(|vendor| vendor.id == wanted);
            if vendors.is_empty() {
                return Err(Fault::not_found("vendor at that instant"));
            }
        }
        vendors.sort_by_cached_key(|vendor| (vendor.name.to_lowercase(), vendor.id));
        Ok(vendors)
    }

    async fn vendor_facts(
        &self,
        ask: Ask,
        vendors: &[Vendor],
        (before, cut): (Cut, Cut),
    ) -> Result<Vec<VendorFacts>, Fault> {
        let mut now = self.known(cut, ask.vendor).await?;
        let mut then = self.known(before, ask.vendor).await?;
        let fourth = self.history.fourth_parties_at(cut).await?;
        let by_node = by_node(&fourth);
        let mut all = Vec::with_capacity(vendors.len());
        for vendor in vendors {
            let id = vendor.id;
            let (n_fourth_parties, new_fourth_parties) = fourth_parties(vendor, &by_node, before);
            let history = match ask.kind {
                ReportKind::Vendor => self.history.posture_history(cut, id, ask.as_of - HISTORY_MS).await?,
                _ => Vec::new(),
            };
            let findings_before: BTreeMap<FindingId, Finding> =
                then.findings.remove(&id).unwrap_or_default().into_iter().map(|f| (f.id, f)).collect();
            all.push(VendorFacts {
                vendor: vendor.clone(),
                posture: now.postures.remove(&id),
                grade_before: then.postures.get(&id).map(|posture: &Posture| -> Grade { posture.grade }),
                history,
                findings: now.findings.remove(&id).unwrap_or_default(),
                findings_before,
                new_fourth_parties,
                n_fourth_parties,
            });
        }
        Ok(all)
    }

    async fn known(&self, cut: Cut, vendor: Option<VendorId>) -> Result<Known, Fault> {
        let mut known = Known::default();
        known.postures.extend(self.history.postures_at(cut, vendor).await?);
        for FindingVersion { finding, .. } in self.history.findings_at(cut, vendor).await? {
            if let Some(vendor) = finding.vendor {
                known.findings.entry(vendor).or_default().push(finding);
            }
        }
        Ok(known)
    }

    /// Stretches of the period without a running service, or without events.
    async fn silences(&self, ask: Ask, history_begins: Option<Timestamp>) -> Result<Vec<Silence>, Fault> {
        let begin = history_begins.map_or(ask.since, |begin| begin.max(ask.since));
        let cuts = self.history.cuts(begin, ask.as_of).await?;
        Ok(silences(begin, ask.as_of, &cuts, self.silent_after_ms))
    }
}

/// Walks the cuts: a wide gap is a stop, a long run of cuts without events is silence.
fn silences(begin: Timestamp, end: Timestamp, cuts: &[Cut], silent_after_ms: i64) -> Vec<Silence> {
    let mut found = Vec::new();
    let mut heard_at = begin;
    let mut last = begin;
    let close = |found: &mut Vec<Silence>, from: Timestamp, until: Timestamp| {
        if until - from >= silent_after_ms {
            found.push(Silence { from, until, kind: SilenceKind::NoEvents });
        }
    };
    for cut in cuts {
        if cut.at - last > DOWN_AFTER_MS {
            close(&mut found, heard_at, last);
            found.push(Silence { from: last, until: cut.at, kind: SilenceKind::Down });
            heard_at = cut.at;
        } else if cut.n_events > 0 {
            // The events came somewhere between the two cuts.
            close(&mut found, heard_at, last);
            heard_at = cut.at;
        }
        last = cut.at;
    }
    close(&mut found, heard_at, last);
    if end - last > DOWN_AFTER_MS {
        found.push(Silence { from: last, until: end, kind: SilenceKind::Down });
    }
    found
}

fn by_node(fourth: &[FourthParty]) -> HashMap<EntityId, Vec<&FourthParty>> {
    let mut by_node: HashMap<EntityId, Vec<&FourthParty>> = HashMap::new();
    for party in fourth {
        by_node.entry(party.from).or_default().push(party);
    }
    by_node
}

/// How many others a vendor depends on, and the names of those that are new since the cut, with when they were seen.
fn fourth_parties(
    vendor: &Vendor,
    by_node: &HashMap<EntityId, Vec<&FourthParty>>,
    before: Cut,
) -> (usize, Vec<(String, Timestamp)>) {
    let domains = vendor.domains.iter().map(|domain| EntityKey::new(EntityKind::Domain, domain.clone()));
    let nodes: Vec<EntityId> = std::iter::once(vendor.entity()).chain(domains).map(|key| key.id()).collect();
    let of: Vec<&FourthParty> = nodes.iter().filter_map(|node| by_node.get(node)).flatten().copied().collect();
    let names: HashSet<&str> = of.iter().map(|party| party.to.key.as_str()).collect();
    let known: HashSet<&str> =
        of.iter().filter(|party| party.position <= before.position).map(|party| party.to.key.as_str()).collect();
    let mut new: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for party in of.iter().filter(|party| !known.contains(party.to.key.as_str())) {
        let seen = new.entry(party.to.key.as_str()).or_insert(party.first_seen);
        *seen = party.first_seen.min(*seen);
    }
    (names.len(), new.into_iter().map(|(name, at)| (name.to_owned(), at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_stops_from_silence() {
        let minute = |n: i64| Timestamp(n * MINUTE_MS);
        let cut = |n: i64, n_events| Cut { at: minute(n), position: Position(1), sequence: 0, n_events };
        let check = |cuts: &[Cut], want: &[(i64, i64, SilenceKind)]| {
            let found: Vec<_> = silences(minute(0), minute(300), cuts, 60 * MINUTE_MS)
                .into_iter()
                .map(|s| (s.from.0 / MINUTE_MS, s.until.0 / MINUTE_MS, s.kind))
                .collect();
            assert_eq!(found, want);
        };
        let busy: Vec<Cut> = (1..=300).map(|n| cut(n, 5)).collect();
        check(&busy, &[]);
        check(&[], &[(0, 300, SilenceKind::Down)]);
        let quiet: Vec<Cut> = (1..=300).map(|n| cut(n, u64::from(!(100..=180).contains(&n)))).collect();
        check(&quiet, &[(99, 180, SilenceKind::NoEvents)]);
        let stopped: Vec<Cut> = (1..=300).filter(|n| !(50..100).contains(n)).map(|n| cut(n, 1)).collect();
        check(&stopped, &[(49, 100, SilenceKind::Down)]);
    }
}
