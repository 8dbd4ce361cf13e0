//! `riskgraph posture`: one-shot assessments.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use riskgraph_analysis::posture::PostureConfig;
use riskgraph_domain::Severity;
use riskgraph_domain::ports::Crawler as _;
use riskgraph_domain::posture::{CheckOutcome, CheckResult};
use riskgraph_domain::time::Clock as _;
use riskgraph_domain::vendor::{Vendor, VendorInput, VendorTier};
use serde_json::{Value, json};

use super::{Done, EXIT_DONE, EXIT_FINDINGS, Failure, Format};
use crate::app::crawler;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::jobs::assess::judge;

#[derive(Debug, clap::Args)]
pub(super) struct Posture {
    /// Domains to assess.
    #[arg(required = true, value_name = "DOMAIN")]
    domains: Vec<String>,
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
        let crawler = crawler(&self.config()?).map_err(|fault| Failure::Use(fault.into()))?;
        let quantities = Arc::new(PostureConfig::built_in()?);
        let mut reports = Vec::with_capacity(self.domains.len());
        let mut worst = None;
        for domain in &self.domains {
            let domain = domain.trim().trim_end_matches('.').to_lowercase();
            let seen = crawler.observe(&domain, SystemClock.now()).await;
            let record = judge(&stand_in(&domain), &[seen], &quantities, SystemClock.now());
            let failed = record.outcomes.iter().filter(|outcome| outcome.result == CheckResult::Fail);
            worst = worst.max(failed.map(|outcome| outcome.severity).max());
            if self.format == Format::Text {
                print_text(&domain, &record.outcomes, &record.posture);
            }
            reports.push(report(&domain, &record.outcomes, &record.posture));
        }
        if self.format == Format::Json {
            println!("{}", serde_json::to_string_pretty(&reports)?);
        }
        let found = matches!((fail_on, worst), (Some(limit), Some(worst)) if worst >= limit);
        Ok(if found { EXIT_FINDINGS } else { EXIT_DONE })
    }

    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::load(None).map_err(|error| Failure::Use(error.into()))?;
        config.crawler.resolver = self.resolver.clone().unwrap_or_default();
        config.crawler.ca_file = self.ca.clone().unwrap_or_default();
        config.crawler.dnssec_anchors = self.dnssec_anchors.clone().unwrap_or_default();
        config.crawler.connect.clone_from(&self.connect);
        config.crawler.allow_networks.clone_from(&self.allow_network);
        Ok(config)
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

/// The object of `contract/formats.md`.
fn report(domain: &str, outcomes: &[CheckOutcome], posture: &riskgraph_domain::posture::Posture) -> Value {
    let checks: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "id": outcome.check, "asset": outcome.asset, "result": outcome.result.as_str().to_lowercase(),
                "severity": outcome.severity, "title": outcome.title, "evidence": outcome.evidence,
                "recommendation": outcome.recommendation, "reference": outcome.reference, "confidence": outcome.confidence,
            })
        })
        .collect();
    json!({
        "domain": domain, "score": posture.score, "grade": posture.grade, "coverage": posture.coverage,
        "model": posture.model, "assessed_at": posture.assessed_at, "checks": checks, "factors": posture.factors,
        "waterfall": posture.waterfall, "compat": posture.compat,
    })
}

fn print_text(domain: &str, outcomes: &[CheckOutcome], posture: &riskgraph_domain::posture::Posture) {
    let score = posture.score.map_or_else(|| "not rated".to_owned(), |score| format!("{score:.1}"));
    println!("{domain}: grade {} ({score}), coverage {:.0} %", posture.grade.as_str(), posture.coverage * 100.0);
    for factor in &posture.factors {
        let score = factor.score.map_or_else(|| "  -  ".to_owned(), |score| format!("{score:5.1}"));
        println!(
            "  {:<12} {score}  weight {:>2}, coverage {:.0} %",
            factor.name,
            factor.weight,
            factor.coverage * 100.0
        );
    }
    let mut shown: Vec<&CheckOutcome> =
        outcomes.iter().filter(|outcome| matches!(outcome.result, CheckResult::Fail | CheckResult::Warn)).collect();
    shown.sort_by_key(|outcome| (std::cmp::Reverse(outcome.severity), outcome.result != CheckResult::Fail));
    for outcome in shown {
        println!(
            "  {:<4} {:<8} {:<8} {} [{}]",
            outcome.result.as_str(),
            outcome.severity.as_str(),
            outcome.check,
            outcome.title,
            outcome.asset
        );
        if !outcome.recommendation.is_empty() {
            println!("       {} ({})", outcome.recommendation, outcome.reference);
        }
    }
    let unknown: Vec<&str> =
        outcomes.iter().filter(|o| o.result == CheckResult::Unknown).map(|o| o.check.as_str()).collect();
    if !unknown.is_empty() {
        println!("  could not be judged: {}", unknown.join(", "));
    }
    println!();
}
