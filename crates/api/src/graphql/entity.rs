//! Nodes and edges of the risk graph as GraphQL shows them. Must not know how risk is computed.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use riskgraph_domain::alert::AlertFilter;
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph as model;
use riskgraph_domain::ports::SignalFilter;

use super::alert::{Alert, AlertConnection};
use super::page::{connection, page_request};
use super::risk::Risk;
use super::signal::{Signal, SignalConnection};
use super::words::{AlertStatus, DateTime, EntityKind, RelationKind, int, words};
use crate::access::{Reader, grant};

/// A node of the risk graph: a vendor, a script, a user, a card ... all are the same kind of thing.
pub(crate) struct Entity(pub(crate) model::Entity);

connection!(EntityConnection, EntityEdge, Entity, model::Entity);

#[Object]
impl Entity {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn kind(&self) -> EntityKind {
        self.0.kind.into()
    }

    /// Natural key: domain name, address, user id, card fingerprint, CVE id ...
    async fn key(&self) -> &str {
        &self.0.key
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn attributes(&self) -> Json<serde_json::Value> {
        Json(self.0.attributes.clone())
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.0.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.0.last_seen)
    }

    async fn risk(&self, ctx: &Context<'_>) -> Result<Risk, Fault> {
        let reader = grant::<Reader>(ctx)?;
        Ok(Risk::of(reader.graph().risk(self.0.id)))
    }

    /// Edges in both directions, newest first.
    async fn relations(
        &self,
        ctx: &Context<'_>,
        kinds: Option<Vec<RelationKind>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<RelationConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.graph().relations(self.0.id, &words(kinds), &page))?;
        Ok(RelationConnection::new(found, page.after.as_deref()))
    }

    /// Signals that touch it, newest first.
    async fn signals(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SignalConnection, Fault> {
        let filter = SignalFilter { entity: Some(self.0.id), ..SignalFilter::default() };
        Signal::page(ctx, filter, first, after).await
    }

    /// Alerts it takes part in, last changed first.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        status: Option<Vec<AlertStatus>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<AlertConnection, Fault> {
        let filter = AlertFilter { entity: Some(self.0.id), status: words(status), ..AlertFilter::default() };
        Alert::page(ctx, filter, first, after).await
    }
}

/// An edge of the risk graph: `from` KIND `to`.
pub(crate) struct Relation(pub(crate) model::Relation);

connection!(RelationConnection, RelationEdge, Relation, model::Relation);

#[Object]
impl Relation {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn kind(&self) -> RelationKind {
        self.0.kind.into()
    }

    async fn from(&self, ctx: &Context<'_>) -> Result<Entity, Fault> {
        grant::<Reader>(ctx)?.entity_known(self.0.from).map(Entity)
    }

    async fn to(&self, ctx: &Context<'_>) -> Result<Entity, Fault> {
        grant::<Reader>(ctx)?.entity_known(self.0.to).map(Entity)
    }

    async fn first_seen(&self) -> DateTime {
        DateTime(self.0.first_seen)
    }

    async fn last_seen(&self) -> DateTime {
        DateTime(self.0.last_seen)
    }

    /// 0 (a guess) to 1 (declared or observed).
    async fn confidence(&self) -> f64 {
        f64::from(self.0.confidence)
    }

    /// Who says so: `events`, `declared`, `crawl`, `resolved` ...
    async fn source(&self) -> &str {
        &self.0.source
    }
}

/// An entity within reach of another.
#[derive(SimpleObject)]
pub(crate) struct BlastRadius {
    entity: Entity,
    distance: i32,
    /// Edges walked, from the start to the entity.
    path: Vec<Relation>,
    /// Share of the start's risk that would arrive here, 0 to 1.
    exposure: f64,
}

impl From<model::Reached> for BlastRadius {
    fn from(reached: model::Reached) -> Self {
        Self {
            entity: Entity(reached.entity),
            distance: int(reached.distance),
            path: reached.path.into_iter().map(Relation).collect(),
            exposure: reached.exposure,
        }
    }
}

/// How many vendors depend on one provider.
#[derive(SimpleObject)]
pub(crate) struct Concentration {
    entity: Entity,
    vendors: i32,
    critical_vendors: i32,
    /// Share of all vendors, 0 to 1.
    share: f64,
}

impl From<model::Concentration> for Concentration {
    fn from(found: model::Concentration) -> Self {
        Self {
            entity: Entity(found.entity),
            vendors: int(found.vendors),
            critical_vendors: int(found.critical_vendors),
            share: found.share,
        }
    }
}
