//! What an operator can set, and the defaults that need no setting.
//!
//! `config/riskgraph.toml` is the annotated default, compiled in; a file given with `--config` overrides it key by key, and
//! environment variables such as `RISKGRAPH_SERVER__LISTEN` override both. Unknown keys are errors.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use riskgraph_analysis::policy::PolicyConfig;
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use riskgraph_domain::{Fault, FaultCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gatekeeper::SessionLimits;
use crate::reports::options::ReportsConfig;
use crate::respond::config::RespondConfig;

/// The annotated default configuration.
pub const SHIPPED: &str = include_str!("../config/riskgraph.toml");

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub store: StoreConfig,
    pub journal: JournalConfig,
    pub pipeline: PipelineConfig,
    pub assessment: AssessmentConfig,
    pub pages: PagesConfig,
    pub policy: AlertPolicyConfig,
    pub crawler: CrawlerConfig,
    pub lookalikes: LookalikesConfig,
    pub knowledge: KnowledgeConfig,
    pub session: SessionConfig,
    pub reports: ReportsConfig,
    pub delivery: DeliveryConfig,
    pub respond: RespondConfig,
    pub audit: AuditConfig,
}

/// Where the service listens and what it takes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port of the HTTP server.
    pub listen: SocketAddr,
    /// URL at which people reach the console, for links in reports; empty for `listen` over HTTP.
    pub public_url: String,
    /// Largest request body on the wire, bytes.
    pub body_bytes_max: usize,
    /// Largest body once decompressed, bytes.
    pub decoded_bytes_max: usize,
    /// Networks (CIDR) of proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed.
    pub trusted_proxies: Vec<String>,
}

/// The log of who did and read what.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// `postgres://...` instead of SQLite in `data_dir`; empty for the same server as the store.
    pub url: String,
    /// Days entries are kept; 0 keeps them for ever.
    pub keep_days: u32,
    /// Whether reads of personal data are recorded; changes always are.
    pub reads: bool,
}

/// How long a browser stays signed in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Minutes without use after which a session ends; an open console is in use.
    pub idle_minutes: u32,
    /// Hours after which a session ends, however much it is used.
    pub absolute_hours: u32,
    /// Minutes a sign-in link works.
    pub link_minutes: u32,
}

/// Where state is kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Folder of the SQLite files.
    pub data_dir: PathBuf,
    /// `postgres://...` instead of SQLite in `data_dir`; empty for SQLite.
    pub url: String,
}

/// Where input is made durable.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// `postgres://...` instead of SQLite in `data_dir`; empty for SQLite.
    pub url: String,
    /// Days that judged input is kept.
    pub keep_days: u32,
    /// Newest event ids among which duplicates are known; about 30 bytes each.
    pub dedupe_ids: usize,
}

/// How the pipeline runs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineConfig {
    /// Accepted but not yet judged events beyond which new input is refused with 429; about 1 KB each.
    pub lag_max: u64,
    /// Seconds between two checkpoints of the detectors' state.
    pub checkpoint_every_s: u32,
}

/// When vendors are assessed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentConfig {
    /// Cron expression with seconds, in `time_zone`.
    pub cron: String,
    /// IANA name.
    pub time_zone: String,
    /// Assessments that run at once.
    pub parallel: usize,
}

/// Payment pages that are watched.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesConfig {
    /// Addresses of the pages where people pay, as visitors reach them.
    pub urls: Vec<String>,
    /// Hours between two looks at one page.
    pub every_h: u32,
}

/// Whom alerts are told to, and by when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertPolicyConfig {
    /// TOML file that replaces the shipped alert policy (`config/policy.toml`); empty for the shipped one.
    pub file: PathBuf,
}

/// How the crawler reaches the outside.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrawlerConfig {
    /// `ADDRESS:PORT` of the DNS resolver; empty for the system's.
    pub resolver: String,
    /// PEM file of certificate authorities to trust besides the public ones; empty for none.
    pub ca_file: PathBuf,
    /// DNSSEC trust anchors in zone file form; empty for the root's.
    pub dnssec_anchors: PathBuf,
    /// `HOST:PORT=ADDRESS:PORT`: connections that go elsewhere than DNS says.
    pub connect: Vec<String>,
    /// Private networks that may be crawled (CIDR); by default none.
    pub allow_networks: Vec<String>,
    /// Base URL of an RDAP service that is asked about registrations; empty for none.
    pub rdap: String,
    /// Table of networks (ranges or prefixes and AS numbers); empty for none.
    pub asn_table: PathBuf,
    /// Scripts of a page that are fetched and read, at most.
    pub scripts_max: usize,
    /// retire.js repository (`jsrepository-v4.json` or later); empty: libraries are not looked up.
    pub retire_file: PathBuf,
    /// Hosts whose owner allows more than ordinary visiting: exposed files are looked for there.
    pub authorised: Vec<String>,
}

/// Whose lookalikes are looked for with each assessment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookalikesConfig {
    /// The shop's own domains.
    pub own: Vec<String>,
    /// Whether those of vendors' domains are looked for too: some 2,000 DNS questions a domain.
    pub vendors: bool,
    /// Certificates as crt.sh gives them (JSON array or lines), to see which lookalikes were certified; empty for none.
    pub certificates_file: PathBuf,
}

/// Files of the operator's that say what is known of software, addresses and domains; every one may be gzip, and what is
/// not given is not judged.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KnowledgeConfig {
    /// Technologies in Wappalyzer's form (one JSON object).
    pub technologies_file: PathBuf,
    /// Vulnerabilities in the form of the NVD API 2.0.
    pub nvd_files: Vec<PathBuf>,
    /// CISA's `known_exploited_vulnerabilities.json`.
    pub kev_file: PathBuf,
    /// FIRST's EPSS CSV; the newest last, the one before tells jumps.
    pub epss_files: Vec<PathBuf>,
    /// Answers of endoflife.date by product.
    pub end_of_life_file: PathBuf,
    /// `DOMAIN=FILE` of OpenSSF Scorecard results.
    pub scorecard_files: Vec<String>,
    /// Port scans, one JSON object a line (Shodan's banners, naabu).
    pub scan_files: Vec<PathBuf>,
    /// Storage containers, one JSON object a line.
    pub buckets_file: PathBuf,
    /// Lists of bad addresses, one a line (ipsum's form).
    pub address_lists: Vec<PathBuf>,
    /// Announced networks (pfx2as).
    pub routes_file: PathBuf,
    /// Authorised origins (`roas` JSON).
    pub roas_file: PathBuf,
    /// Networks of delivery services (cdncheck's `sources_data.json`, or one a line).
    pub delivery_networks_file: PathBuf,
    /// Breaches (Have I Been Pwned).
    pub breaches_file: PathBuf,
    /// Posts on leak sites (ransomware.live, RansomLook).
    pub extortions_file: PathBuf,
    /// Secrets in vendors' public code (gitleaks, with `Vendor`).
    pub code_leaks_file: PathBuf,
}

/// How channels are told of alerts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryConfig {
    /// Private networks that channels' URLs may point into (CIDR); by default none.
    pub allow_networks: Vec<String>,
    /// Whether `http:` may also go to public addresses.
    pub allow_http: bool,
    /// PEM file of certificate authorities to trust besides the public ones; empty for none.
    pub ca_file: PathBuf,
    /// Seconds a receiver has to answer.
    pub timeout_s: f64,
    /// Seconds before each try; after the last the delivery is dead.
    pub schedule_s: Vec<f64>,
    /// Seconds a channel may fail without a success before it is disabled.
    pub disable_after_s: f64,
    /// Deliveries of one channel in one moment; those of one alert always go one after the other.
    pub parallel: usize,
    /// Folder of the files of FILE channels; empty for `delivery` in the data folder.
    pub folder: PathBuf,
    pub smtp: SmtpConfig,
}

/// The server that takes our mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Empty for none: EMAIL channels wait then.
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// Empty for no authentication.
    pub username: String,
    /// File with the password.
    pub password_file: PathBuf,
    /// Sender's address, such as `riskgraph <risk@shop.example>`.
    pub from: String,
}

/// How the connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    Starttls,
    Tls,
    None,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration cannot be read; check the file and the RISKGRAPH_ variables")]
    Read(#[from] config::ConfigError),
    #[error("{key}: {problem}")]
    Value { key: &'static str, problem: String },
}

impl Config {
    /// The shipped defaults, overridden by the file and the environment.
    ///
    /// # Errors
    /// When the file is missing, a key is unknown, or a value is out of its range.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut builder =
            config::Config::builder().add_source(config::File::from_str(SHIPPED, config::FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("RISKGRAPH").prefix_separator("_").separator("__");
        // Variables such as RISKGRAPH_TOKEN are for the command line, not keys of the configuration.
        let keys = std::env::vars().filter(|(name, _)| name.starts_with("RISKGRAPH_") && name.contains("__")).collect();
        let config: Self =
            builder.add_source(environment.source(Some(keys)).try_parsing(true)).build()?.try_deserialize()?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        use std::str::FromStr as _;
        let wrong = |key, problem: String| Err(ConfigError::Value { key, problem });
        if croner::Cron::from_str(&self.assessment.cron).is_err() {
            return wrong("assessment.cron", format!("'{}' is no cron expression", self.assessment.cron));
        }
        if self.assessment.time_zone.parse::<chrono_tz::Tz>().is_err() {
            return wrong(
                "assessment.time_zone",
                format!("'{}' is no IANA time zone such as Europe/Berlin", self.assessment.time_zone),
            );
        }
        if !(1..=168).contains(&self.pages.every_h) {
            return wrong(
                "pages.every_h",
                "must be 1 to 168: PCI DSS 11.6.1 asks for a look every seven days".to_owned(),
            );
        }
        if let Some(url) = self.pages.urls.iter().find(|url| !url.starts_with("https://")) {
            return wrong("pages.urls", format!("'{url}' is no https address"));
        }
        if !(1..=64).contains(&self.assessment.parallel) {
            return wrong("assessment.parallel", "must be 1 to 64".to_owned());
        }
        let url = &self.server.public_url;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            return wrong("server.public_url", format!("'{url}' must begin with https:// or http://"));
        }
        let delivery = &self.delivery;
        let fine = |seconds: f64| (0.0..=604_800.0).contains(&seconds);
        if !(1..=20).contains(&delivery.schedule_s.len()) || !delivery.schedule_s.iter().all(|&wait| fine(wait)) {
            return wrong("delivery.schedule_s", "must be 1 to 20 waits of at most a week".to_owned());
        }
        if !(0.1..=120.0).contains(&delivery.timeout_s) {
            return wrong("delivery.timeout_s", "must be 0.1 to 120".to_owned());
        }
        if !(1..=64).contains(&delivery.parallel) {
            return wrong("delivery.parallel", "must be 1 to 64".to_owned());
        }
        if !(0.1..=31_536_000.0).contains(&delivery.disable_after_s) {
            return wrong("delivery.disable_after_s", "must be 0.1 to a year".to_owned());
        }
        if self.pipeline.lag_max < 1_000 {
            return wrong("pipeline.lag_max", "must be at least 1000".to_owned());
        }
        if self.journal.dedupe_ids < 1_000 {
            return wrong("journal.dedupe_ids", "must be at least 1000".to_owned());
        }
        if !(1..=1_440).contains(&self.session.idle_minutes) {
            return wrong("session.idle_minutes", "must be 1 to 1440".to_owned());
        }
        if !(1..=720).contains(&self.session.absolute_hours) {
            return wrong("session.absolute_hours", "must be 1 to 720".to_owned());
        }
        if !(5..=15).contains(&self.session.link_minutes) {
            return wrong("session.link_minutes", "must be 5 to 15".to_owned());
        }
        self.respond.rules().map(drop).or_else(|problem| wrong("respond", problem))
    }

    /// The file of the audit log in the data folder.
    pub const AUDIT_FILE: &'static str = "audit.db";

    /// The audit log's database URL.
    #[must_use]
    pub fn audit_url(&self) -> String {
        self.url_or_file(if self.audit.url.is_empty() { &self.store.url } else { &self.audit.url }, Self::AUDIT_FILE)
    }

    /// How long sessions live.
    #[must_use]
    pub fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            idle_ms: i64::from(self.session.idle_minutes) * MINUTE_MS,
            absolute_ms: i64::from(self.session.absolute_hours) * HOUR_MS,
            code_ms: i64::from(self.session.link_minutes) * MINUTE_MS,
        }
    }

    /// Where people reach the console, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match self.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.server.listen),
            url => url.to_owned(),
        }
    }

    /// The alert policy: that of the file, or the shipped one.
    ///
    /// # Errors
    /// `Configuration` when the file cannot be read or is wrong.
    pub fn alert_policy(&self) -> Result<PolicyConfig, Fault> {
        let file = &self.policy.file;
        if file.as_os_str().is_empty() {
            return PolicyConfig::shipped();
        }
        let text = std::fs::read_to_string(file).map_err(|error| {
            let message = format!("policy.file cannot be read ({error}); check the path");
            Fault::new(FaultCode::Configuration, message)
        })?;
        PolicyConfig::parse(&text)
    }

    /// The store's database URL.
    #[must_use]
    pub fn store_url(&self) -> String {
        self.url_or_file(&self.store.url, "riskgraph.db")
    }

    /// The journal's database URL.
    #[must_use]
    pub fn journal_url(&self) -> String {
        self.url_or_file(if self.journal.url.is_empty() { &self.store.url } else { &self.journal.url }, "journal.db")
    }

    fn url_or_file(&self, url: &str, file: &str) -> String {
        if url.is_empty() { format!("sqlite://{}", self.store.data_dir.join(file).display()) } else { url.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_defaults_load() {
        let config = Config::load(None).expect("defaults load");
        assert!(config.store_url().starts_with("sqlite://"));
        assert_eq!(config.store.url, "");
    }

    #[test]
    fn connectors_are_read_as_they_stand() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("c.toml");
        let text = "[respond.connectors.pager]\nkind = \"http\"\nbase_url = \"https://pager.example\"\n\
            [respond.connectors.pager.actions.page]\ndescription = \"Pages.\"\n\
            execute = { method = \"POST\", url = \"/p\", body = { routingKey = \"{{key}}\", n = 3 }, expect = [202] }\n";
        std::fs::write(&file, text).expect("write");
        let config = Config::load(Some(&file)).expect("loads");
        let json = serde_json::to_value(&config.respond.connectors).expect("JSON");
        let body = &json["pager"]["actions"]["page"]["execute"]["body"];
        assert_eq!(*body, serde_json::json!({"routingKey": "{{key}}", "n": 3}), "names keep their case");
        std::fs::write(&file, text.replace("base_url", "base")).expect("write");
        assert!(Config::load(Some(&file)).is_err(), "an unknown key of a connector");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[server]\nlisten_on = \"127.0.0.1:1\"\n").expect("write");
        assert!(Config::load(Some(&file)).is_err());
        std::fs::write(&file, "[assessment]\ntime_zone = \"Mars\"\n").expect("write");
        let error = Config::load(Some(&file)).expect_err("no such zone").to_string();
        assert!(error.contains("assessment.time_zone"), "{error}");
    }
}
