//! The risk of an entity with the sum behind it. Must not know how it is computed.

use async_graphql::{Context, Object};
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::{self as model, RiskCause};

use super::entity::Entity;
use super::posture::Finding;
use super::signal::Signal;
use super::words::Severity;
use crate::access::{Reader, grant};

/// How risky an entity is, with the exact sum behind it.
pub(crate) struct Risk(model::Risk);

impl Risk {
    /// The risk the graph computed; nothing speaks against an entity that has none.
    pub(crate) fn of(risk: Option<model::Risk>) -> Self {
        Self(risk.unwrap_or_else(|| model::Risk {
            score: 0.0,
            level: riskgraph_domain::signal::Severity::Info,
            own: 0.0,
            propagated: 0.0,
            contributions: Vec::new(),
            model: "none".into(),
        }))
    }
}

#[Object]
impl Risk {
    /// 0 (none) to 100 (worst).
    async fn score(&self) -> f64 {
        self.0.score
    }

    async fn level(&self) -> Severity {
        self.0.level.into()
    }

    /// Points from this entity's own signals and findings.
    async fn own(&self) -> f64 {
        self.0.own
    }

    /// Points from its neighbours.
    async fn propagated(&self) -> f64 {
        self.0.propagated
    }

    /// Add up exactly to the score.
    async fn contributions(&self, ctx: &Context<'_>) -> Result<Vec<RiskContribution>, Fault> {
        let rows = grant::<Reader>(ctx)?.spend_list(self.0.contributions.clone())?;
        Ok(rows.into_iter().map(RiskContribution).collect())
    }

    async fn model_version(&self) -> &str {
        &self.0.model
    }
}

/// One addend of a risk.
pub(crate) struct RiskContribution(model::RiskContribution);

#[Object]
impl RiskContribution {
    async fn points(&self) -> f64 {
        self.0.points
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The signal it rests on; null when it is a finding, or the signal is no longer kept.
    async fn signal(&self, ctx: &Context<'_>) -> Result<Option<Signal>, Fault> {
        let RiskCause::Signal(id) = self.0.cause else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.signal(id).await?.map(Signal))
    }

    /// The finding it rests on; null when it is a signal.
    async fn finding(&self, ctx: &Context<'_>) -> Result<Option<Finding>, Fault> {
        let RiskCause::Finding(id) = self.0.cause else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.finding(id).await?.map(Finding))
    }

    /// The neighbour it came through; null when it is the entity's own.
    async fn via(&self, ctx: &Context<'_>) -> Result<Option<Entity>, Fault> {
        let Some(id) = self.0.via else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.entity(id)?.map(Entity))
    }
}
