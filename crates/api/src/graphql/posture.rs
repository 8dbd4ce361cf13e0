//! Postures and findings as GraphQL shows them. Must not know the catalogue or how it scores.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::VendorId;
use riskgraph_domain::ports::FindingFilter;
use riskgraph_domain::posture as model;

use super::entity::Entity;
use super::page::{connection, page_request};
use super::vendor::Vendor;
use super::words::{CheckResult, DateTime, DisputeKind, FindingStatus, Grade, Severity};
use crate::access::{Reader, grant};

/// How well a vendor's outside stands, from one assessment.
pub(crate) struct Posture {
    pub(crate) vendor: VendorId,
    pub(crate) model: model::Posture,
}

#[Object]
impl Posture {
    /// 0 to 100, higher is better; null when not rated.
    async fn score(&self) -> Option<f64> {
        self.model.score
    }

    async fn grade(&self) -> Grade {
        self.model.grade.into()
    }

    /// Share of the scored weight that could be judged, 0 to 1.
    async fn coverage(&self) -> f64 {
        self.model.coverage
    }

    async fn assessed_at(&self) -> DateTime {
        DateTime(self.model.assessed_at)
    }

    async fn model_version(&self) -> &str {
        &self.model.model
    }

    async fn factors(&self) -> Vec<PostureFactor> {
        self.model.factors.iter().map(PostureFactor::from).collect()
    }

    /// Adds up exactly to 100 - score.
    async fn waterfall(&self) -> Vec<PostureContribution> {
        let points = self.model.waterfall.iter();
        points.map(|points| PostureContribution { vendor: self.vendor, model: points.clone() }).collect()
    }

    /// Verdicts under public standards: observatory, ssllabs, spf, dmarc ...
    async fn compat(&self) -> Json<serde_json::Value> {
        Json(self.model.compat.clone())
    }
}

/// One area of a posture.
#[derive(SimpleObject)]
pub(crate) struct PostureFactor {
    name: String,
    /// Null when nothing of it could be judged.
    score: Option<f64>,
    weight: f64,
    coverage: f64,
}

impl From<&model::PostureFactor> for PostureFactor {
    fn from(factor: &model::PostureFactor) -> Self {
        Self { name: factor.name.to_string(), score: factor.score, weight: factor.weight, coverage: factor.coverage }
    }
}

/// Points lost, and why.
pub(crate) struct PostureContribution {
    vendor: VendorId,
    model: model::PosturePoints,
}

#[Object]
impl PostureContribution {
    async fn points(&self) -> f64 {
        self.model.points
    }

    async fn reason(&self) -> &str {
        &self.model.reason
    }

    /// The finding that cost them, as it is now; null when no single one did.
    async fn finding(&self, ctx: &Context<'_>) -> Result<Option<Finding>, Fault> {
        let (Some(check), Some(asset)) = (&self.model.check, &self.model.asset) else { return Ok(None) };
        let id = model::Finding::id_of(check, self.vendor, asset);
        Ok(grant::<Reader>(ctx)?.finding(id).await?.map(Finding))
    }
}

/// The current result of one check for one asset, with its life cycle.
pub(crate) struct Finding(pub(crate) model::Finding);

connection!(FindingConnection, FindingEdge, Finding, model::Finding);

impl Finding {
    /// A page of the findings a filter wants.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: FindingFilter,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<FindingConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.records().findings(filter, page.clone()).await?)?;
        Ok(FindingConnection::new(found, page.after.as_deref()))
    }
}

#[Object]
impl Finding {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Catalogue id, such as TLS-09.
    async fn check(&self) -> &str {
        &self.0.outcome.check
    }

    async fn result(&self) -> CheckResult {
        self.0.outcome.result.into()
    }

    async fn severity(&self) -> Severity {
        self.0.outcome.severity.into()
    }

    async fn title(&self) -> &str {
        &self.0.outcome.title
    }

    /// What to do; empty when it passed.
    async fn recommendation(&self) -> &str {
        &self.0.outcome.recommendation
    }

    /// Standard or paper.
    async fn reference(&self) -> &str {
        &self.0.outcome.reference
    }

    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    /// The host or domain it was judged on.
    async fn asset(&self, ctx: &Context<'_>) -> Result<Entity, Fault> {
        grant::<Reader>(ctx)?.asset_of_finding(&self.0).map(Entity)
    }

    async fn status(&self) -> FindingStatus {
        self.0.status.into()
    }

    /// What was seen.
    async fn evidence(&self) -> Json<serde_json::Value> {
        Json(self.0.outcome.evidence.clone())
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.0.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.0.last_seen)
    }

    async fn accepted_until(&self) -> Option<DateTime> {
        self.0.accepted_until.map(DateTime)
    }

    /// Why it was accepted or disputed, and by whom.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// In which way it is disputed, while it is.
    async fn dispute(&self) -> Option<DisputeKind> {
        self.0.dispute.map(Into::into)
    }
}
