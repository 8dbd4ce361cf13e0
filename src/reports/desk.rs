//! Makes, keeps, checks and serves reports. It must *not* know how a report looks, nor who may do what.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::report::{
    FileCheck, PortfolioChange, Report, ReportCheck, ReportFormat, ReportKind, ReportRequest, ReportSchedule,
    ReportShare, ReportStore, Reports, ScheduleSpec, ServedFile,
};
use riskgraph_domain::secret::Vault;
use riskgraph_domain::time::Clock;
use riskgraph_domain::{ReportId, ReportScheduleId, ReportShareId, Text, Timestamp};
use riskgraph_report::sign::{Manifest, PublicKey, Signer, file_of, sha256, signature_file};
use riskgraph_report::{Facts, ReportModel, compose, render};
use tokio::sync::{OnceCell, Semaphore};

use super::gather::{Ask, Gatherer};
use super::keys;
use super::options::ReportsConfig;
use super::pulse::Pulse;

/// Reports made at the same time: each holds what it tells in memory.
const MAKING_MAX: usize = 2;
/// What an offline signature ends with.
const SIGNATURE_ENDING: &str = ".sig";

/// Makes and serves reports.
pub struct ReportDesk {
    pub(super) gatherer: Gatherer,
    pub(super) store: Arc<dyn ReportStore>,
    pub(super) documents: Arc<dyn DocumentStore>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: ReportsConfig,
    pub(super) pulse: Pulse,
    signer: OnceCell<Signer>,
    making: Semaphore,
}

/// A report to be made, with nothing left to choose.
#[derive(Debug, Clone)]
pub struct Order {
    pub ask: Ask,
    pub by: Text,
    pub schedule: Option<ReportScheduleId>,
}

/// What the desk works with.
pub struct DeskParts {
    pub gatherer: Gatherer,
    pub store: Arc<dyn ReportStore>,
    pub documents: Arc<dyn DocumentStore>,
    pub vault: Arc<dyn Vault>,
    pub clock: Arc<dyn Clock>,
    pub config: ReportsConfig,
    pub pulse: Pulse,
}

impl Order {
    /// The id of the report this makes: the same order always makes the same report.
    #[must_use]
    pub fn id(&self) -> ReportId {
        let vendor = self.ask.vendor.map_or_else(String::new, |vendor| vendor.to_string());
        let schedule = self.schedule.map_or_else(String::new, |schedule| schedule.to_string());
        let (since, as_of) = (self.ask.since.0.to_string(), self.ask.as_of.0.to_string());
        ReportId::of(&[self.ask.kind.as_str(), &vendor, &schedule, &since, &as_of])
    }
}

impl ReportDesk {
    #[must_use]
    pub fn new(parts: DeskParts) -> Self {
        let DeskParts { gatherer, store, documents, vault, clock, config, pulse } = parts;
        let (signer, making) = (OnceCell::new(), Semaphore::new(MAKING_MAX));
        Self { gatherer, store, documents, vault, clock, config, pulse, signer, making }
    }

    /// Makes the report, or gives the one that was made before.
    ///
    /// # Errors
    /// When nothing is known of that instant, the store fails, or the key does not open.
    pub async fn order(&self, order: Order) -> Result<Report, Fault> {
        let id = order.id();
        if let Some(made) = self.store.report(id).await? {
            return Ok(made);
        }
        // The semaphore is never closed; without a permit only more memory is used.
        let _permit = self.making.acquire().await;
        let facts = self.gatherer.facts(order.ask).await?;
        let drawn = tokio::task::spawn_blocking(move || draw(&facts)).await;
        let drawn = drawn.map_err(|_| undrawn("the writer stopped"))??;
        let (report, files) = drawn.finish(order, self.signer().await?, self.clock.now());
        if self.store.insert(report.clone(), files).await? {
            return Ok(report);
        }
        // Somebody made the same one meanwhile.
        self.store.report(id).await?.ok_or_else(|| Fault::not_found("report"))
    }

    async fn signer(&self) -> Result<&Signer, Fault> {
        let make = || keys::signer(self.documents.as_ref(), self.vault.as_ref(), self.clock.now());
        self.signer.get_or_try_init(make).await
    }

    pub(super) async fn found(&self, id: ReportId) -> Result<Report, Fault> {
        self.store.report(id).await?.ok_or_else(|| Fault::not_found("report"))
    }

    /// Checks a request and chooses what it leaves open.
    async fn ask(&self, request: ReportRequest) -> Result<Ask, Fault> {
        let bad = |message: &str| Err(Fault::new(FaultCode::BadInput, message));
        match (request.kind, request.vendor) {
            (ReportKind::Vendor, None) => return bad("vendor: say which vendor the report is about"),
            (ReportKind::Vendor, Some(_)) | (_, None) => {}
            (_, Some(_)) => return bad("vendor: only a report of the kind VENDOR is about one vendor"),
        }
        let now = self.clock.now();
        let as_of = match request.as_of {
            Some(at) if at >= now => return bad("asOf: that instant is still to come"),
            Some(at) => at,
            None => self.pulse.settled_cut(now).await?.at,
        };
        let since = request.since.unwrap_or(as_of - self.config.period_ms(request.kind));
        if since >= as_of {
            return bad("since: the begin of the period must lie before its end");
        }
        Ok(Ask { kind: request.kind, vendor: request.vendor, since, as_of })
    }

    /// The bytes of a file of a report.
    pub(super) async fn bytes(&self, report: &Report, format: ReportFormat) -> Result<Vec<u8>, Fault> {
        self.store.file(report.id, format).await?.ok_or_else(|| Fault::not_found("file of this report"))
    }

    /// The signature file of a report; one for all its files.
    pub(super) async fn signature(&self, report: &Report) -> Result<Vec<u8>, Fault> {
        Ok(signature_file(&report.manifest, &report.signature, &self.signer().await?.public_key()))
    }
}

/// A report in all formats, before it is signed.
pub struct Drawn {
    model: ReportModel,
    files: Vec<(ReportFormat, Vec<u8>)>,
}

/// Composes and writes a report down in all formats. Takes a while: not for the threads of the runtime.
///
/// # Errors
/// When a writer refuses.
pub fn draw(facts: &Facts) -> Result<Drawn, Fault> {
    let model = compose(facts);
    let mut files = Vec::with_capacity(ReportFormat::ALL.len());
    for format in ReportFormat::ALL {
        files.push((*format, render(&model, *format).map_err(undrawn)?));
    }
    Ok(Drawn { model, files })
}

impl Drawn {
    /// Signs it.
    #[must_use]
    pub fn finish(self, order: Order, signer: &Signer, now: Timestamp) -> (Report, Vec<(ReportFormat, Vec<u8>)>) {
        let id = order.id();
        let key = signer.public_key();
        let named: Vec<_> = self.files.iter().map(|(format, bytes)| file_of(*format, bytes)).collect();
        let manifest = Manifest::new(id.to_string(), &self.model, named.clone(), &key).to_text();
        let report = Report {
            id,
            kind: order.ask.kind,
            title: self.model.title,
            vendor: order.ask.vendor,
            since: order.ask.since,
            as_of: order.ask.as_of,
            created_at: now,
            created_by: order.by,
            schedule: order.schedule,
            files: named,
            stale: self.model.stale.into_iter().map(|stale| stale.text).collect(),
            key_id: key.id().into(),
            signature: signer.sign(&manifest),
            manifest,
        };
        (report, self.files)
    }
}

/// `riskgraph-board-20260302T080000Z.html`.
#[must_use]
pub fn file_name(report: &Report, ending: &str) -> String {
    let kind = report.kind.as_str().to_lowercase().replace('_', "-");
    let at: String = report.as_of.to_rfc3339().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    format!("riskgraph-{kind}-{at}Z.{ending}")
}

fn undrawn(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultCode::Internal, format!("a report could not be written down: {error}"))
}

#[async_trait]
impl Reports for ReportDesk {
    async fn make(&self, viewer: &Viewer, request: ReportRequest) -> Result<Report, Fault> {
        let ask = self.ask(request).await?;
        self.order(Order { ask, by: viewer.name.clone(), schedule: None }).await
    }

    async fn report(&self, id: ReportId) -> Result<Option<Report>, Fault> {
        self.store.report(id).await
    }

    async fn reports(&self, kind: Option<ReportKind>, page: PageRequest) -> Result<Page<Report>, Fault> {
        self.store.reports(kind, page).await
    }

    /// Checks the kept files against the manifest, and the manifest against the signature.
    async fn verify(&self, id: ReportId) -> Result<ReportCheck, Fault> {
        let report = self.found(id).await?;
        let key: PublicKey = self.signer().await?.public_key();
        let signature_valid = key.checks(&report.manifest, &report.signature);
        let manifest: Option<Manifest> = serde_json::from_str(&report.manifest).ok();
        let mut files = Vec::with_capacity(report.files.len());
        for file in &report.files {
            let signed = manifest.as_ref().and_then(|m| m.files.iter().find(|signed| signed.format == file.format));
            let kept = self.store.file(id, file.format).await?;
            let problem = match (signed, kept) {
                _ if !signature_valid => Some("the signature does not belong to the manifest"),
                (None, _) => Some("the manifest does not name this file"),
                (_, None) => Some("the file is not kept any more"),
                (Some(signed), Some(bytes)) if sha256(&bytes) != signed.sha256 => Some("the file was changed"),
                _ => None,
            };
            files.push(FileCheck { format: file.format, problem: problem.map(str::to_owned) });
        }
        Ok(ReportCheck { key_id: report.key_id, signature_valid, files })
    }

    async fn file(&self, name: &str) -> Result<ServedFile, Fault> {
        let missing = || Fault::not_found("report");
        let (name, is_signature) = match name.strip_suffix(SIGNATURE_ENDING) {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (id, ending) = name.split_once('.').ok_or_else(missing)?;
        let format = ReportFormat::of_extension(ending).ok_or_else(missing)?;
        let report = self.found(id.parse().map_err(|_| missing())?).await?;
        if is_signature {
            let name = file_name(&report, &format!("{ending}{SIGNATURE_ENDING}"));
            return Ok(ServedFile { name, media_type: "application/json", body: self.signature(&report).await? });
        }
        let body = self.bytes(&report, format).await?;
        Ok(ServedFile { name: file_name(&report, ending), media_type: format.media_type(), body })
    }

    async fn public_key(&self) -> Result<(Text, String), Fault> {
        let key = self.signer().await?.public_key();
        Ok((key.id().into(), key.to_text()))
    }

    async fn schedules(&self, page: PageRequest) -> Result<Page<ReportSchedule>, Fault> {
        self.list_schedules(page).await
    }

    async fn schedule(&self, id: ReportScheduleId) -> Result<Option<ReportSchedule>, Fault> {
        self.find_schedule(id).await
    }

    async fn create_schedule(&self, viewer: &Viewer, spec: ScheduleSpec) -> Result<ReportSchedule, Fault> {
        self.put_schedule(viewer, None, spec).await
    }

    async fn update_schedule(
        &self,
        viewer: &Viewer,
        id: ReportScheduleId,
        spec: ScheduleSpec,
    ) -> Result<ReportSchedule, Fault> {
        self.put_schedule(viewer, Some(id), spec).await
    }

    async fn remove_schedule(&self, id: ReportScheduleId) -> Result<bool, Fault> {
        self.documents.remove(super::schedules::KIND, &id.to_string()).await
    }

    async fn share(
        &self,
        viewer: &Viewer,
        id: ReportId,
        expires_at: Timestamp,
    ) -> Result<(ReportShare, String), Fault> {
        self.make_share(viewer, id, expires_at).await
    }

    async fn shares(&self, id: ReportId) -> Result<Vec<ReportShare>, Fault> {
        self.store.shares(id).await
    }

    async fn revoke_share(&self, id: ReportShareId) -> Result<bool, Fault> {
        self.store.revoke_share(id).await
    }

    async fn shared(&self, secret: &str, format: ReportFormat) -> Result<ServedFile, Fault> {
        self.open_share(secret, format).await
    }

    async fn changes(&self, since: Timestamp, page: PageRequest) -> Result<Page<PortfolioChange>, Fault> {
        self.gatherer.changes(since, page).await
    }
}
