//! Partner integrations as GraphQL shows them. Must not know how their normal is learned.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::id::EntityId;
use riskgraph_domain::ports::SignalFilter;
use riskgraph_domain::vendor as model;

use super::entity::Entity;
use super::page::connection;
use super::risk::Risk;
use super::signal::{Signal, SignalConnection};
use super::vendor::Vendor;
use super::words::DateTime;
use crate::access::{Reader, grant};

/// Seconds of a traffic step: when not given, least and most.
const STEP_DEFAULT_S: i32 = 3_600;
const STEP_MIN_S: i32 = 10;
const STEP_MAX_S: i32 = 7 * 86_400;
/// Points of one traffic answer: 31 days of hours fit, and 10,000 s of the finest step.
const TRAFFIC_POINTS_MAX: i64 = 1_000;

/// A partner's connection to our API, seen in traffic or declared by a vendor.
pub(crate) struct Integration(pub(crate) model::Integration);

connection!(IntegrationConnection, IntegrationEdge, Integration, model::Integration);

impl Integration {
    fn entity_id(&self) -> EntityId {
        EntityKey::new(EntityKind::Integration, self.0.name.clone()).id()
    }
}

#[Object]
impl Integration {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its node in the risk graph.
    async fn entity(&self, ctx: &Context<'_>) -> Result<Entity, Fault> {
        grant::<Reader>(ctx)?.entity_of_integration(&self.0).await.map(Entity)
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    /// The API keys it was seen with.
    async fn keys(&self, ctx: &Context<'_>) -> Result<Vec<Entity>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let keys = reader.spend_list(reader.graph().keys_of(self.entity_id()))?;
        Ok(keys.into_iter().map(Entity).collect())
    }

    /// What is normal: rates by hour of week, endpoints, statuses, networks, record volume.
    async fn baseline(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>, Fault> {
        Ok(Json(grant::<Reader>(ctx)?.baseline().baseline(&self.0.name)))
    }

    /// Its traffic against the learned band, in steps of `stepSeconds` (3600 when not given); at most 1,000 points.
    async fn traffic(
        &self,
        ctx: &Context<'_>,
        since: DateTime,
        until: Option<DateTime>,
        step_seconds: Option<i32>,
    ) -> Result<Vec<TrafficPoint>, Fault> {
        let step_s = step(&since, until.as_ref(), step_seconds)?;
        let reader = grant::<Reader>(ctx)?;
        let points = reader.baseline().traffic(&self.0.name, since.0, until.map(|until| until.0), step_s);
        let points = reader.spend_list(points)?;
        Ok(points.into_iter().map(TrafficPoint::from).take(TRAFFIC_POINTS_MAX as usize).collect())
    }

    async fn signals(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SignalConnection, Fault> {
        let filter = SignalFilter { entity: Some(self.entity_id()), ..SignalFilter::default() };
        Signal::page(ctx, filter, first, after).await
    }

    async fn risk(&self, ctx: &Context<'_>) -> Result<Risk, Fault> {
        Ok(Risk::of(grant::<Reader>(ctx)?.graph().risk(self.entity_id())))
    }
}

fn step(since: &DateTime, until: Option<&DateTime>, given: Option<i32>) -> Result<u32, Fault> {
    let step_s = given.unwrap_or(STEP_DEFAULT_S);
    if !(STEP_MIN_S..=STEP_MAX_S).contains(&step_s) {
        let message = format!("stepSeconds: give {STEP_MIN_S} to {STEP_MAX_S}");
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    if let Some(until) = until {
        let span_ms = until.0 - since.0;
        if span_ms < 0 {
            return Err(Fault::new(FaultCode::BadInput, "until lies before since; swap them"));
        }
        if span_ms / (i64::from(step_s) * 1_000) > TRAFFIC_POINTS_MAX {
            let message = format!("that is more than {TRAFFIC_POINTS_MAX} points; take a larger stepSeconds");
            return Err(Fault::new(FaultCode::BadInput, message));
        }
    }
    Ok(step_s.unsigned_abs())
}

/// One step of an integration's traffic against its learned band.
#[derive(SimpleObject)]
pub(crate) struct TrafficPoint {
    time: DateTime,
    calls: f64,
    expected: f64,
    lower: f64,
    upper: f64,
    errors: f64,
    records: f64,
    /// 0 to 1.
    anomaly: f64,
}

impl From<model::TrafficPoint> for TrafficPoint {
    fn from(point: model::TrafficPoint) -> Self {
        Self {
            time: DateTime(point.time),
            calls: point.calls,
            expected: point.expected,
            lower: point.lower,
            upper: point.upper,
            errors: point.errors,
            records: point.records,
            anomaly: point.anomaly,
        }
    }
}
