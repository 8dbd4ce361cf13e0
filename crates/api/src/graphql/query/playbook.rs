//! Questions about playbooks, runs and approvals.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::PlaybookId;
use riskgraph_domain::page::Page;
use riskgraph_domain::playbook::RunFilter;

use crate::graphql::node::parse_id;
use crate::graphql::page::page_request;
use crate::graphql::playbook::{DryRun, KillSwitch, Playbook, PlaybookConnection};
use crate::graphql::run::{ApprovalConnection, Run, RunConnection};
use crate::graphql::words::{ApprovalState, RunState, words};
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct PlaybookQueries;

#[Object]
impl PlaybookQueries {
    /// By name.
    async fn playbooks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<PlaybookConnection, Fault> {
        let reader = may::playbooks(ctx)?;
        let request = page_request(first, after)?;
        let all = reader.playbooks().playbooks().await?;
        let total = Some(all.len() as u64);
        // The cursor is the name: unique, and the order of the list.
        let mut rest = all
            .into_iter()
            .filter(|kept| request.after.as_deref().is_none_or(|after| kept.playbook.name.as_str() > after));
        let items: Vec<_> =
            rest.by_ref().take(request.first).map(|kept| (kept.playbook.name.to_string(), kept)).collect();
        let page = reader.spend(Page { items, has_next: rest.next().is_some(), total })?;
        Ok(PlaybookConnection::new(page, request.after.as_deref()))
    }

    /// By id or by name.
    async fn playbook(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        name: Option<String>,
    ) -> Result<Option<Playbook>, Fault> {
        let reader = may::playbook(ctx)?;
        let id = match (id, name) {
            (Some(id), None) => parse_id(&id)?,
            (None, Some(name)) => PlaybookId::of(&[&name]),
            _ => return Err(Fault::new(FaultCode::BadInput, "give either id or name")),
        };
        Ok(reader.playbooks().playbook(id).await?.map(Playbook))
    }

    /// Runs of playbooks, newest first.
    async fn runs(
        &self,
        ctx: &Context<'_>,
        state: Option<Vec<RunState>>,
        alert: Option<ID>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<RunConnection, Fault> {
        may::runs(ctx)?;
        let alert = alert.map(|id| parse_id(&id)).transpose()?;
        Run::page(ctx, RunFilter { states: words(state), alert, playbook: None }, page_request(first, after)?).await
    }

    async fn run(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Run>, Fault> {
        Ok(may::run(ctx)?.runs().run(parse_id(&id)?).await?.map(Run))
    }

    /// What runs wait for people for, newest first.
    async fn approvals(
        &self,
        ctx: &Context<'_>,
        state: Option<Vec<ApprovalState>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ApprovalConnection, Fault> {
        let reader = may::approvals(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.runs().approvals(words(state), page.clone()).await?)?;
        Ok(ApprovalConnection::new(found, page.after.as_deref()))
    }

    /// The switch for all actions first, then those of actions that have ever been thrown.
    async fn kill_switches(&self, ctx: &Context<'_>) -> Result<Vec<KillSwitch>, Fault> {
        let reader = may::kill_switches(ctx)?;
        Ok(reader.spend_list(reader.playbooks().kill_switches().await?)?.into_iter().map(KillSwitch::from).collect())
    }

    /// What a run of this playbook about this alert would do now, target by target; nothing is changed.
    async fn dry_run(&self, ctx: &Context<'_>, playbook: ID, alert: ID) -> Result<DryRun, Fault> {
        let reader = may::dry_run(ctx)?;
        Ok(reader.dry_run(parse_id(&playbook)?, parse_id(&alert)?).await?.into())
    }
}
