//! Reports: what is asked for, what is kept of one, and the doors to their history, their makers and their readers. It must
//! *not* know how a report looks.
//!
//! A report says what was known at an instant. What was known is fixed by a [`Cut`]: the place in the journal (and in the
//! sequence of alerts) up to which everything had been judged. History is read by that place and never by a clock, so
//! the same instant gives the same report, however much has happened since.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::access::Viewer;
use crate::alert::{AlertEvent, words};
use crate::error::Fault;
use crate::graph::{EntityKey, RelationKind};
use crate::id::{
    AlertId, ChannelId, EntityId, FindingId, RelationId, ReportId, ReportScheduleId, ReportShareId, VendorId,
};
use crate::journal::Position;
use crate::page::{Page, PageRequest};
use crate::posture::{Finding, Grade, Posture};
use crate::text::Text;
use crate::time::Timestamp;
use crate::vendor::Vendor;

type Result<T> = std::result::Result<T, Fault>;

words! {
    /// Whom a report is for.
    ReportKind { VendorManager = "VENDOR_MANAGER", RiskLead = "RISK_LEAD", Board = "BOARD", Vendor = "VENDOR" }
}
words! {
    /// How a report is written down.
    ReportFormat { Html = "HTML", Pdf = "PDF", Csv = "CSV", Json = "JSON" }
}
words! {
    /// What changed in the portfolio.
    ChangeKind {
        Grade = "GRADE", FindingNew = "FINDING_NEW", FindingFixed = "FINDING_FIXED", FourthParty = "FOURTH_PARTY",
        Incident = "INCIDENT", Alert = "ALERT",
    }
}

impl ReportFormat {
    /// How a file of this format is named at its end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The format with this ending.
    #[must_use]
    pub fn of_extension(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.extension() == text)
    }

    /// The media type of a file of this format.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

/// What was known at an instant: everything up to these places, and nothing after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Wall time at which it was made.
    pub at: Timestamp,
    /// Last position of the journal whose outcome is in the state.
    pub position: Position,
    /// Last alert change.
    pub sequence: u64,
    /// Events judged since the cut before this one, as far as the service that made it knows.
    pub n_events: u64,
}

/// One version of a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingVersion {
    pub position: Position,
    pub finding: Finding,
}

/// The grade of a vendor from one assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GradePoint {
    pub vendor: VendorId,
    pub at: Timestamp,
    pub grade: Grade,
}

/// Whom a vendor itself depends on, as a crawl saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FourthParty {
    pub relation: RelationId,
    pub kind: RelationKind,
    /// The vendor's node or one of its domains.
    pub from: EntityId,
    pub to: EntityKey,
    pub first_seen: Timestamp,
    pub position: Position,
}

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    pub kind: ReportKind,
    /// For [`ReportKind::Vendor`], and only for it.
    pub vendor: Option<VendorId>,
    /// Begin of the period that is compared; by default as far back as the kind looks.
    pub since: Option<Timestamp>,
    /// The instant of knowledge; by default now.
    pub as_of: Option<Timestamp>,
}

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFile {
    pub format: ReportFormat,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// A report that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub id: ReportId,
    pub kind: ReportKind,
    pub title: String,
    pub vendor: Option<VendorId>,
    pub since: Timestamp,
    pub as_of: Timestamp,
    pub created_at: Timestamp,
    pub created_by: Text,
    /// Set when a schedule made it.
    pub schedule: Option<ReportScheduleId>,
    pub files: Vec<ReportFile>,
    /// Stale input, in words.
    pub stale: Vec<String>,
    pub key_id: Text,
    /// The text that is signed.
    pub manifest: String,
    /// Ed25519 over the manifest's bytes, base64.
    pub signature: String,
}

/// A link that opens one report without an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportShare {
    pub id: ReportShareId,
    pub report: ReportId,
    /// Lower-case hex SHA-256 of the secret, which is 256 random bits.
    pub secret_hash: String,
    pub expires_at: Timestamp,
    pub created_by: Text,
    pub created_at: Timestamp,
    /// How often it was opened.
    pub opened: u64,
    pub revoked: bool,
}

/// When which report is made, and who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    pub name: String,
    pub kind: ReportKind,
    /// Five or six fields, in `time_zone`.
    pub cron: String,
    /// IANA name.
    pub time_zone: String,
    pub formats: Vec<ReportFormat>,
    pub channels: Vec<ChannelId>,
    pub vendor: Option<VendorId>,
    pub enabled: bool,
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSchedule {
    pub id: ReportScheduleId,
    pub spec: ScheduleSpec,
    /// When it was last changed: instants before are not due.
    pub changed_at: Timestamp,
    /// The next instant; `None` when it is off or never comes.
    pub next_at: Option<Timestamp>,
    /// The newest report it made.
    pub last: Option<Report>,
}

/// One thing that changed in the portfolio.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioChange {
    pub at: Timestamp,
    pub kind: ChangeKind,
    pub text: String,
    pub vendor: Option<VendorId>,
    pub finding: Option<FindingId>,
    pub alert: Option<AlertId>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Whether one file is what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCheck {
    pub format: ReportFormat,
    /// Why it is not, when it is not.
    pub problem: Option<String>,
}

/// Whether a report is what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportCheck {
    pub key_id: Text,
    pub signature_valid: bool,
    pub files: Vec<FileCheck>,
}

/// Reads what was known at a cut. Everything is in order of its keys.
#[async_trait]
pub trait History: Send + Sync {
    /// Fixes what is known now under this instant, or a moment later when a cut of it or after it is there already.
    async fn cut(&self, now: Timestamp, n_events: u64) -> Result<Cut>;
    /// The last cut at or before an instant.
    async fn cut_at(&self, at: Timestamp) -> Result<Option<Cut>>;
    /// The first cut ever kept.
    async fn first_cut(&self) -> Result<Option<Cut>>;
    /// The cuts after one instant and up to another, oldest first.
    async fn cuts(&self, after: Timestamp, until: Timestamp) -> Result<Vec<Cut>>;
    /// The vendors there were.
    async fn vendors_at(&self, cut: Cut) -> Result<Vec<Vendor>>;
    /// The newest version of every finding; of one vendor when it is named.
    async fn findings_at(&self, cut: Cut, vendor: Option<VendorId>) -> Result<Vec<FindingVersion>>;
    /// Versions of findings that came after one cut and up to another, oldest first, at most `max` newest.
    async fn finding_versions(&self, after: Cut, until: Cut, max: usize) -> Result<Vec<FindingVersion>>;
    /// The newest posture of every vendor that had one.
    async fn postures_at(&self, cut: Cut, vendor: Option<VendorId>) -> Result<Vec<(VendorId, Posture)>>;
    /// Grades of all vendors from assessments at or after an instant, oldest first.
    async fn grades(&self, cut: Cut, since: Timestamp) -> Result<Vec<GradePoint>>;
    /// Postures of one vendor at or after an instant, oldest first.
    async fn posture_history(&self, cut: Cut, vendor: VendorId, since: Timestamp) -> Result<Vec<Posture>>;
    async fn fourth_parties_at(&self, cut: Cut) -> Result<Vec<FourthParty>>;
    /// The last change of every alert, of those with the newest changes at most `max`; and how many there were.
    async fn alerts_at(&self, cut: Cut, max: usize) -> Result<(Vec<AlertEvent>, u64)>;
}

/// Keeps reports and the links to them. What a call has written is on disk when it returns.
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Keeps a report with its files unless one of this id is there; says whether it did.
    async fn insert(&self, report: Report, files: Vec<(ReportFormat, Vec<u8>)>) -> Result<bool>;
    async fn report(&self, id: ReportId) -> Result<Option<Report>>;
    /// Newest first.
    async fn reports(&self, kind: Option<ReportKind>, page: PageRequest) -> Result<Page<Report>>;
    /// The newest report of a schedule.
    async fn last_of(&self, schedule: ReportScheduleId) -> Result<Option<Report>>;
    async fn file(&self, id: ReportId, format: ReportFormat) -> Result<Option<Vec<u8>>>;
    /// Reports of schedules that nobody has been sent yet, oldest first.
    async fn unsent(&self, max: usize) -> Result<Vec<Report>>;
    async fn mark_sent(&self, id: ReportId) -> Result<()>;
    async fn insert_share(&self, share: ReportShare) -> Result<()>;
    /// Newest first, at most 100.
    async fn shares(&self, report: ReportId) -> Result<Vec<ReportShare>>;
    /// The share of this secret, when it opens something now; counts the opening.
    async fn open_share(&self, secret_hash: &str, now: Timestamp) -> Result<Option<ReportShare>>;
    /// Says whether it was valid until now.
    async fn revoke_share(&self, id: ReportShareId) -> Result<bool>;
}

/// Brings a report to channels. Calls may repeat with the same report after a crash; the receiver sees it once.
#[async_trait]
pub trait ReportSender: Send + Sync {
    /// Hands the files over; when it returns they will be delivered.
    async fn send(&self, report: &Report, files: Vec<(ReportFormat, Vec<u8>)>, channels: &[ChannelId]) -> Result<()>;
}

/// A file that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedFile {
    /// What a browser may name it.
    pub name: String,
    pub media_type: &'static str,
    pub body: Vec<u8>,
}

/// Makes, lists, checks and shares reports: what the API calls.
#[async_trait]
pub trait Reports: Send + Sync {
    async fn make(&self, viewer: &Viewer, request: ReportRequest) -> Result<Report>;
    async fn report(&self, id: ReportId) -> Result<Option<Report>>;
    async fn reports(&self, kind: Option<ReportKind>, page: PageRequest) -> Result<Page<Report>>;
    async fn verify(&self, id: ReportId) -> Result<ReportCheck>;
    /// `rep_....html`, `rep_....html.sig` ...
    async fn file(&self, name: &str) -> Result<ServedFile>;
    /// The installation's public key and its id.
    async fn public_key(&self) -> Result<(Text, String)>;
    async fn schedules(&self, page: PageRequest) -> Result<Page<ReportSchedule>>;
    async fn schedule(&self, id: ReportScheduleId) -> Result<Option<ReportSchedule>>;
    async fn create_schedule(&self, viewer: &Viewer, spec: ScheduleSpec) -> Result<ReportSchedule>;
    async fn update_schedule(
        &self,
        viewer: &Viewer,
        id: ReportScheduleId,
        spec: ScheduleSpec,
    ) -> Result<ReportSchedule>;
    async fn remove_schedule(&self, id: ReportScheduleId) -> Result<bool>;
    /// Makes a link; the path in the answer is shown once.
    async fn share(&self, viewer: &Viewer, id: ReportId, expires_at: Timestamp) -> Result<(ReportShare, String)>;
    async fn shares(&self, id: ReportId) -> Result<Vec<ReportShare>>;
    async fn revoke_share(&self, id: ReportShareId) -> Result<bool>;
    /// The file behind a link.
    async fn shared(&self, secret: &str, format: ReportFormat) -> Result<ServedFile>;
    /// What changed in the portfolio, newest first.
    async fn changes(&self, since: Timestamp, page: PageRequest) -> Result<Page<PortfolioChange>>;
}
