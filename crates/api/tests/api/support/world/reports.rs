//! A desk without reports, but with a key and one link.

use async_trait::async_trait;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{ReportId, ReportScheduleId, ReportShareId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::report::{
    PortfolioChange, Report, ReportCheck, ReportFormat, ReportKind, ReportRequest, ReportSchedule, ReportShare,
    Reports, ScheduleSpec, ServedFile,
};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;

use super::World;

/// What the one link opens with.
pub(crate) const SHARED: &str = "shared-secret";

type Result<T> = std::result::Result<T, Fault>;

fn none<T>() -> Result<T> {
    Err(Fault::not_found("report"))
}

#[async_trait]
impl Reports for World {
    async fn make(&self, _: &Viewer, _: ReportRequest) -> Result<Report> {
        none()
    }
    async fn report(&self, _: ReportId) -> Result<Option<Report>> {
        Ok(None)
    }
    async fn reports(&self, _: Option<ReportKind>, _: PageRequest) -> Result<Page<Report>> {
        Ok(Page::default())
    }
    async fn verify(&self, _: ReportId) -> Result<ReportCheck> {
        none()
    }
    async fn file(&self, _: &str) -> Result<ServedFile> {
        none()
    }
    async fn public_key(&self) -> Result<(Text, String)> {
        Ok(("0123456789abcdef".into(), "riskgraph-ed25519 AAAA".to_owned()))
    }
    async fn schedules(&self, _: PageRequest) -> Result<Page<ReportSchedule>> {
        Ok(Page::default())
    }
    async fn schedule(&self, _: ReportScheduleId) -> Result<Option<ReportSchedule>> {
        Ok(None)
    }
    async fn create_schedule(&self, _: &Viewer, _: ScheduleSpec) -> Result<ReportSchedule> {
        none()
    }
    async fn update_schedule(&self, _: &Viewer, _: ReportScheduleId, _: ScheduleSpec) -> Result<ReportSchedule> {
        none()
    }
    async fn remove_schedule(&self, _: ReportScheduleId) -> Result<bool> {
        Ok(false)
    }
    async fn share(&self, _: &Viewer, _: ReportId, _: Timestamp) -> Result<(ReportShare, String)> {
        none()
    }
    async fn shares(&self, _: ReportId) -> Result<Vec<ReportShare>> {
        Ok(Vec::new())
    }
    async fn revoke_share(&self, _: ReportShareId) -> Result<bool> {
        Ok(false)
    }
    async fn shared(&self, secret: &str, format: ReportFormat) -> Result<ServedFile> {
        if secret != SHARED {
            return none();
        }
        let name = format!("riskgraph-vendor.{}", format.extension());
        Ok(ServedFile { name, media_type: format.media_type(), body: b"a report".to_vec() })
    }
    async fn changes(&self, _: Timestamp, _: PageRequest) -> Result<Page<PortfolioChange>> {
        Ok(Page::default())
    }
}
