//! `riskgraph report`: makes reports at once.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use riskgraph_domain::ports::Records;
use riskgraph_domain::report::{ReportFormat, ReportKind};
use riskgraph_domain::time::Clock as _;
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{Timestamp, VendorId};

use super::{Done, EXIT_DONE, Failure, SettingsArgs};
use crate::clock::SystemClock;
use crate::reports::gather::{Ask, Gatherer};

/// Makes a report and writes its files, each with a signature beside it.
///
/// KIND is whom it is for:
///   vendor-manager   the portfolio: what changed first, grades, overdue findings, new fourth parties, incidents
///   risk-lead        alerts, how fast they were handled, verdicts, how right the detectors were
///   board            one page: few figures, the trend, the three largest risks and what is being done
///   vendor           one vendor's own result, with evidence and how to fix it; fit to be sent to the vendor
///
/// The same --as-of gives the same bytes, however much has happened since.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  riskgraph report board
  riskgraph report vendor-manager --since 2026-03-01T00:00:00Z --format html --format csv --out monday
  riskgraph report vendor payments.example --format pdf
  riskgraph report payments.example              (the same, for short)"
)]
pub(super) struct Report {
    /// vendor-manager, risk-lead, board, vendor; or the name, domain or id of a vendor.
    #[arg(value_name = "KIND")]
    kind: String,
    /// Name, domain or id of the vendor, for KIND vendor.
    #[arg(value_name = "VENDOR")]
    vendor: Option<String>,
    /// Instant of knowledge (RFC 3339); now when not given.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Begin of the period that is compared (RFC 3339); 7 or 30 days before, by kind.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How it is written down; may be given several times.
    #[arg(long, value_enum, default_values_t = [Format::Html, Format::Pdf])]
    format: Vec<Format>,
    /// Folder for the files; made when missing.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// How a report is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Pdf,
    Csv,
    Json,
}

impl From<Format> for ReportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Html => Self::Html,
            Format::Pdf => Self::Pdf,
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
        }
    }
}

impl Report {
    pub(super) async fn run(self) -> Done {
        let config = self.settings.load()?;
        let (kind, vendor) = self.subject()?;
        let (as_of, since) = (instant("--as-of", self.as_of.as_deref())?, instant("--since", self.since.as_deref())?);
        let store = crate::app::open_store(&config).await?;
        let vendor = match vendor {
            Some(text) => Some(find_vendor(store.records().as_ref(), text).await?),
            None => None,
        };
        let gatherer = Gatherer {
            history: store.history(),
            quantities: config.reports.quantities(),
            silent_after_ms: i64::from(config.reports.silent_after_min) * 60_000,
            public_url: config.public_url(),
        };
        let now = SystemClock.now();
        let as_of = match as_of {
            Some(at) if at > now => return Err(Failure::Use(anyhow!("--as-of: {at} is still to come"))),
            Some(at) => at,
            None => gatherer.history.cut(now, 0).await?.at,
        };
        let since = since.unwrap_or(as_of - config.reports.period_ms(kind));
        if since >= as_of {
            return Err(Failure::Use(anyhow!("--since: {since} is not before {as_of}")));
        }
        let ask = Ask { kind, vendor: vendor.as_ref().map(|vendor| vendor.id), since, as_of };
        let model = riskgraph_report::compose(&gatherer.facts(ask).await?);
        std::fs::create_dir_all(&self.out).with_context(|| format!("{} cannot be made", self.out.display()))?;
        for format in &self.format {
            let bytes = riskgraph_report::render(&model, (*format).into())?;
            write(&self.out.join(file_name(ask, vendor.as_ref(), (*format).into())), &bytes)?;
        }
        for stale in &model.stale {
            eprintln!("old or missing input: {}", stale.text);
        }
        Ok(EXIT_DONE)
    }

    /// The kind, and what names the vendor.
    fn subject(&self) -> Result<(ReportKind, Option<&str>), Failure> {
        let kind = match self.kind.to_lowercase().replace('_', "-").as_str() {
            "vendor-manager" => ReportKind::VendorManager,
            "risk-lead" => ReportKind::RiskLead,
            "board" => ReportKind::Board,
            "vendor" => ReportKind::Vendor,
            _ if self.vendor.is_none() => return Ok((ReportKind::Vendor, Some(&self.kind))),
            other => {
                let message = format!("'{other}' is no kind of report; use vendor-manager, risk-lead, board or vendor");
                return Err(Failure::Use(anyhow!(message)));
            }
        };
        match (kind, self.vendor.as_deref()) {
            (ReportKind::Vendor, None) => {
                Err(Failure::Use(anyhow!("which vendor? Give its name, domain or id: riskgraph report vendor NAME")))
            }
            (ReportKind::Vendor, vendor) => Ok((kind, vendor)),
            (_, None) => Ok((kind, None)),
            (_, Some(_)) => Err(Failure::Use(anyhow!("only a report of the kind vendor is about one vendor"))),
        }
    }
}

fn instant(name: &str, given: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = given else { return Ok(None) };
    let parsed = Timestamp::parse_rfc3339(text);
    parsed.map(Some).ok_or_else(|| {
        Failure::Use(anyhow!("{name}: '{text}' is no RFC 3339 time; write it like 2026-03-02T08:00:00Z"))
    })
}

/// The vendor with this id, domain or name.
async fn find_vendor(records: &dyn Records, text: &str) -> Result<Vendor, Failure> {
    let found = match text.parse::<VendorId>() {
        Ok(id) => records.vendor(id).await?,
        Err(_) => match records.vendor_by_domain(&text.trim().to_lowercase()).await? {
            Some(vendor) => Some(vendor),
            None => records.vendor_by_name(text.trim()).await?,
        },
    };
    found.ok_or_else(|| {
        Failure::Use(anyhow!("'{text}' is neither a kind of report nor a vendor's name, domain or id; see --help"))
    })
}

/// `riskgraph-board-20260302T080000Z.html`.
fn file_name(ask: Ask, vendor: Option<&Vendor>, format: ReportFormat) -> String {
    let kind = ask.kind.as_str().to_lowercase().replace('_', "-");
    let about = vendor.and_then(|vendor| vendor.domains.first()).map_or_else(String::new, |domain| {
        let safe: String =
            domain.chars().filter(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).take(100).collect();
        format!("-{safe}")
    });
    let at: String = ask.as_of.to_rfc3339().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    format!("riskgraph-{kind}{about}-{at}Z.{}", format.extension())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
