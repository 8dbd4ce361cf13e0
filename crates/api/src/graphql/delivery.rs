//! Channels and deliveries as GraphQL shows them: never a secret, never a whole target.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use riskgraph_domain::delivery as model;
use riskgraph_domain::error::Fault;
use riskgraph_domain::secret::Secret;
use riskgraph_domain::text::Text;

use super::alert::Alert;
use super::entity::Entity;
use super::node::parse_id;
use super::page::{connection, page_request};
use super::vendor::{Vendor, label};
use super::words::{
    AlertChange, ChannelKind, ChannelStatus, DateTime, DeliveryState, PayloadFormat, Severity, int, words,
};
use crate::access::{Reader, grant};

/// A way out to people or programs, with what they are told.
pub(crate) struct Channel(pub(crate) model::ChannelView);

connection!(ChannelConnection, ChannelEdge, Channel, model::ChannelView);

#[Object]
impl Channel {
    pub(crate) async fn id(&self) -> ID {
        self.0.channel.id.to_string().into()
    }

    async fn name(&self) -> &str {
        &self.0.channel.name
    }

    async fn kind(&self) -> ChannelKind {
        self.0.channel.kind.into()
    }

    async fn format(&self) -> PayloadFormat {
        self.0.channel.format.into()
    }

    /// Where to, without anything that is secret in it. Given back in an update, it leaves the target as it is.
    async fn target(&self) -> &str {
        &self.0.channel.target_shown
    }

    async fn filter(&self) -> ChannelFilter {
        ChannelFilter(self.0.channel.filter.clone())
    }

    /// Cron expression; what happened is told together at these instants.
    async fn digest(&self) -> Option<&str> {
        self.0.channel.digest.as_deref()
    }

    async fn time_zone(&self) -> Option<&str> {
        self.0.channel.time_zone.as_deref()
    }

    /// Changes of one alert within so many seconds are told together.
    async fn group_wait_seconds(&self) -> i32 {
        int(self.0.channel.group_wait_s)
    }

    /// An open alert that nobody has acknowledged is told again after so many seconds.
    async fn repeat_seconds(&self) -> Option<i32> {
        self.0.channel.repeat_s.map(int)
    }

    async fn status(&self) -> ChannelStatus {
        self.0.state.status().into()
    }

    async fn disabled_reason(&self) -> Option<&str> {
        self.0.state.disabled.as_ref().map(|disabled| disabled.reason.as_str())
    }

    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.state.disabled.as_ref().map(|disabled| DateTime(disabled.at))
    }

    /// Name of the token that made it.
    async fn created_by(&self) -> &str {
        &self.0.channel.created_by
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.channel.created_at)
    }

    /// The last characters of the secrets that sign, newest first; after a rotation two for a day.
    async fn secret_hints(&self) -> Vec<&str> {
        self.0.channel.secrets.iter().map(|secret| secret.hint.as_str()).collect()
    }

    async fn last_delivered_at(&self) -> Option<DateTime> {
        self.0.state.last_delivered_at.map(DateTime)
    }

    /// Deliveries not done.
    async fn waiting(&self) -> i32 {
        int(self.0.state.waiting)
    }

    /// Deliveries given up.
    async fn dead(&self) -> i32 {
        int(self.0.state.dead)
    }

    /// Newest first.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        state: Option<Vec<DeliveryState>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<DeliveryConnection, Fault> {
        let filter = model::DeliveryFilter { channel: Some(self.0.channel.id), alert: None, states: words(state) };
        Delivery::page(ctx, filter, first, after).await
    }
}

/// What a channel is told; an empty part wants all.
pub(crate) struct ChannelFilter(model::ChannelFilter);

#[Object]
impl ChannelFilter {
    async fn min_severity(&self) -> Option<Severity> {
        self.0.min_severity.map(Into::into)
    }

    async fn changes(&self) -> Vec<AlertChange> {
        self.0.changes.iter().map(|&change| change.into()).collect()
    }

    async fn detectors(&self) -> Vec<&str> {
        self.0.detectors.iter().map(Text::as_str).collect()
    }

    async fn techniques(&self) -> Vec<&str> {
        self.0.techniques.iter().map(Text::as_str).collect()
    }

    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    async fn entity(&self, ctx: &Context<'_>) -> Result<Option<Entity>, Fault> {
        let Some(id) = self.0.entity else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.entity(id)?.map(Entity))
    }

    async fn include_muted(&self) -> bool {
        self.0.include_muted
    }
}

/// One message to one channel, and what became of it.
pub(crate) struct Delivery(pub(crate) model::Delivery);

connection!(DeliveryConnection, DeliveryEdge, Delivery, model::Delivery);

impl Delivery {
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: model::DeliveryFilter,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<DeliveryConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.deliveries(filter, page.clone()).await?)?;
        Ok(DeliveryConnection::new(found, page.after.as_deref()))
    }
}

#[Object]
impl Delivery {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What the receiver knows it by, the same at every try.
    async fn message_id(&self) -> String {
        self.0.message_id()
    }

    async fn channel(&self, ctx: &Context<'_>) -> Result<Channel, Fault> {
        let found = grant::<Reader>(ctx)?.channel(self.0.channel).await?;
        found.map(Channel).ok_or_else(|| Fault::not_found("channel"))
    }

    /// Null for digests, reports and tests.
    async fn alert(&self, ctx: &Context<'_>) -> Result<Option<Alert>, Fault> {
        let Some(id) = self.0.alert else { return Ok(None) };
        let reader = grant::<Reader>(ctx)?;
        Ok(reader.spend_list(reader.records().alert(id).await?.into_iter().collect())?.pop().map(Alert))
    }

    async fn subject(&self) -> &str {
        &self.0.subject
    }

    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Null when it is done, or waits for an earlier one of its alert.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.delivered_at.map(DateTime)
    }

    /// Oldest first; at most the newest 20.
    async fn attempts(&self) -> Vec<Attempt> {
        self.0.attempts.iter().map(Attempt::of).collect()
    }
}

/// One try to deliver.
#[derive(SimpleObject)]
pub(crate) struct Attempt {
    at: DateTime,
    duration_ms: i32,
    /// Status of the receiver's answer; null when there was none.
    status: Option<i32>,
    /// Null when it was taken.
    error: Option<String>,
}

impl Attempt {
    fn of(attempt: &model::Attempt) -> Self {
        Self {
            at: DateTime(attempt.at),
            duration_ms: int(attempt.duration_ms),
            status: attempt.status.map(i32::from),
            error: attempt.error.clone(),
        }
    }
}

/// A channel just made or given a new secret.
#[derive(SimpleObject)]
pub(crate) struct ChannelCreated {
    pub(crate) channel: Channel,
    /// The webhook's signing secret, shown once: keep it now. Null for other kinds.
    pub(crate) secret: Option<String>,
}

/// Which changes a channel is told; what is left out wants all.
#[derive(InputObject, Default)]
pub(crate) struct ChannelFilterInput {
    min_severity: Option<Severity>,
    changes: Option<Vec<AlertChange>>,
    /// Names of detectors.
    detectors: Option<Vec<String>>,
    /// ATT&CK techniques, such as T1110 (with its sub-techniques) or T1110.004.
    techniques: Option<Vec<String>>,
    vendor: Option<ID>,
    entity: Option<ID>,
    /// Muted alerts too; by default they are told once they are not muted any more.
    include_muted: Option<bool>,
}

/// A channel as people set it up.
#[derive(InputObject)]
pub(crate) struct ChannelInput {
    name: String,
    kind: ChannelKind,
    /// For WEBHOOK, SPLUNK and FILE; NATIVE when left out.
    format: Option<PayloadFormat>,
    /// URL, mail addresses (comma separated) or file name. Empty for PagerDuty's own address.
    target: String,
    /// PagerDuty routing key or Splunk HEC token; kept secret. Left out, it stays.
    token: Option<String>,
    filter: Option<ChannelFilterInput>,
    /// Cron expression for digests, such as '0 8 * * MON-FRI'.
    digest: Option<String>,
    /// IANA zone of the digest; UTC when left out.
    time_zone: Option<String>,
    /// 0 to 3600; when left out 10 for people, 0 for programs.
    group_wait_seconds: Option<i32>,
    repeat_seconds: Option<i32>,
}

impl ChannelInput {
    pub(crate) fn checked(self) -> Result<model::ChannelInput, Fault> {
        let filter = self.filter.unwrap_or_default();
        let texts = |what: &str, given: Option<Vec<String>>| -> Result<Vec<Text>, Fault> {
            given.unwrap_or_default().iter().map(|text| label(what, text)).collect()
        };
        Ok(model::ChannelInput {
            name: label("name", &self.name)?,
            kind: self.kind.into(),
            format: self.format.map(Into::into),
            target: Secret::new(self.target),
            token: self.token.map(Secret::new),
            filter: model::ChannelFilter {
                min_severity: filter.min_severity.map(Into::into),
                changes: words(filter.changes),
                detectors: texts("detectors", filter.detectors)?,
                techniques: texts("techniques", filter.techniques)?,
                vendor: filter.vendor.map(|id| parse_id(&id)).transpose()?,
                entity: filter.entity.map(|id| parse_id(&id)).transpose()?,
                include_muted: filter.include_muted.unwrap_or(false),
            },
            digest: self.digest,
            time_zone: self.time_zone,
            group_wait_s: self.group_wait_seconds.map(|given| seconds("groupWaitSeconds", given)).transpose()?,
            repeat_s: self.repeat_seconds.map(|given| seconds("repeatSeconds", given)).transpose()?,
        })
    }
}

fn seconds(what: &str, given: i32) -> Result<u32, Fault> {
    let negative = || Fault::new(riskgraph_domain::FaultCode::BadInput, format!("{what}: must not be negative"));
    u32::try_from(given).map_err(|_| negative())
}
