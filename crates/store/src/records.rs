//! The reading side: lists with filters, in pages by key, and single things by id or name.
//!
//! It must not know who asks or what they may see. Pages are stable: a cursor holds the place of its row in the order
//! of its list, so rows that come or go elsewhere neither repeat nor hide others.

use async_trait::async_trait;
use riskgraph_domain::alert::{Alert, AlertEvent, AlertFilter};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, FindingId, IntegrationId, SignalId, VendorId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::{FindingFilter, Records, SignalFilter, VendorFilter};
use riskgraph_domain::posture::{Finding, Posture};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, Vendor};

use crate::state::SqlState;

mod alerts;
pub(crate) mod deliveries;
mod findings;
mod many;
pub(crate) mod place;
mod signals;
mod triage;
mod vendors;

type Result<T> = std::result::Result<T, Fault>;

#[async_trait]
impl Records for SqlState {
    /// By name. Vendors never assessed have no grade: they are in no list with `max_grade`, except with `NR`.
    async fn vendors(&self, filter: VendorFilter, page: PageRequest) -> Result<Page<Vendor>> {
        Ok(vendors::list(&self.db, filter, page).await?)
    }

    async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>> {
        Ok(vendors::by_id(&self.db, id).await?)
    }

    /// Without case; of several with one name the one with the smallest id.
    async fn vendor_by_name(&self, name: &str) -> Result<Option<Vendor>> {
        Ok(vendors::by_name(&self.db, name).await?)
    }

    /// Exactly one of its domains, without case.
    async fn vendor_by_domain(&self, domain: &str) -> Result<Option<Vendor>> {
        Ok(vendors::by_domain(&self.db, domain).await?)
    }

    /// By name.
    async fn integrations(&self, vendor: Option<VendorId>, page: PageRequest) -> Result<Page<Integration>> {
        Ok(vendors::integrations(&self.db, vendor, page).await?)
    }

    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        Ok(vendors::integration(&self.db, id).await?)
    }

    async fn integration_by_name(&self, name: &str) -> Result<Option<Integration>> {
        Ok(vendors::integration_by_name(&self.db, name).await?)
    }

    /// At most the newest 1,000.
    async fn postures(&self, vendor: VendorId, since: Option<Timestamp>) -> Result<Vec<Posture>> {
        Ok(vendors::postures(&self.db, vendor, since).await?)
    }

    /// Worst first.
    async fn findings(&self, filter: FindingFilter, page: PageRequest) -> Result<Page<Finding>> {
        Ok(findings::list(&self.db, filter, page).await?)
    }

    async fn finding(&self, id: FindingId) -> Result<Option<Finding>> {
        Ok(findings::by_id(&self.db, id).await?)
    }

    async fn signals(&self, filter: SignalFilter, page: PageRequest) -> Result<Page<Signal>> {
        Ok(signals::list(&self.db, filter, page).await?)
    }

    async fn signal(&self, id: SignalId) -> Result<Option<Signal>> {
        Ok(signals::by_id(&self.db, id).await?)
    }

    /// By event time of the last change. A technique's alerts are also those of its sub-techniques. A vendor's are
    /// those that touch, or whose path passes, its own node, one of its domains, one of its integrations or a key of
    /// one of these.
    async fn alerts(&self, filter: AlertFilter, page: PageRequest) -> Result<Page<Alert>> {
        Ok(alerts::list(&self.db, filter, page).await?)
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Alert>> {
        Ok(alerts::by_id(&self.db, id).await?)
    }

    async fn alert_events(&self, after: u64, max: usize) -> Result<Vec<AlertEvent>> {
        Ok(alerts::events(&self.db, after, max).await?)
    }

    async fn alert_event_range(&self) -> Result<Option<(u64, u64)>> {
        Ok(alerts::event_range(&self.db).await?)
    }

    async fn vendors_by_id(&self, ids: &[VendorId]) -> Result<Vec<Vendor>> {
        Ok(many::vendors(&self.db, ids).await?)
    }

    async fn signals_by_id(&self, ids: &[SignalId]) -> Result<Vec<Signal>> {
        Ok(many::signals(&self.db, ids).await?)
    }

    async fn findings_by_id(&self, ids: &[FindingId]) -> Result<Vec<Finding>> {
        Ok(many::findings(&self.db, ids).await?)
    }

    async fn current_postures(&self, vendors: &[VendorId]) -> Result<Vec<(VendorId, Posture)>> {
        Ok(many::current_postures(&self.db, vendors).await?)
    }
}
