//! What can be asked of a vendor's score: what if, what first, and why it changed. Reads what is stored and asks the
//! arithmetic anew; nothing is crawled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_analysis::posture::{
    AssetProfile, PostureConfig, Profiles, Scored, Standing, best_fixes, difference, score, what_if,
};
use riskgraph_domain::error::Fault;
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{FindingFilter, GraphView, Records};
use riskgraph_domain::posture::{CheckOutcome, Finding, FindingStatus, Posture, PostureDesk, ScoreDiff, ScoreFix};
use riskgraph_domain::{EntityKey, EntityKind, FindingId, Text, Timestamp, VendorId};

/// Results of one vendor that are looked at; an assessment takes no more.
const OUTCOMES_MAX: usize = 2_000;

/// The desk; cheap to make.
pub struct ScoreDesk {
    pub records: Arc<dyn Records>,
    /// Knows since when an asset is there.
    pub graph: Arc<dyn GraphView>,
    pub config: Arc<PostureConfig>,
}

/// What a vendor's score is made of now.
struct Base {
    findings: Vec<Finding>,
    outcomes: Vec<CheckOutcome>,
    profiles: Profiles,
    posture: Posture,
}

impl ScoreDesk {
    async fn base(&self, id: VendorId) -> Result<Option<Base>, Fault> {
        let Some(vendor) = self.records.vendor(id).await? else { return Err(Fault::not_found("vendor")) };
        let Some((_, posture)) = self.records.current_postures(&[id]).await?.into_iter().next() else {
            return Ok(None);
        };
        let findings = self.findings(id).await?;
        let outcomes = findings.iter().map(|finding| finding.outcome.clone()).collect();
        let profile = AssetProfile { api: !vendor.integrations.is_empty(), ..AssetProfile::default() };
        Ok(Some(Base { findings, outcomes, profiles: Profiles::from(profile), posture }))
    }

    async fn findings(&self, id: VendorId) -> Result<Vec<Finding>, Fault> {
        let filter = FindingFilter { vendor: Some(id), check: None, status: Vec::new(), min_severity: None };
        let (mut found, mut page) = (Vec::new(), PageRequest::first(PAGE_MAX));
        loop {
            let next = self.records.findings(filter.clone(), page).await?;
            let last = next.items.last().map(|(cursor, _)| cursor.clone());
            found.extend(next.items.into_iter().map(|(_, finding)| finding));
            match last {
                Some(cursor) if next.has_next && found.len() < OUTCOMES_MAX => {
                    page = PageRequest { first: PAGE_MAX, after: Some(cursor) };
                }
                _ => return Ok(found),
            }
        }
    }

    fn scored<'a>(&'a self, base: &'a Base, outcomes: &'a [CheckOutcome]) -> Scored<'a> {
        let at = base.posture.assessed_at;
        Scored { outcomes, profiles: &base.profiles, incidents: &[], config: &self.config, at }
    }
}

#[async_trait]
impl PostureDesk for ScoreDesk {
    async fn what_if(&self, vendor: VendorId, repaired: &[FindingId]) -> Result<Option<Posture>, Fault> {
        let Some(base) = self.base(vendor).await? else { return Ok(None) };
        let wanted: BTreeSet<FindingId> = repaired.iter().copied().collect();
        let repaired: BTreeSet<(Text, Text)> = base
            .findings
            .iter()
            .filter(|finding| wanted.contains(&finding.id))
            .map(|finding| (finding.outcome.check.clone(), finding.outcome.asset.clone()))
            .collect();
        let then = what_if(self.scored(&base, &base.outcomes), &repaired);
        Ok(Some(Posture { compat: base.posture.compat, ..then }))
    }

    async fn without_disputed(&self, vendor: VendorId) -> Result<Option<Posture>, Fault> {
        let Some(base) = self.base(vendor).await? else { return Ok(None) };
        let undisputed = base.findings.iter().filter(|finding| finding.status != FindingStatus::Disputed);
        let outcomes: Vec<CheckOutcome> = undisputed.map(|finding| finding.outcome.clone()).collect();
        let then = score(&outcomes, &base.profiles, &[], &self.config, base.posture.assessed_at);
        Ok(Some(Posture { compat: base.posture.compat, ..then }))
    }

    async fn fixes(&self, vendor: VendorId, max: usize) -> Result<Vec<ScoreFix>, Fault> {
        let Some(base) = self.base(vendor).await? else { return Ok(Vec::new()) };
        Ok(best_fixes(self.scored(&base, &base.outcomes), max))
    }

    async fn difference(
        &self,
        vendor: VendorId,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Option<ScoreDiff>, Fault> {
        // Newest first; the first one of all where none is as old as asked.
        let history = self.records.postures(vendor, None).await?;
        let at = |limit: Timestamp| history.iter().find(|posture| posture.assessed_at <= limit);
        let before = at(since).or_else(|| history.last());
        let after = until.map_or_else(|| history.first(), at);
        let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
        let key = |finding: &Finding| (finding.outcome.check.clone(), finding.outcome.asset.clone());
        let findings = self.findings(vendor).await?.into_iter().map(|finding| (key(&finding), finding)).collect();
        let (before_at, after_at) = (before.assessed_at, after.assessed_at);
        let standings = Standings { findings, graph: &*self.graph, before: before_at, after: after_at };
        let steps = difference(before, after, |check, asset| standings.of_row(check, asset));
        Ok(Some(ScoreDiff { before: before.clone(), after: after.clone(), steps }))
    }
}

/// How the findings of a vendor stand, for the causes of a difference.
struct Standings<'a> {
    findings: BTreeMap<(Text, Text), Finding>,
    graph: &'a dyn GraphView,
    before: Timestamp,
    after: Timestamp,
}

impl Standings<'_> {
    fn of_row(&self, check: &str, asset: &str) -> Standing {
        let finding = self.findings.get(&(Text::from(check), Text::from(asset)));
        let node = self.graph.entity(EntityKey::new(EntityKind::Domain, asset).id());
        Standing {
            asset_changed: node.is_some_and(|node| node.first_seen > self.before || node.last_seen < self.after),
            set_aside: finding
                .is_some_and(|finding| matches!(finding.status, FindingStatus::Disputed | FindingStatus::Accepted)),
            stale: finding.is_some_and(|finding| finding.last_seen < self.after),
        }
    }
}
