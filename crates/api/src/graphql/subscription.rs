//! The root of all streams. Must not know over which protocol they travel.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures::stream::{BoxStream, StreamExt};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{AssessmentProgress as Progress, LiveAlert, Records};

use super::alert::{AlertEvent, AlertFilter};
use super::entity::Entity;
use super::node::parse_id;
use super::run::Run;
use super::vendor::Vendor;
use super::words::{EntityKind, int, words};
use crate::live::Wanted;
use crate::surface::subscription as may;

/// Points of risk a change must have when `minDelta` is not given.
const MIN_DELTA_DEFAULT: f64 = 1.0;

/// A durable cursor that came with the request (`Last-Event-ID` of an SSE client that reconnects); it is newer than the
/// one in the document.
pub(crate) struct ResumeFrom(pub(crate) String);

/// Everything that can be followed.
#[derive(Default)]
pub(crate) struct Subscription;

#[Subscription]
impl Subscription {
    /// Changes of alerts. With `after`: replays what came after that cursor, then goes on live, without gap or repeat.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        filter: Option<AlertFilter>,
        after: Option<String>,
    ) -> Result<BoxStream<'static, AlertEvent>, Fault> {
        let reader = may::alerts(ctx)?;
        let after = ctx.data_opt::<ResumeFrom>().map(|resume| resume.0.clone()).or(after);
        let after = match after {
            Some(cursor) => Some(place(reader.records(), &cursor).await?),
            None => None,
        };
        let wanted = Wanted::new(filter.unwrap_or_default().checked()?, reader.records()).await?;
        let session = reader.session();
        let events = reader.live().alerts(after).await?;
        // A filtered-out event may carry a gap; the next delivered one tells it.
        let delivered = events.scan(0_u64, move |missed, item: LiveAlert| {
            *missed = missed.saturating_add(item.lagged);
            let event = wanted
                .wants(&item.event.alert, &*session.services.graph)
                .then(|| delivered(&item, std::mem::take(missed)));
            std::future::ready(Some(event))
        });
        Ok(delivered.filter_map(std::future::ready).boxed())
    }

    /// Entities whose risk changed by at least `minDelta` points (1 when not given), with their new risk.
    async fn risk_changes(
        &self,
        ctx: &Context<'_>,
        kinds: Option<Vec<EntityKind>>,
        min_delta: Option<f64>,
    ) -> Result<BoxStream<'static, Entity>, Fault> {
        let reader = may::risk_changes(ctx)?;
        let min_delta = min_delta.unwrap_or(MIN_DELTA_DEFAULT);
        if !(0.0..=100.0).contains(&min_delta) {
            return Err(Fault::new(FaultCode::BadInput, "minDelta: give 0 to 100 points"));
        }
        Ok(reader.live().risk_changes(words(kinds), min_delta).map(Entity).boxed())
    }

    /// Steps of running assessments, of one vendor or of all.
    async fn assessments(
        &self,
        ctx: &Context<'_>,
        vendor: Option<ID>,
    ) -> Result<BoxStream<'static, AssessmentProgress>, Fault> {
        let reader = may::assessments(ctx)?;
        let vendor = vendor.map(|id| parse_id(&id)).transpose()?;
        let session = reader.session();
        let steps = reader.live().assessments(vendor);
        // The step of a vendor that was removed meanwhile has nobody left to tell about.
        let steps = steps.filter_map(move |step: Progress| {
            let vendors = Arc::clone(&session.loaders.vendors);
            async move {
                let vendor = vendors.load_one(step.vendor).await.ok().flatten()?;
                Some(AssessmentProgress {
                    vendor: Vendor(vendor),
                    done: int(step.done),
                    total: int(step.total),
                    finished: step.finished,
                })
            }
        });
        Ok(steps.boxed())
    }

    /// Runs of playbooks whenever they change, as they are then; about one alert or all.
    async fn runs(&self, ctx: &Context<'_>, alert: Option<ID>) -> Result<BoxStream<'static, Run>, Fault> {
        let reader = may::runs(ctx)?;
        let alert = alert.map(|id| parse_id(&id)).transpose()?;
        let session = reader.session();
        let changes = reader.playbooks().changes(alert);
        let runs = changes.filter_map(move |id| {
            let runs = Arc::clone(&session.services.runs);
            async move { runs.run(id).await.ok().flatten().map(Run) }
        });
        Ok(runs.boxed())
    }
}

/// A step of a running assessment.
#[derive(SimpleObject)]
pub(crate) struct AssessmentProgress {
    vendor: Vendor,
    done: i32,
    total: i32,
    finished: bool,
}

fn delivered(item: &LiveAlert, lagged: u64) -> AlertEvent {
    AlertEvent {
        cursor: item.event.sequence.to_string(),
        change: item.event.change.into(),
        cause: item.event.cause.into(),
        actor: item.event.actor.as_ref().map(ToString::to_string),
        alert: super::alert::Alert(item.event.alert.clone()),
        lagged: int(lagged),
    }
}

/// The place in the sequence a cursor names. One beyond the sequence's end, or before what is kept, is refused: going on
/// from there would lose events silently.
async fn place(records: &dyn Records, cursor: &str) -> Result<u64, Fault> {
    let stale = |why: &str| {
        let message = format!("the cursor {why}; read the alerts again and subscribe without 'after'");
        Fault::new(FaultCode::StaleCursor, message)
    };
    let is_number = !cursor.is_empty() && cursor.bytes().all(|byte| byte.is_ascii_digit());
    let place: u64 = cursor.parse().ok().filter(|_| is_number).ok_or_else(|| stale("is none of ours"))?;
    match records.alert_event_range().await? {
        Some((oldest, _)) if place.saturating_add(1) < oldest => Err(stale("is older than what is kept")),
        Some((_, newest)) if place > newest => Err(stale("is newer than the last event")),
        None if place > 0 => Err(stale("is newer than the last event")),
        _ => Ok(place),
    }
}
