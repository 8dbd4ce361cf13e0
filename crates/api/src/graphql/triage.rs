//! Silences, cases, and what triage adds to alerts. Must not know how any of it is judged.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use riskgraph_domain::alert as alert_model;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::AlertId;
use riskgraph_domain::text::Text;
use riskgraph_domain::triage as model;

use super::alert::{Alert, AlertConnection, TimelineEntry};
use super::node::parse_id;
use super::page::{connection, page_request};
use super::signal::Signal;
use super::vendor::label;
use super::words::{CaseStatus, DateTime, MatchField, MatchOp, MuteKind, Severity, int};
use crate::access::{Reader, grant};

/// Past alerts that are shown.
const SIMILAR_MAX: i32 = 20;

/// Why nobody is told of an alert.
pub(crate) struct Mute(pub(crate) alert_model::Mute);

#[Object]
impl Mute {
    async fn kind(&self) -> MuteKind {
        self.0.kind.into()
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When it ends by itself.
    async fn until(&self) -> Option<DateTime> {
        self.0.until.map(DateTime)
    }

    /// The silence, for SILENCED.
    async fn silence(&self, ctx: &Context<'_>) -> Result<Option<Silence>, Fault> {
        let Some(id) = self.0.silence else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.silence(id).await?.map(Silence))
    }

    /// The alert that is told of instead, for INHIBITED and STORM.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Alert>, Fault> {
        let Some(id) = self.0.by else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.alert(id).await?.map(Alert))
    }
}

/// What a person wrote.
pub(crate) struct Comment(pub(crate) alert_model::Comment);

#[Object]
impl Comment {
    async fn time(&self) -> DateTime {
        DateTime(self.0.time)
    }

    async fn actor(&self) -> &str {
        &self.0.actor
    }

    async fn text(&self) -> &str {
        &self.0.text
    }
}

/// One addend of an alert's score.
pub(crate) struct ScorePart(alert_model::ScorePart);

/// The parts of an alert's score; an alert of before parts were kept has one.
pub(crate) fn parts_of(alert: &alert_model::Alert) -> Vec<ScorePart> {
    if alert.score_parts.is_empty() && alert.score > 0.0 {
        let reason = alert.title.clone();
        let whole = alert_model::ScorePart { points: alert.score, reason, detector: None, signal: None };
        return vec![ScorePart(whole)];
    }
    alert.score_parts.iter().cloned().map(ScorePart).collect()
}

#[Object]
impl ScorePart {
    /// A multiple of 0.01.
    async fn points(&self) -> f64 {
        self.0.points
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Whose signals give it; null for what was known before.
    async fn detector(&self) -> Option<&str> {
        self.0.detector.as_deref()
    }

    /// The strongest of them.
    async fn signal(&self, ctx: &Context<'_>) -> Result<Option<Signal>, Fault> {
        let Some(id) = self.0.signal else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.signal(id).await?.map(Signal))
    }
}

/// A past alert that is like another.
#[derive(SimpleObject)]
pub(crate) struct SimilarAlert {
    alert: Alert,
    /// 0 to 1.
    similarity: f64,
    /// What both have in common, in words.
    shared: Vec<String>,
}

/// Past alerts that are like this one.
pub(crate) async fn similar(
    ctx: &Context<'_>,
    alert: &alert_model::Alert,
    first: i32,
) -> Result<Vec<SimilarAlert>, Fault> {
    if !(1..=SIMILAR_MAX).contains(&first) {
        return Err(Fault::new(FaultCode::BadInput, format!("first: ask for 1 to {SIMILAR_MAX}")));
    }
    let reader = grant::<Reader>(ctx)?;
    let found = reader.past().similar(alert, usize::try_from(first).unwrap_or_default()).await?;
    Ok(reader
        .spend_list(found)?
        .into_iter()
        .map(|found| SimilarAlert { alert: Alert(found.alert), similarity: found.similarity, shared: found.shared })
        .collect())
}

/// One condition on an alert.
#[derive(SimpleObject)]
pub(crate) struct Matcher {
    field: MatchField,
    op: MatchOp,
    value: String,
}

/// One condition on an alert. Of what an alert has several, one is enough; for NOT_EQUALS none may be there.
#[derive(InputObject)]
pub(crate) struct MatcherInput {
    field: MatchField,
    op: MatchOp,
    /// A severity, a detector, a technique (with its sub-techniques), the key or id of an entity, a kind of entity, the
    /// name, domain or id of a vendor, or a title. Texts are compared without case.
    value: String,
}

/// Alerts that meet all matchers are muted for a while.
pub(crate) struct Silence(pub(crate) model::Silence);

connection!(SilenceConnection, SilenceEdge, Silence, model::Silence);

#[Object]
impl Silence {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn matchers(&self) -> Vec<Matcher> {
        let matcher = |matcher: &model::Matcher| Matcher {
            field: matcher.field.into(),
            op: matcher.op.into(),
            value: matcher.value.to_string(),
        };
        self.0.matchers.iter().map(matcher).collect()
    }

    async fn author(&self) -> &str {
        &self.0.author
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    async fn starts_at(&self) -> DateTime {
        DateTime(self.0.starts_at)
    }

    async fn ends_at(&self) -> DateTime {
        DateTime(self.0.ends_at)
    }

    /// Whether it is in force.
    async fn active(&self) -> bool {
        self.0.state == model::SilenceState::Active
    }

    /// Alerts it has muted so far.
    async fn mutes(&self) -> i32 {
        int(self.0.mutes)
    }
}

/// What a silence is made of.
#[derive(InputObject)]
pub(crate) struct SilenceInput {
    /// 1 to 16; all must be met.
    matchers: Vec<MatcherInput>,
    reason: String,
    /// Now, when not given.
    starts_at: Option<DateTime>,
    /// At most 90 days ahead.
    ends_at: DateTime,
}

impl From<SilenceInput> for model::SilenceInput {
    fn from(given: SilenceInput) -> Self {
        let matcher = |matcher: MatcherInput| model::Matcher {
            field: matcher.field.into(),
            op: matcher.op.into(),
            value: Text::from(matcher.value),
        };
        Self {
            matchers: given.matchers.into_iter().map(matcher).collect(),
            reason: given.reason,
            starts_at: given.starts_at.map(|at| at.0),
            ends_at: given.ends_at.0,
        }
    }
}

/// Several alerts that somebody works on as one.
pub(crate) struct Case(pub(crate) model::Case);

connection!(CaseConnection, CaseEdge, Case, model::Case);

#[Object]
impl Case {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn status(&self) -> CaseStatus {
        self.0.status.into()
    }

    /// The worst of its alerts.
    async fn severity(&self) -> Severity {
        self.0.severity.into()
    }

    async fn assignee(&self) -> Option<&str> {
        self.0.assignee.as_deref()
    }

    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Its alerts, last changed first; at most 200 are in a case.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<AlertConnection, Fault> {
        let filter = alert_model::AlertFilter { case: Some(self.0.id), ..alert_model::AlertFilter::default() };
        Alert::page(ctx, filter, first, after).await
    }

    /// Oldest first; at most 100.
    async fn comments(&self) -> Vec<Comment> {
        self.0.comments.iter().cloned().map(Comment).collect()
    }

    /// Oldest first; at most 200 entries, the first and the latest.
    async fn timeline(&self) -> Vec<TimelineEntry> {
        self.0.timeline.iter().cloned().map(TimelineEntry).collect()
    }

    /// The case that stands for this one until it is unmerged.
    async fn merged_into(&self, ctx: &Context<'_>) -> Result<Option<Case>, Fault> {
        let ids: Vec<_> = self.0.merged_into.into_iter().collect();
        Ok(grant::<Reader>(ctx)?.cases(&ids).await?.into_iter().next().map(Case))
    }

    /// Cases this one stands for.
    async fn merged(&self, ctx: &Context<'_>) -> Result<Vec<Case>, Fault> {
        Ok(grant::<Reader>(ctx)?.cases(&self.0.merged).await?.into_iter().map(Case).collect())
    }
}

/// What a case is made of.
#[derive(InputObject)]
pub(crate) struct CaseInput {
    title: String,
    /// Ids of alerts, at most 200.
    alerts: Option<Vec<ID>>,
    assignee: Option<String>,
}

impl CaseInput {
    pub(crate) fn checked(self) -> Result<model::CaseInput, Fault> {
        Ok(model::CaseInput {
            title: self.title,
            alerts: alert_ids(&self.alerts.unwrap_or_default())?,
            assignee: self.assignee.map(|who| label("assignee", &who)).transpose()?,
        })
    }
}

/// What is to change of a case; what is left out stays.
#[derive(InputObject)]
pub(crate) struct CaseUpdate {
    title: Option<String>,
    /// An empty text takes the case from whoever has it.
    assignee: Option<String>,
    status: Option<CaseStatus>,
}

impl CaseUpdate {
    pub(crate) fn checked(self) -> Result<model::CaseUpdate, Fault> {
        let assignee = match self.assignee {
            Some(who) if who.trim().is_empty() => Some(Text::default()),
            given => given.map(|who| label("assignee", &who)).transpose()?,
        };
        Ok(model::CaseUpdate { title: self.title, assignee, status: self.status.map(Into::into) })
    }
}

/// Reads the ids of alerts.
pub(crate) fn alert_ids(given: &[ID]) -> Result<Vec<AlertId>, Fault> {
    if given.len() > model::CASE_ALERTS_MAX {
        let message = format!("alerts: give at most {} at once", model::CASE_ALERTS_MAX);
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    given.iter().map(parse_id).collect()
}

impl Silence {
    /// A page of silences, last ending first.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        active: Option<bool>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SilenceConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.triage().silences(active, page.clone()).await?)?;
        Ok(SilenceConnection::new(found, page.after.as_deref()))
    }
}

impl Case {
    /// A page of cases, last changed first.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: model::CaseFilter,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<CaseConnection, Fault> {
        let page = page_request(first, after)?;
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.triage().cases(filter, page.clone()).await?)?;
        Ok(CaseConnection::new(found, page.after.as_deref()))
    }
}
