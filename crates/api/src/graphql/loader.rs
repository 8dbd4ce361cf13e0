//! Loaders that join the single look-ups of one level of a query into one question to the store.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use riskgraph_domain::alert::Alert;
use riskgraph_domain::delivery::{ChannelView, DeliveryDesk};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, CaseId, ChannelId, FindingId, SignalId, SilenceId, VendorId};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::Records;
use riskgraph_domain::posture::{Finding, Posture};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::triage::{Case, Silence, TriageRecords};
use riskgraph_domain::vendor::Vendor;

use crate::services::Services;

/// Keys of one question to the store, at most.
const BATCH_MAX: usize = 500;

/// One loader for each kind of row that others name. They keep no cache, so they may serve every request.
#[derive(Clone)]
pub(crate) struct Loaders {
    pub(crate) vendors: Arc<DataLoader<Vendors>>,
    pub(crate) signals: Arc<DataLoader<Signals>>,
    pub(crate) findings: Arc<DataLoader<Findings>>,
    pub(crate) postures: Arc<DataLoader<Postures>>,
    pub(crate) channels: Arc<DataLoader<Channels>>,
    pub(crate) alerts: Arc<DataLoader<Alerts>>,
    pub(crate) silences: Arc<DataLoader<Silences>>,
    pub(crate) cases: Arc<DataLoader<Cases>>,
}

impl Loaders {
    pub(crate) fn new(services: &Services) -> Self {
        let (records, triage) = (&services.records, &services.triage);
        Self {
            vendors: loader(Vendors(Arc::clone(records))),
            signals: loader(Signals(Arc::clone(records))),
            findings: loader(Findings(Arc::clone(records))),
            postures: loader(Postures(Arc::clone(records))),
            channels: loader(Channels(Arc::clone(&services.delivery))),
            alerts: loader(Alerts(Arc::clone(triage))),
            silences: loader(Silences(Arc::clone(triage))),
            cases: loader(Cases(Arc::clone(triage))),
        }
    }
}

fn loader<T>(inner: T) -> Arc<DataLoader<T>> {
    Arc::new(DataLoader::new(inner, tokio::spawn).max_batch_size(BATCH_MAX))
}

macro_rules! loaders {
    ($($name:ident, $key:ty => $value:ty, $ask:ident, $by:expr;)*) => { $(
        pub(crate) struct $name(Arc<dyn Records>);

        impl Loader<$key> for $name {
            type Value = $value;
            type Error = Fault;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, $value>, Fault> {
                Ok(self.0.$ask(keys).await?.into_iter().map($by).collect())
            }
        }
    )* };
}

loaders! {
    Vendors, VendorId => Vendor, vendors_by_id, |vendor: Vendor| (vendor.id, vendor);
    Signals, SignalId => Signal, signals_by_id, |signal: Signal| (signal.id, signal);
    Findings, FindingId => Finding, findings_by_id, |finding: Finding| (finding.id, finding);
    Postures, VendorId => Posture, current_postures, |row: (VendorId, Posture)| row;
}

/// Channels are few: all of them are one question.
pub(crate) struct Channels(Arc<dyn DeliveryDesk>);

impl Loader<ChannelId> for Channels {
    type Value = ChannelView;
    type Error = Fault;

    async fn load(&self, keys: &[ChannelId]) -> Result<HashMap<ChannelId, ChannelView>, Fault> {
        let found = self.0.channels(PageRequest::first(PAGE_MAX)).await?;
        let wanted = |view: &ChannelView| keys.contains(&view.channel.id);
        Ok(found.items.into_iter().filter(|(_, view)| wanted(view)).map(|(_, view)| (view.channel.id, view)).collect())
    }
}

pub(crate) struct Alerts(Arc<dyn TriageRecords>);

impl Loader<AlertId> for Alerts {
    type Value = Alert;
    type Error = Fault;

    async fn load(&self, keys: &[AlertId]) -> Result<HashMap<AlertId, Alert>, Fault> {
        Ok(self.0.alerts_by_id(keys).await?.into_iter().map(|alert| (alert.id, alert)).collect())
    }
}

/// One by one: a page of alerts names few silences.
pub(crate) struct Silences(Arc<dyn TriageRecords>);

impl Loader<SilenceId> for Silences {
    type Value = Silence;
    type Error = Fault;

    async fn load(&self, keys: &[SilenceId]) -> Result<HashMap<SilenceId, Silence>, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        for &id in keys {
            found.extend(self.0.silence(id).await?.map(|silence| (id, silence)));
        }
        Ok(found)
    }
}

/// One by one: a page of alerts names few cases.
pub(crate) struct Cases(Arc<dyn TriageRecords>);

impl Loader<CaseId> for Cases {
    type Value = Case;
    type Error = Fault;

    async fn load(&self, keys: &[CaseId]) -> Result<HashMap<CaseId, Case>, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        for &id in keys {
            found.extend(self.0.case(id).await?.map(|case| (id, case)));
        }
        Ok(found)
    }
}
