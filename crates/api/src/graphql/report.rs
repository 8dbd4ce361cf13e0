//! Reports as GraphQL shows them. Must not know what is in them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::report as model;

use super::alert::Alert;
use super::node::parse_id;
use super::page::connection;
use super::posture::Finding;
use super::report_schedule::ReportSchedule;
use super::vendor::Vendor;
use super::words::{ChangeKind, DateTime, ReportFormat, ReportKind, int};
use crate::access::{Reader, grant};

/// A report that was made; its files do not change any more.
pub(crate) struct Report(pub(crate) model::Report);

connection!(ReportConnection, ReportEdge, Report, model::Report);

#[Object]
impl Report {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn kind(&self) -> ReportKind {
        self.0.kind.into()
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The instant of knowledge: nothing later is in it.
    async fn as_of(&self) -> DateTime {
        DateTime(self.0.as_of)
    }

    /// Begin of the period that is compared.
    async fn since(&self) -> DateTime {
        DateTime(self.0.since)
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// The vendor it is about; null when it is about all, or the vendor is gone.
    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    /// The schedule that made it; null when a person did, or the schedule is gone.
    async fn schedule(&self, ctx: &Context<'_>) -> Result<Option<ReportSchedule>, Fault> {
        let Some(id) = self.0.schedule else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.reports().schedule(id).await?.map(ReportSchedule))
    }

    async fn files(&self) -> Vec<ReportFile> {
        let file = |file: &model::ReportFile| ReportFile {
            format: file.format.into(),
            bytes: int(file.bytes),
            sha256: file.sha256.clone(),
            url: format!("/reports/{}.{}", self.0.id, file.format.extension()),
        };
        self.0.files.iter().map(file).collect()
    }

    /// Which key signed it; GET /reports/key is the key.
    async fn key_id(&self) -> &str {
        &self.0.key_id
    }

    /// Old or missing input, in words.
    async fn stale(&self) -> &[String] {
        &self.0.stale
    }

    /// Links that open it without an account, newest first; the first 100.
    async fn shares(&self, ctx: &Context<'_>) -> Result<Vec<ReportShare>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let rows = reader.spend_list(reader.reports().shares(self.0.id).await?)?;
        Ok(rows.into_iter().map(|share| ReportShare::of(share, None)).collect())
    }
}

/// One file of a report.
#[derive(SimpleObject)]
pub(crate) struct ReportFile {
    format: ReportFormat,
    bytes: i32,
    /// Lower-case hex.
    sha256: String,
    /// Path on this service; with `.sig` behind it the signature.
    url: String,
}

/// A link that opens one report without an account.
#[derive(SimpleObject)]
pub(crate) struct ReportShare {
    id: ID,
    /// Only in the answer that makes it: keep it now.
    url: Option<String>,
    expires_at: DateTime,
    created_by: String,
    created_at: DateTime,
    /// How often it was opened.
    opened: i32,
    revoked: bool,
}

impl ReportShare {
    pub(crate) fn of(share: model::ReportShare, url: Option<String>) -> Self {
        Self {
            id: share.id.to_string().into(),
            url,
            expires_at: DateTime(share.expires_at),
            created_by: share.created_by.to_string(),
            created_at: DateTime(share.created_at),
            opened: int(share.opened),
            revoked: share.revoked,
        }
    }
}

/// Whether a report is what was signed.
#[derive(SimpleObject)]
pub(crate) struct ReportCheck {
    valid: bool,
    key_id: String,
    files: Vec<ReportFileCheck>,
}

/// Whether one file is what was signed.
#[derive(SimpleObject)]
pub(crate) struct ReportFileCheck {
    format: ReportFormat,
    valid: bool,
    /// Why it is not.
    reason: Option<String>,
}

impl From<model::ReportCheck> for ReportCheck {
    fn from(check: model::ReportCheck) -> Self {
        let files: Vec<ReportFileCheck> = check
            .files
            .into_iter()
            .map(|file| ReportFileCheck {
                format: file.format.into(),
                valid: file.problem.is_none(),
                reason: file.problem,
            })
            .collect();
        let valid = check.signature_valid && files.iter().all(|file| file.valid);
        Self { valid, key_id: check.key_id.to_string(), files }
    }
}

/// Which report is wanted.
#[derive(InputObject)]
pub(crate) struct ReportInput {
    kind: ReportKind,
    /// For VENDOR, and only for it.
    vendor: Option<ID>,
    /// Begin of the period; 7 days before for VENDOR_MANAGER and RISK_LEAD, 30 for BOARD and VENDOR.
    since: Option<DateTime>,
    /// The instant of knowledge; now when not given. The same instant gives the same files.
    as_of: Option<DateTime>,
}

impl ReportInput {
    pub(crate) fn checked(self) -> Result<model::ReportRequest, Fault> {
        Ok(model::ReportRequest {
            kind: self.kind.into(),
            vendor: self.vendor.as_ref().map(parse_id).transpose()?,
            since: self.since.map(|since| since.0),
            as_of: self.as_of.map(|as_of| as_of.0),
        })
    }
}

/// One thing that changed in the portfolio.
pub(crate) struct Change(pub(crate) model::PortfolioChange);

connection!(ChangeConnection, ChangeEdge, Change, model::PortfolioChange);

#[Object]
impl Change {
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    async fn kind(&self) -> ChangeKind {
        self.0.kind.into()
    }

    async fn text(&self) -> &str {
        &self.0.text
    }

    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    async fn finding(&self, ctx: &Context<'_>) -> Result<Option<Finding>, Fault> {
        let Some(id) = self.0.finding else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.finding(id).await?.map(Finding))
    }

    async fn alert(&self, ctx: &Context<'_>) -> Result<Option<Alert>, Fault> {
        let Some(id) = self.0.alert else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.records().alert(id).await?.map(Alert))
    }

    async fn before(&self) -> Option<&str> {
        self.0.before.as_deref()
    }

    async fn after(&self) -> Option<&str> {
        self.0.after.as_deref()
    }
}
