//! `riskgraph posture`: one-shot assessments.

mod report;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use riskgraph_analysis::posture::{self, PostureConfig, PreloadList, Profiles, References, Scored, best_fixes};
use riskgraph_domain::Severity;
use riskgraph_domain::command::AssessmentRecord;
use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::ports::Crawler as _;
use riskgraph_domain::posture::{CheckResult, ScoreFix};
use riskgraph_domain::time::Clock as _;
use riskgraph_domain::vendor::{Vendor, VendorInput, VendorTier};
use riskgraph_pages::har::Recording;
use riskgraph_pages::retire::Repository;
use serde_json::{Value, json};

use report::{Detail, Report};

use super::{Done, EXIT_DONE, EXIT_FINDINGS, Failure, Format};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::jobs::assess::judge;
use crate::knowledge;
use crate::observer::Observer;

/// Repairs that are proposed.
const FIXES_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Posture {
    /// Domains to assess.
    #[arg(required_unless_present = "har", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Recorded visits (HTTP Archive) to judge instead of crawling, also of pages behind a login.
    #[arg(long, value_name = "FILE")]
    har: Vec<PathBuf>,
    /// Hosts that browsers reach by https alone (Chromium's or Observatory's list); without it nothing is preloaded.
    #[arg(long, value_name = "FILE")]
    hsts_preload: Option<PathBuf>,
    /// Configuration file (TOML), for what the operator's files know ([knowledge]) and for lookalikes.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// retire.js repository (jsrepository-v4.json or later): libraries in scripts are looked up in it.
    #[arg(long, value_name = "FILE")]
    retire: Option<PathBuf>,
    /// DNS resolver, ADDRESS:PORT; without it the system's.
    #[arg(long, value_name = "ADDR")]
    resolver: Option<String>,
    /// PEM file of certificate authorities to trust besides the public ones.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Connect HOST:PORT to another address, such as shop.example:443=192.0.2.7:8443.
    #[arg(long, value_name = "HOST:PORT=ADDR")]
    connect: Vec<String>,
    /// Private network that may be assessed, such as 10.20.0.0/16; none by default.
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<String>,
    /// File of DNSSEC trust anchors (zone file form); without it the root's.
    #[arg(long, value_name = "FILE")]
    dnssec_anchors: Option<PathBuf>,
    /// Exit with 1 when a check fails at this severity or above (INFO, LOW, MEDIUM, HIGH, CRITICAL).
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
    /// Show what was seen for every check, also for what passed.
    #[arg(long)]
    evidence: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Posture {
    pub(super) async fn run(self) -> Done {
        let fail_on = match self.fail_on.as_deref().map(|text| (text, Severity::parse(&text.to_uppercase()))) {
            Some((text, None)) => {
                return Err(Failure::Use(anyhow!("'{text}' is no severity; use INFO, LOW, MEDIUM, HIGH or CRITICAL")));
            }
            Some((_, severity)) => severity,
            None => None,
        };
        let quantities = Arc::new(PostureConfig::built_in()?);
        let references = self.references()?;
        let mut reports = Vec::with_capacity(self.domains.len() + self.har.len());
        let mut worst = None;
        for seen in self.observe().await? {
            let domain = seen.domain.to_string();
            let compat = posture::compat_with(&seen, &references);
            let mut record = judge(&stand_in(&domain), &[seen], &quantities, SystemClock.now());
            record.posture.compat = compat;
            let failed = record.outcomes.iter().filter(|outcome| outcome.result == CheckResult::Fail);
            worst = worst.max(failed.map(|outcome| outcome.severity).max());
            let fixes = fixes(&record, &quantities);
            if self.format == Format::Text {
                let detail = if self.evidence { Detail::Evidence } else { Detail::Findings };
                let (outcomes, posture) = (&record.outcomes, &record.posture);
                println!("{}", Report { domain: &domain, outcomes, posture, fixes: &fixes }.render(detail));
            }
            reports.push(report(&domain, &record, &fixes));
        }
        if self.format == Format::Json {
            println!("{}", serde_json::to_string_pretty(&reports)?);
        }
        let found = matches!((fail_on, worst), (Some(limit), Some(worst)) if worst >= limit);
        Ok(if found { EXIT_FINDINGS } else { EXIT_DONE })
    }

    /// What is judged: recordings as they are, domains by a crawl each.
    async fn observe(&self) -> Result<Vec<DomainObservations>, Failure> {
        let mut all = Vec::with_capacity(self.domains.len() + self.har.len());
        let config = self.config()?;
        let knowledge = knowledge::load(&config.knowledge).map_err(|fault| Failure::Use(fault.into()))?;
        let repository = self.repository()?;
        for file in &self.har {
            let unusable = |error: String| Failure::Use(anyhow!("{} cannot be judged: {error}", file.display()));
            let bytes = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
            let recording = Recording::read(&bytes).map_err(|error| unusable(error.to_string()))?;
            let mut seen = recording.observations_with(SystemClock.now(), repository.as_ref());
            knowledge.enrich(&mut seen);
            all.push(seen);
        }
        if !self.domains.is_empty() {
            let crawler = Observer::new(&config).map_err(|fault| Failure::Use(fault.into()))?;
            for domain in &self.domains {
                let domain = domain.trim().trim_end_matches('.').to_lowercase();
                all.push(crawler.observe(&domain, SystemClock.now()).await);
            }
        }
        Ok(all)
    }

    fn repository(&self) -> Result<Option<Repository>, Failure> {
        let Some(file) = &self.retire else { return Ok(None) };
        let unusable = |error: String| Failure::Use(anyhow!("{} is no retire.js repository: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        Repository::read(&text).map(Some).map_err(|error| unusable(error.to_string()))
    }

    fn references(&self) -> Result<References, Failure> {
        let Some(file) = &self.hsts_preload else { return Ok(References::default()) };
        let unusable = |error: String| Failure::Use(anyhow!("{} is no preload list: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        let list = PreloadList::read(&text).map_err(|error| unusable(error.to_string()))?;
        Ok(References { hsts_preload: Some(list) })
    }

    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref()).map_err(|error| Failure::Use(error.into()))?;
        let crawler = &mut config.crawler;
        set(&mut crawler.resolver, self.resolver.as_ref());
        set(&mut crawler.ca_file, self.ca.as_ref());
        set(&mut crawler.dnssec_anchors, self.dnssec_anchors.as_ref());
        set(&mut crawler.retire_file, self.retire.as_ref());
        crawler.connect.extend_from_slice(&self.connect);
        crawler.allow_networks.extend_from_slice(&self.allow_network);
        Ok(config)
    }
}

/// What the command line says goes before the file.
fn set<T: Clone>(value: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        value.clone_from(given);
    }
}

/// A vendor of one domain that nobody registered.
fn stand_in(domain: &str) -> Vendor {
    let input =
        VendorInput { name: domain.into(), domains: vec![domain.into()], tier: None, owner: None, integrations: None };
    Vendor {
        id: input.vendor_id(),
        name: input.name,
        domains: input.domains,
        tier: VendorTier::Medium,
        owner: None,
        integrations: Vec::new(),
        added_at: riskgraph_domain::Timestamp(0),
    }
}

/// The repairs that lift the score most.
fn fixes(record: &AssessmentRecord, quantities: &PostureConfig) -> Vec<ScoreFix> {
    let (profiles, at) = (Profiles::default(), record.posture.assessed_at);
    let scored = Scored { outcomes: &record.outcomes, profiles: &profiles, incidents: &[], config: quantities, at };
    best_fixes(scored, FIXES_MAX)
}

/// The object of `contract/formats.md`, and the repairs that lift the score most.
fn report(domain: &str, record: &AssessmentRecord, fixes: &[ScoreFix]) -> Value {
    let posture = &record.posture;
    let checks: Vec<Value> = record
        .outcomes
        .iter()
        .map(|outcome| {
            json!({
                "id": outcome.check, "asset": outcome.asset, "result": outcome.result.as_str().to_lowercase(),
                "severity": outcome.severity, "title": outcome.title, "evidence": outcome.evidence,
                "recommendation": outcome.recommendation, "reference": outcome.reference, "confidence": outcome.confidence,
            })
        })
        .collect();
    let fixes: Vec<Value> = fixes
        .iter()
        .map(|fix| {
            json!({
                "check": fix.check, "title": fix.title, "recommendation": fix.recommendation, "assets": fix.assets,
                "gain": fix.gain, "score": fix.score,
            })
        })
        .collect();
    json!({
        "domain": domain, "score": posture.score, "grade": posture.grade, "coverage": posture.coverage,
        "model": posture.model, "assessed_at": posture.assessed_at, "checks": checks, "factors": posture.factors,
        "waterfall": posture.waterfall, "compat": posture.compat, "fixes": fixes,
    })
}
