//! Changes to cases.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::command::Change;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::CaseId;

use super::comment;
use crate::graphql::node::parse_id;
use crate::graphql::triage::{Case, CaseInput, CaseUpdate, alert_ids};
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct CaseMutations;

#[Object]
impl CaseMutations {
    /// Opens a case.
    async fn create_case(&self, ctx: &Context<'_>, input: CaseInput) -> Result<Case, Fault> {
        may::create_case(ctx)?.create_case(input.checked()?).await.map(Case)
    }

    async fn update_case(&self, ctx: &Context<'_>, id: ID, input: CaseUpdate) -> Result<Case, Fault> {
        let triager = may::update_case(ctx)?;
        let id: CaseId = parse_id(&id)?;
        triager.change_case(id, Change::UpdateCase { id, update: input.checked()? }).await.map(Case)
    }

    async fn comment_case(&self, ctx: &Context<'_>, id: ID, text: String) -> Result<Case, Fault> {
        let triager = may::comment_case(ctx)?;
        let id: CaseId = parse_id(&id)?;
        triager.change_case(id, Change::CommentCase { id, text: comment(text)? }).await.map(Case)
    }

    /// Puts alerts into a case; an alert may be in several.
    async fn add_to_case(&self, ctx: &Context<'_>, id: ID, alerts: Vec<ID>) -> Result<Case, Fault> {
        let triager = may::add_to_case(ctx)?;
        let id: CaseId = parse_id(&id)?;
        triager.change_case(id, Change::AddToCase { id, alerts: alert_ids(&alerts)? }).await.map(Case)
    }

    async fn remove_from_case(&self, ctx: &Context<'_>, id: ID, alerts: Vec<ID>) -> Result<Case, Fault> {
        let triager = may::remove_from_case(ctx)?;
        let id: CaseId = parse_id(&id)?;
        triager.change_case(id, Change::RemoveFromCase { id, alerts: alert_ids(&alerts)? }).await.map(Case)
    }

    /// Lets the case `into` stand for `from` as well, until `unmergeCase(from)`; answers with `into`.
    async fn merge_cases(&self, ctx: &Context<'_>, from: ID, into: ID) -> Result<Case, Fault> {
        let triager = may::merge_cases(ctx)?;
        let (from, into): (CaseId, CaseId) = (parse_id(&from)?, parse_id(&into)?);
        triager.change_case(into, Change::MergeCases { from, into }).await.map(Case)
    }

    /// Takes the merge of this case into another back.
    async fn unmerge_case(&self, ctx: &Context<'_>, id: ID) -> Result<Case, Fault> {
        let triager = may::unmerge_case(ctx)?;
        let id: CaseId = parse_id(&id)?;
        triager.change_case(id, Change::UnmergeCase { id }).await.map(Case)
    }
}
