//! What triage and playbooks say of people.

use async_trait::async_trait;
use riskgraph_domain::alert::Alert;
use riskgraph_domain::id::{AlertId, ApprovalId, CaseId, PlaybookId, RunId, SilenceId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::playbook::{Approval, ApprovalState, PlaybookStats, Run, RunFilter, RunStep, Runs};
use riskgraph_domain::triage::{Case, CaseFilter, PastAlerts, Silence, Similar, TriageRecords};

use super::{Result, Watched};

#[async_trait]
impl TriageRecords for Watched<dyn TriageRecords> {
    async fn silences(&self, active: Option<bool>, page: PageRequest) -> Result<Page<Silence>> {
        self.inner.silences(active, page).await
    }
    async fn silence(&self, id: SilenceId) -> Result<Option<Silence>> {
        self.inner.silence(id).await
    }
    async fn cases(&self, filter: CaseFilter, page: PageRequest) -> Result<Page<Case>> {
        self.inner.cases(filter, page).await
    }
    async fn case(&self, id: CaseId) -> Result<Option<Case>> {
        self.inner.case(id).await
    }
    async fn alerts_by_id(&self, ids: &[AlertId]) -> Result<Vec<Alert>> {
        let found = self.inner.alerts_by_id(ids).await?;
        found.iter().for_each(|alert| self.trail.alert(alert));
        Ok(found)
    }
    async fn alike(&self, alert: &Alert, max: usize) -> Result<Vec<Alert>> {
        let found = self.inner.alike(alert, max).await?;
        found.iter().for_each(|alert| self.trail.alert(alert));
        Ok(found)
    }
}

#[async_trait]
impl PastAlerts for Watched<dyn PastAlerts> {
    async fn similar(&self, alert: &Alert, max: usize) -> Result<Vec<Similar>> {
        let found = self.inner.similar(alert, max).await?;
        found.iter().for_each(|similar| self.trail.alert(&similar.alert));
        Ok(found)
    }
}

/// A run names its alert, whose title may name a person; a step names whom it is aimed at.
#[async_trait]
impl Runs for Watched<dyn Runs> {
    async fn runs(&self, filter: RunFilter, page: PageRequest) -> Result<Page<Run>> {
        let found = self.inner.runs(filter, page).await?;
        found.items.iter().for_each(|(_, run)| self.trail.about(run.alert));
        Ok(found)
    }
    async fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(self.inner.run(id).await?.inspect(|run| self.trail.about(run.alert)))
    }
    async fn run_steps(&self, id: RunId) -> Result<Vec<RunStep>> {
        let found = self.inner.run_steps(id).await?;
        found.iter().filter_map(|step| step.target.as_ref()).for_each(|target| self.trail.key(target));
        Ok(found)
    }
    async fn run_approvals(&self, id: RunId) -> Result<Vec<Approval>> {
        self.inner.run_approvals(id).await
    }
    async fn approvals(&self, states: Vec<ApprovalState>, page: PageRequest) -> Result<Page<Approval>> {
        self.inner.approvals(states, page).await
    }
    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        self.inner.approval(id).await
    }
    async fn stats(&self, playbook: PlaybookId) -> Result<PlaybookStats> {
        self.inner.stats(playbook).await
    }
}
