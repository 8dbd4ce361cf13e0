//! Signals as GraphQL shows them. Must not know how detectors work.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::EntityId;
use riskgraph_domain::ports::SignalFilter;
use riskgraph_domain::signal as model;
use riskgraph_domain::text::Text;

use super::entity::Entity;
use super::page::{connection, page_request};
use super::words::{DateTime, Severity};
use crate::access::{Reader, grant};

/// One scored result of a detector.
pub(crate) struct Signal(pub(crate) model::Signal);

connection!(SignalConnection, SignalEdge, Signal, model::Signal);

impl Signal {
    /// A page of the signals a filter wants, newest first.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: SignalFilter,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SignalConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.records().signals(filter, page.clone()).await?)?;
        Ok(SignalConnection::new(found, page.after.as_deref()))
    }
}

#[Object]
impl Signal {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Name of the detector, such as `credential_stuffing`.
    async fn detector(&self) -> &str {
        &self.0.detector
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    /// 0 to 1.
    async fn score(&self) -> f64 {
        self.0.score
    }

    async fn severity(&self) -> Severity {
        self.0.severity.into()
    }

    /// Event time of the deciding event.
    async fn occurred_at(&self) -> DateTime {
        DateTime(self.0.occurred_at)
    }

    /// Wall time of the judgement.
    async fn detected_at(&self) -> DateTime {
        DateTime(self.0.detected_at)
    }

    async fn entities(&self, ctx: &Context<'_>) -> Result<Vec<Entity>, Fault> {
        let ids: Vec<EntityId> = self.0.entities.iter().map(|touched| touched.entity.id()).collect();
        Ok(grant::<Reader>(ctx)?.entities(&ids)?.into_iter().map(Entity).collect())
    }

    /// Why; the weights add up to the score.
    async fn reasons(&self) -> Vec<Reason> {
        self.0.reasons.iter().map(Reason::from).collect()
    }

    async fn techniques(&self) -> Vec<Technique> {
        techniques(&self.0.techniques)
    }

    /// The deciding event's id, counts, samples.
    async fn evidence(&self) -> Json<serde_json::Value> {
        Json(self.0.evidence.clone())
    }

    /// What to do, most urgent first.
    async fn advice(&self) -> &[String] {
        &self.0.advice
    }
}

/// One observation against what was expected, and its share of the score.
#[derive(SimpleObject)]
pub(crate) struct Reason {
    text: String,
    weight: f64,
    observed: Option<String>,
    expected: Option<String>,
}

impl From<&model::Reason> for Reason {
    fn from(reason: &model::Reason) -> Self {
        Self {
            text: reason.text.clone(),
            weight: reason.weight,
            observed: reason.observed.clone(),
            expected: reason.expected.clone(),
        }
    }
}

/// A technique of MITRE ATT&CK.
#[derive(SimpleObject)]
pub(crate) struct Technique {
    id: String,
    name: String,
    tactic: String,
}

/// The techniques of these ids; one we have no name for shows its id.
pub(crate) fn techniques(ids: &[Text]) -> Vec<Technique> {
    ids.iter()
        .map(|id| match model::technique(id) {
            Some(known) => Technique { id: known.id.into(), name: known.name.into(), tactic: known.tactic.into() },
            None => Technique { id: id.to_string(), name: id.to_string(), tactic: String::new() },
        })
        .collect()
}
