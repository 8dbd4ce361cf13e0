//! What a vendor's score can be asked, as GraphQL shows it. Must not know how scores are made.

use async_graphql::{Context, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::VendorId;
use riskgraph_domain::posture as model;

use super::posture::{Finding, Posture};
use super::words::ScoreCause;
use crate::access::{Reader, grant};

/// One repair: a check, on every asset that fails it.
#[derive(SimpleObject)]
pub(crate) struct ScoreFix {
    /// Catalogue id.
    check: String,
    title: String,
    recommendation: String,
    /// Assets that fail it or are warned of.
    assets: Vec<String>,
    /// Points the score rises, after the repairs before it in the list.
    gain: f64,
    /// The score then.
    score: f64,
}

impl From<model::ScoreFix> for ScoreFix {
    fn from(fix: model::ScoreFix) -> Self {
        Self {
            check: fix.check.to_string(),
            title: fix.title,
            recommendation: fix.recommendation,
            assets: fix.assets.iter().map(ToString::to_string).collect(),
            gain: fix.gain,
            score: fix.score,
        }
    }
}

/// Two postures of a vendor and every point between them.
pub(crate) struct ScoreDiff {
    pub(crate) vendor: VendorId,
    pub(crate) model: model::ScoreDiff,
}

#[Object]
impl ScoreDiff {
    async fn before(&self) -> Posture {
        Posture { vendor: self.vendor, model: self.model.before.clone() }
    }

    async fn after(&self) -> Posture {
        Posture { vendor: self.vendor, model: self.model.after.clone() }
    }

    /// The greatest first; they add up to the difference of the scores. Empty when one posture is not rated.
    async fn steps(&self) -> Vec<ScoreStep> {
        let steps = self.model.steps.iter();
        steps.map(|step| ScoreStep { vendor: self.vendor, model: step.clone() }).collect()
    }
}

/// Points between two postures, for one reason.
pub(crate) struct ScoreStep {
    vendor: VendorId,
    model: model::ScoreStep,
}

#[Object]
impl ScoreStep {
    /// Positive: the score rose.
    async fn points(&self) -> f64 {
        self.model.points
    }

    async fn cause(&self) -> ScoreCause {
        self.model.cause.into()
    }

    async fn reason(&self) -> &str {
        &self.model.reason
    }

    /// The finding behind it, as it is now; null when no single one is.
    async fn finding(&self, ctx: &Context<'_>) -> Result<Option<Finding>, Fault> {
        let (Some(check), Some(asset)) = (&self.model.check, &self.model.asset) else { return Ok(None) };
        let id = model::Finding::id_of(check, self.vendor, asset);
        Ok(grant::<Reader>(ctx)?.finding(id).await?.map(Finding))
    }
}
