//! Alerts as GraphQL shows them. Must not know how signals are correlated.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use riskgraph_domain::alert as model;
use riskgraph_domain::delivery::DeliveryFilter;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::EntityId;
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::playbook::RunFilter;
use riskgraph_domain::ports::SignalFilter;
use riskgraph_domain::text::Text;

use super::delivery::{Delivery, DeliveryConnection};
use super::entity::{Entity, Relation};
use super::node::parse_id;
use super::page::{connection, page_request};
use super::playbook::PlaybookMatch;
use super::posture::Finding;
use super::run::Run;
use super::signal::{Signal, SignalConnection, Technique, techniques};
use super::triage::{Case, Comment, Mute, ScorePart, SimilarAlert, parts_of, similar};
use super::words::{AlertCause, AlertChange, AlertStatus, DateTime, Severity, Verdict, int, words};
use crate::access::{Reader, grant};

/// Correlated signals and findings over linked entities.
pub(crate) struct Alert(pub(crate) model::Alert);

connection!(AlertConnection, AlertEdge, Alert, model::Alert);

impl Alert {
    /// A page of the alerts a filter wants, last changed first.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: model::AlertFilter,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<AlertConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.records().alerts(filter, page.clone()).await?)?;
        Ok(AlertConnection::new(found, page.after.as_deref()))
    }
}

#[Object]
impl Alert {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn summary(&self) -> &str {
        &self.0.summary
    }

    async fn severity(&self) -> Severity {
        self.0.severity.into()
    }

    /// 0 to 100.
    async fn score(&self) -> f64 {
        self.0.score
    }

    async fn status(&self) -> AlertStatus {
        self.0.status.into()
    }

    /// What a person said it really was; null until resolved.
    async fn verdict(&self) -> Option<Verdict> {
        self.0.verdict.map(Into::into)
    }

    /// Event time of the first signal.
    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.opened_at)
    }

    /// Event time of the last change.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    async fn assignee(&self) -> Option<&str> {
        self.0.assignee.as_deref()
    }

    /// Most touched first; at most 64, `entitiesTotal` has the whole number.
    async fn entities(&self, ctx: &Context<'_>) -> Result<Vec<Entity>, Fault> {
        let ids: Vec<EntityId> = self.0.entities.iter().map(model_id).collect();
        Ok(grant::<Reader>(ctx)?.entities(&ids)?.into_iter().map(Entity).collect())
    }

    /// How many entities take part, listed or not.
    async fn entities_total(&self) -> i32 {
        int(self.0.entities_total)
    }

    async fn signals(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SignalConnection, Fault> {
        let filter = SignalFilter { alert: Some(self.0.id), ..SignalFilter::default() };
        Signal::page(ctx, filter, first, after).await
    }

    async fn findings(&self, ctx: &Context<'_>) -> Result<Vec<Finding>, Fault> {
        let found = grant::<Reader>(ctx)?.findings(&self.0.findings).await?;
        Ok(found.into_iter().map(Finding).collect())
    }

    /// Oldest first; at most 64 entries.
    async fn timeline(&self) -> Vec<TimelineEntry> {
        self.0.timeline.iter().cloned().map(TimelineEntry).collect()
    }

    /// The relations that join the entities, in the order of the attack.
    async fn path(&self, ctx: &Context<'_>) -> Result<Vec<Relation>, Fault> {
        Ok(grant::<Reader>(ctx)?.relations(&self.0.path)?.into_iter().map(Relation).collect())
    }

    async fn techniques(&self) -> Vec<Technique> {
        techniques(&self.0.techniques)
    }

    /// What to do, most urgent first.
    async fn recommendations(&self) -> &[String] {
        &self.0.recommendations
    }

    /// Signals folded in.
    async fn count(&self) -> i32 {
        int(self.0.count)
    }

    /// Who was told of it, newest first.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<DeliveryConnection, Fault> {
        let filter = DeliveryFilter { alert: Some(self.0.id), ..DeliveryFilter::default() };
        Delivery::page(ctx, filter, first, after).await
    }

    /// Every playbook and whether this alert is one of its; those that fit come first.
    async fn playbooks(&self, ctx: &Context<'_>) -> Result<Vec<PlaybookMatch>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend_list(reader.playbooks().matches(&self.0).await?)?;
        Ok(found.into_iter().map(PlaybookMatch::from).collect())
    }

    /// Runs of playbooks about it, newest first; at most 100.
    async fn runs(&self, ctx: &Context<'_>) -> Result<Vec<Run>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let filter = RunFilter { alert: Some(self.0.id), ..RunFilter::default() };
        let page = reader.spend(reader.runs().runs(filter, PageRequest::first(PAGE_MAX)).await?)?;
        Ok(page.items.into_iter().map(|(_, run)| Run(run)).collect())
    }

    /// Wall seconds from accepting the deciding event of the first signal to the alert.
    async fn detection_delay_seconds(&self) -> f64 {
        self.0.detection_delay_s
    }

    /// Set while nobody is to be told of it; it is recorded and found all the same.
    async fn muted(&self) -> Option<Mute> {
        self.0.muted.clone().map(Mute)
    }

    /// Wall time by which it should be resolved.
    async fn due_at(&self) -> Option<DateTime> {
        self.0.due_at.map(DateTime)
    }

    /// Whether it should have been resolved by now.
    async fn overdue(&self) -> bool {
        self.0.overdue()
    }

    /// How often it was told to be overdue; 0 not at all.
    async fn escalation(&self) -> i32 {
        int(self.0.escalation)
    }

    /// Wall time at which a response had contained it.
    async fn contained_at(&self) -> Option<DateTime> {
        self.0.contained_at.map(DateTime)
    }

    /// Wall seconds from accepting the deciding event of the first signal to the containment.
    async fn time_to_contain_seconds(&self) -> Option<f64> {
        self.0.time_to_contain_s()
    }

    /// Oldest first; at most 100.
    async fn comments(&self) -> Vec<Comment> {
        self.0.comments.iter().cloned().map(Comment).collect()
    }

    /// Cases it is in; at most 16.
    async fn cases(&self, ctx: &Context<'_>) -> Result<Vec<Case>, Fault> {
        let found = grant::<Reader>(ctx)?.cases(&self.0.cases).await?;
        Ok(found.into_iter().map(Case).collect())
    }

    /// What the score is made of, strongest first; the points add up to it.
    async fn score_parts(&self) -> Vec<ScorePart> {
        parts_of(&self.0)
    }

    /// Past alerts that are like this one, with what both have in common; at most 20, most similar first.
    async fn similar(&self, ctx: &Context<'_>, #[graphql(default = 5)] first: i32) -> Result<Vec<SimilarAlert>, Fault> {
        similar(ctx, &self.0, first).await
    }

    /// Why it ended; null while it is open, or when nobody said.
    async fn verdict_reason(&self) -> Option<&str> {
        self.0.resolution.as_ref()?.reason.as_deref()
    }

    /// Wall time at which it was resolved.
    async fn resolved_at(&self) -> Option<DateTime> {
        self.0.resolution.as_ref().map(|resolution| DateTime(resolution.at))
    }

    /// Names of the detectors of its signals.
    async fn detectors(&self) -> Vec<&str> {
        self.0.detectors.iter().map(riskgraph_domain::Text::as_str).collect()
    }
}

fn model_id(key: &riskgraph_domain::graph::EntityKey) -> EntityId {
    key.id()
}

/// One step of an alert's story.
pub(crate) struct TimelineEntry(pub(crate) model::TimelineEntry);

#[Object]
impl TimelineEntry {
    async fn time(&self) -> DateTime {
        DateTime(self.0.time)
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The signal it tells of; null for changes by people.
    async fn signal(&self, ctx: &Context<'_>) -> Result<Option<Signal>, Fault> {
        let Some(id) = self.0.signal else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.signal(id).await?.map(Signal))
    }

    /// Who did it, for changes by people.
    async fn actor(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }
}

/// One change of one alert: an entry of the append-only sequence.
#[derive(SimpleObject)]
pub(crate) struct AlertEvent {
    /// Durable: resume with alerts(after: cursor).
    pub(crate) cursor: String,
    pub(crate) change: AlertChange,
    /// Why it changed.
    pub(crate) cause: AlertCause,
    /// Who made it, for changes by people and responses.
    pub(crate) actor: Option<String>,
    /// The alert as it was right after this change.
    pub(crate) alert: Alert,
    /// Events this subscriber missed before this one; 0 when none.
    pub(crate) lagged: i32,
}

/// Which alerts are wanted; what is left out wants all.
#[derive(InputObject, Default)]
pub(crate) struct AlertFilter {
    status: Option<Vec<AlertStatus>>,
    min_severity: Option<Severity>,
    /// Id of an entity that takes part.
    entity: Option<ID>,
    /// Id of a vendor that takes part or lies on the path.
    vendor: Option<ID>,
    /// ATT&CK technique, such as T1110 (with its sub-techniques) or T1110.004.
    technique: Option<String>,
    /// Changed at or after this event time.
    since: Option<DateTime>,
    /// Muted ones only, or the others only.
    muted: Option<bool>,
    /// Exactly this person, without case.
    assignee: Option<String>,
    /// Overdue ones only, or the others only.
    overdue: Option<bool>,
    /// Part of the title, the summary or an entity's key, without case; at most 128 characters.
    query: Option<String>,
    /// Id of a case it is in.
    case: Option<ID>,
    /// What it was resolved as.
    verdict: Option<Vec<Verdict>>,
}

/// Characters of a search text.
pub(crate) const QUERY_CHARS_MAX: usize = 128;

/// A search text that is not too long; an empty one searches nothing.
pub(crate) fn search_text(given: Option<String>) -> Result<Option<String>, Fault> {
    let given = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if given.as_ref().is_some_and(|text| text.chars().count() > QUERY_CHARS_MAX) {
        return Err(Fault::new(FaultCode::BadInput, format!("query: give at most {QUERY_CHARS_MAX} characters")));
    }
    Ok(given)
}

impl AlertFilter {
    pub(crate) fn checked(self) -> Result<model::AlertFilter, Fault> {
        Ok(model::AlertFilter {
            status: words(self.status),
            min_severity: self.min_severity.map(Into::into),
            entity: self.entity.map(|id| parse_id(&id)).transpose()?,
            vendor: self.vendor.map(|id| parse_id(&id)).transpose()?,
            technique: self.technique.map(Text::from),
            since: self.since.map(|since| since.0),
            muted: self.muted,
            assignee: self.assignee.map(Text::from),
            overdue: self.overdue,
            query: search_text(self.query)?,
            case: self.case.map(|id| parse_id(&id)).transpose()?,
            verdict: words(self.verdict),
        })
    }
}
