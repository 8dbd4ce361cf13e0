//! `riskgraph report`: makes reports at once, from the data folder or by a running service.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use riskgraph_domain::ports::Records;
use riskgraph_domain::report::{Report as Made, ReportFormat, ReportKind};
use riskgraph_domain::time::Clock as _;
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{Timestamp, VendorId};
use riskgraph_report::sign::signature_file;
use serde_json::{Value, json};

use super::client::{Server, ServerArgs};
use super::{Done, EXIT_DONE, Failure, SettingsArgs};
use crate::clock::SystemClock;
use crate::reports::desk::{Order, draw, file_name};
use crate::reports::gather::Ask;
use crate::vault::FileVault;

const MAKE: &str =
    "mutation($input: ReportInput!) { makeReport(input: $input) { kind asOf stale files { format url } } }";
const FIND: &str = "query($name: String, $domain: String) { vendor(name: $name, domain: $domain) { id } }";

#[derive(Debug, clap::Args)]
#[command(after_help = "KIND is whom the report is for:
  vendor-manager  the portfolio: what changed first, grades, overdue findings, new fourth parties
  risk-lead       alerts, how fast they were handled, verdicts, how right the detectors were
  board           one page: few figures, the trend, the three largest risks, what is being done
  vendor          one vendor's own result, with evidence and how to fix it; fit for the vendor

The same --as-of gives the same bytes, however much has happened since. Every file has a signature
beside it (FILE.sig); `riskgraph verify FILE` checks it.

Examples:
  riskgraph report board
  riskgraph report vendor-manager --since 2026-03-01T00:00:00Z --format csv --out monday
  riskgraph report vendor payments.example --format pdf
  riskgraph report payments.example              (the same, for short)
  riskgraph report risk-lead --server https://riskgraph.example --token rg_...")]
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
    /// Let a running service make and keep the report, instead of reading the data folder.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "config"])]
    server: Option<String>,
    /// Access token for --server.
    #[arg(long, env = "RISKGRAPH_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
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

/// Begin and end of the period, as far as given.
#[derive(Clone, Copy)]
struct Period {
    since: Option<Timestamp>,
    as_of: Option<Timestamp>,
}

impl Report {
    pub(super) async fn run(self) -> Done {
        let (kind, vendor) = self.subject()?;
        let period = Period {
            since: instant("--since", self.since.as_deref())?,
            as_of: instant("--as-of", self.as_of.as_deref())?,
        };
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("{} cannot be made", self.out.display()))
            .map_err(Failure::Use)?;
        match &self.server {
            Some(url) => {
                let server = ServerArgs::at(url.clone(), self.token.clone()).connect()?;
                self.made_by_service(&server, (kind, vendor), period).await
            }
            None => self.made_of_folder((kind, vendor), period).await,
        }
    }

    async fn made_of_folder(&self, (kind, vendor): (ReportKind, Option<&str>), period: Period) -> Done {
        let config = self.settings.load()?;
        let store = crate::app::open_store(&config).await?;
        let vendor = match vendor {
            Some(text) => Some(find_vendor(store.records().as_ref(), text).await?),
            None => None,
        };
        let gatherer = crate::reports::gatherer(&config, store.history());
        let now = SystemClock.now();
        let as_of = match period.as_of {
            Some(at) if at >= now => return Err(Failure::Use(anyhow!("--as-of: {at} is still to come"))),
            Some(at) => at,
            None => gatherer.history.cut(now, 0).await?.at,
        };
        let since = period.since.unwrap_or(as_of - config.reports.period_ms(kind));
        if since >= as_of {
            return Err(Failure::Use(anyhow!("--since: {since} is not before {as_of}")));
        }
        let ask = Ask { kind, vendor: vendor.map(|vendor| vendor.id), since, as_of };
        let facts = gatherer.facts(ask).await.map_err(|fault| Failure::Use(fault.into()))?;
        let vault = FileVault::open(&config.store.data_dir)?;
        let signer = crate::reports::keys::signer(store.documents().as_ref(), &vault, now).await?;
        let order = Order { ask, by: "command line".into(), schedule: None };
        let (report, files) = draw(&facts)?.finish(order, &signer, now);
        let signature = signature_file(&report.manifest, &report.signature, &signer.public_key());
        for (format, bytes) in files.iter().filter(|(format, _)| self.wants(*format)) {
            self.write(&report, *format, (bytes, &signature))?;
        }
        warn_of_stale(&report.stale);
        Ok(EXIT_DONE)
    }

    async fn made_by_service(
        &self,
        server: &Server,
        (kind, vendor): (ReportKind, Option<&str>),
        period: Period,
    ) -> Done {
        let vendor = match vendor {
            Some(text) => Some(find_remote(server, text).await?),
            None => None,
        };
        let input = json!({ "kind": kind, "vendor": vendor, "since": period.since, "asOf": period.as_of });
        let mut made = server.graphql(MAKE, json!({ "input": input })).await?;
        let made = made["makeReport"].take();
        let at: String = text(&made["asOf"]).chars().take(19).filter(char::is_ascii_alphanumeric).collect();
        for file in made["files"].as_array().into_iter().flatten() {
            let format = ReportFormat::parse(text(&file["format"])).filter(|format| self.wants(*format));
            let Some(format) = format else { continue };
            let url = text(&file["url"]);
            let (bytes, signature) = (server.download(url).await?, server.download(&format!("{url}.sig")).await?);
            let kind = kind.as_str().to_lowercase().replace('_', "-");
            let name = format!("riskgraph-{kind}-{at}Z.{}", format.extension());
            write(&self.out.join(&name), &bytes)?;
            write(&self.out.join(format!("{name}.sig")), &signature)?;
        }
        let stale = made["stale"].as_array().into_iter().flatten().map(|stale| text(stale).to_owned());
        warn_of_stale(&stale.collect::<Vec<_>>());
        Ok(EXIT_DONE)
    }

    fn wants(&self, format: ReportFormat) -> bool {
        self.format.iter().any(|wanted| ReportFormat::from(*wanted) == format)
    }

    fn write(&self, report: &Made, format: ReportFormat, (bytes, signature): (&[u8], &[u8])) -> Result<(), Failure> {
        let name = file_name(report, format.extension());
        write(&self.out.join(&name), bytes)?;
        write(&self.out.join(format!("{name}.sig")), signature)
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn unknown(text: &str) -> Failure {
    Failure::Use(anyhow!("'{text}' is neither a kind of report nor a vendor's name, domain or id; see --help"))
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
    found.ok_or_else(|| unknown(text))
}

/// The id of the vendor with this id, domain or name, by asking the service.
async fn find_remote(server: &Server, given: &str) -> Result<String, Failure> {
    if given.parse::<VendorId>().is_ok() {
        return Ok(given.to_owned());
    }
    for variables in [json!({ "domain": given }), json!({ "name": given })] {
        let found = server.graphql(FIND, variables).await?;
        if let Some(id) = found["vendor"]["id"].as_str() {
            return Ok(id.to_owned());
        }
    }
    Err(unknown(given))
}

fn warn_of_stale(stale: &[String]) {
    for text in stale {
        eprintln!("old or missing input: {text}");
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
