//! Changes to playbooks, runs, approvals and kill switches.

use async_graphql::{Context, ID, Json, Object};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{KillSwitch as Thrown, Switch, Verdict};

use super::{note, reason as checked};
use crate::graphql::node::parse_id;
use crate::graphql::playbook::{KillSwitch, Playbook};
use crate::graphql::run::{Approval, Run};
use crate::surface::mutation as may;

/// Characters of an action's name.
const ACTION_LENGTH_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct PlaybookMutations;

#[Object]
impl PlaybookMutations {
    /// Makes a version of the playbook this TOML describes; a new one is on when its text says so. For admins.
    async fn save_playbook(&self, ctx: &Context<'_>, text: String, note: Option<String>) -> Result<Playbook, Fault> {
        let administrator = may::save_playbook(ctx)?;
        let note = note.map(|text| self::note("note", text)).transpose()?;
        administrator.save_playbook(&text, note).await.map(Playbook)
    }

    /// Makes a playbook of a CACAO 2.0 document; what cannot be done is refused with a list. For admins.
    async fn import_playbook(&self, ctx: &Context<'_>, cacao: Json<serde_json::Value>) -> Result<Playbook, Fault> {
        may::import_playbook(ctx)?.import_playbook(&cacao.0).await.map(Playbook)
    }

    /// Whether matching alerts start it by themselves. For admins.
    async fn set_playbook_enabled(&self, ctx: &Context<'_>, id: ID, enabled: bool) -> Result<Playbook, Fault> {
        let administrator = may::set_playbook_enabled(ctx)?;
        let switch = if enabled { Switch::On } else { Switch::Off };
        administrator.switch_playbook(parse_id(&id)?, switch).await.map(Playbook)
    }

    /// Starts a run about an alert, whether or not the trigger fits.
    async fn start_run(&self, ctx: &Context<'_>, playbook: ID, alert: ID) -> Result<Run, Fault> {
        may::start_run(ctx)?.start(parse_id(&playbook)?, parse_id(&alert)?).await.map(Run)
    }

    /// Ends a run before its next effect; what was done stays until it expires or is undone.
    async fn cancel_run(&self, ctx: &Context<'_>, id: ID, reason: String) -> Result<Run, Fault> {
        may::cancel_run(ctx)?.cancel(parse_id(&id)?, checked(reason)?).await.map(Run)
    }

    /// Takes back what a run did, last first; a run under way ends by it.
    async fn undo_run(&self, ctx: &Context<'_>, id: ID, reason: String) -> Result<Run, Fault> {
        may::undo_run(ctx)?.undo(parse_id(&id)?, checked(reason)?).await.map(Run)
    }

    /// Agrees to what a run asks for, or rejects it. The approval names the role; see its `mayDecide`.
    async fn decide(
        &self,
        ctx: &Context<'_>,
        approval: ID,
        approved: bool,
        note: Option<String>,
    ) -> Result<Approval, Fault> {
        let approver = may::decide(ctx)?;
        let note = note.map(|text| self::note("note", text)).transpose()?;
        approver.decide(parse_id(&approval)?, Verdict { approved, note }).await.map(Approval)
    }

    /// Stops an action, or all when none is named; running effects stay. For admins.
    async fn set_kill_switch(
        &self,
        ctx: &Context<'_>,
        action: Option<String>,
        on: bool,
        reason: String,
    ) -> Result<KillSwitch, Fault> {
        let administrator = may::set_kill_switch(ctx)?;
        let fits = |name: &str| {
            let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
            !name.is_empty() && name.len() <= ACTION_LENGTH_MAX && name.bytes().all(good)
        };
        if action.as_deref().is_some_and(|name| !fits(name)) {
            return Err(Fault::new(FaultCode::BadInput, "action: give the name of an action such as block_address"));
        }
        let switch = Thrown { action: action.map(Into::into), on, by: None, at: None, reason: Some(checked(reason)?) };
        administrator.set_kill_switch(switch).await.map(KillSwitch::from)
    }
}
