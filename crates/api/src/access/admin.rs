//! What the capability [`Capability::Administer`] allows.

use std::sync::Arc;

use riskgraph_domain::access::{Capability, Role, Token};
use riskgraph_domain::audit::{AuditFilter, Entry, Verification};
use riskgraph_domain::command::Change;
use riskgraph_domain::delivery::{ChannelInput, ChannelView};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::{ChannelId, PlaybookId, ReportScheduleId, TokenId, VendorId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::playbook::{KeptPlaybook, KillSwitch, Switch};
use riskgraph_domain::report::{ReportSchedule, ScheduleSpec};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Vendor, VendorInput};

use super::{Grant, Session};
use crate::services::Services;

/// May add, change and remove vendors, make and revoke tokens, read the audit log.
pub(crate) struct Administrator(Arc<Session>);

impl Grant for Administrator {
    const CAPABILITY: Capability = Capability::Administer;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Administrator {
    pub(crate) async fn add_vendor(&self, input: VendorInput) -> Result<Vendor, Fault> {
        let id = input.vendor_id();
        if self.vendor(id).await?.is_some() {
            let message = format!("a vendor of this domain or name is there already ({id}); use updateVendor");
            return Err(Fault::new(FaultCode::Conflict, message));
        }
        self.change(Change::AddVendor { id, input }).await?;
        self.0.trail.made(id);
        self.vendor(id).await?.ok_or_else(|| Fault::not_found("vendor"))
    }

    pub(crate) async fn update_vendor(&self, id: VendorId, input: VendorInput) -> Result<Vendor, Fault> {
        self.vendor(id).await?.ok_or_else(|| Fault::not_found("vendor"))?;
        self.change(Change::UpdateVendor { id, input }).await?;
        self.vendor(id).await?.ok_or_else(|| Fault::not_found("vendor"))
    }

    /// Says whether there was such a vendor.
    pub(crate) async fn remove_vendor(&self, id: VendorId) -> Result<bool, Fault> {
        if self.vendor(id).await?.is_none() {
            return Ok(false);
        }
        self.change(Change::RemoveVendor { id }).await?;
        Ok(true)
    }

    pub(crate) async fn tokens(&self) -> Result<Vec<Token>, Fault> {
        self.0.services.gatekeeper.tokens().await
    }

    pub(crate) async fn create_token(
        &self,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<(Token, String), Fault> {
        let (token, secret) = self.0.services.gatekeeper.create(name, role, expires_at).await?;
        self.0.trail.made(token.id);
        Ok((token, secret))
    }

    pub(crate) async fn revoke_token(&self, id: TokenId) -> Result<bool, Fault> {
        self.0.services.gatekeeper.revoke(id).await
    }

    pub(crate) async fn create_channel(&self, input: ChannelInput) -> Result<(ChannelView, Option<Secret>), Fault> {
        self.0.services.delivery.create(&self.0.viewer, input).await
    }

    pub(crate) async fn update_channel(&self, id: ChannelId, input: ChannelInput) -> Result<ChannelView, Fault> {
        self.0.services.delivery.update(&self.0.viewer, id, input).await
    }

    /// Says whether there was such a channel.
    pub(crate) async fn remove_channel(&self, id: ChannelId) -> Result<bool, Fault> {
        self.0.services.delivery.remove(id).await
    }

    pub(crate) async fn enable_channel(&self, id: ChannelId) -> Result<ChannelView, Fault> {
        self.0.services.delivery.enable(id).await
    }

    pub(crate) async fn disable_channel(&self, id: ChannelId, reason: String) -> Result<ChannelView, Fault> {
        self.0.services.delivery.disable(id, reason).await
    }

    pub(crate) async fn rotate_channel_secret(&self, id: ChannelId) -> Result<(ChannelView, Option<Secret>), Fault> {
        self.0.services.delivery.rotate(&self.0.viewer, id).await
    }

    pub(crate) async fn recover_channel(&self, id: ChannelId, since: Timestamp) -> Result<u64, Fault> {
        self.0.services.delivery.recover(id, since).await
    }

    pub(crate) async fn save_playbook(&self, text: &str, note: Option<String>) -> Result<KeptPlaybook, Fault> {
        self.0.services.playbooks.save(&self.0.viewer, text, note).await
    }

    pub(crate) async fn import_playbook(&self, cacao: &serde_json::Value) -> Result<KeptPlaybook, Fault> {
        self.0.services.playbooks.import(&self.0.viewer, cacao).await
    }

    pub(crate) async fn switch_playbook(&self, id: PlaybookId, switch: Switch) -> Result<KeptPlaybook, Fault> {
        self.0.services.playbooks.set_enabled(&self.0.viewer, id, switch).await
    }

    pub(crate) async fn set_kill_switch(&self, switch: KillSwitch) -> Result<KillSwitch, Fault> {
        self.0.services.playbooks.set_kill_switch(&self.0.viewer, switch).await
    }

    pub(crate) async fn create_report_schedule(&self, spec: ScheduleSpec) -> Result<ReportSchedule, Fault> {
        self.known_channels(&spec.channels).await?;
        self.0.services.reports.create_schedule(&self.0.viewer, spec).await
    }

    pub(crate) async fn update_report_schedule(
        &self,
        id: ReportScheduleId,
        spec: ScheduleSpec,
    ) -> Result<ReportSchedule, Fault> {
        self.known_channels(&spec.channels).await?;
        self.0.services.reports.update_schedule(&self.0.viewer, id, spec).await
    }

    pub(crate) async fn remove_report_schedule(&self, id: ReportScheduleId) -> Result<bool, Fault> {
        self.0.services.reports.remove_schedule(id).await
    }

    /// A schedule must not name a channel that is not there.
    async fn known_channels(&self, ids: &[ChannelId]) -> Result<(), Fault> {
        for id in ids {
            self.0.services.delivery.channel(*id).await?.ok_or_else(|| Fault::not_found("channel"))?;
        }
        Ok(())
    }

    pub(crate) async fn audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<Entry>, Fault> {
        let found = self.0.services.audit.log.entries(filter, page).await?;
        self.0.spend(found.items.len())?;
        Ok(found)
    }

    pub(crate) async fn verify_audit(&self) -> Result<Verification, Fault> {
        self.0.services.audit.verify.verify().await
    }

    pub(super) fn services(&self) -> &Services {
        &self.0.services
    }

    pub(super) async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>, Fault> {
        self.0.services.records.vendor(id).await
    }

    pub(super) async fn change(&self, change: Change) -> Result<(), Fault> {
        self.0.services.commands.execute(&self.0.viewer, change).await
    }
}
