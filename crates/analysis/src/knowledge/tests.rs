//! From a header to a judged vulnerability, through the files' own forms.

use riskgraph_domain::posture::CheckResult;
use riskgraph_domain::{Severity, Timestamp};
use serde_json::json;

use super::*;
use crate::posture::{AssetProfile, PostureConfig, judge};

const NVD: &str = r#"{"vulnerabilities":[{"cve":{"id":"CVE-2021-23017","published":"2021-06-01T13:15:07.853",
    "metrics":{"cvssMetricV31":[{"type":"Primary","cvssData":{"baseScore":9.4}}]},
    "configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,
    "criteria":"cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*","versionStartIncluding":"0.6.18","versionEndExcluding":"1.20.1"}]}]}]}}]}"#;
const KEV: &str = r#"{"catalogVersion":"2026.01.01","vulnerabilities":[{"cveID":"CVE-2021-23017",
    "dateAdded":"2021-11-01","dueDate":"2021-11-15","knownRansomwareCampaignUse":"Known"}]}"#;
const EPSS: &str = "#x\ncve,epss,percentile\nCVE-2021-23017,0.71,0.98\n";

fn knowledge() -> Knowledge {
    let mut all = Knowledge {
        kev: Some(KevList::parse(KEV.as_bytes()).expect("reads")),
        epss: Some(EpssList::parse(EPSS)),
        ..Knowledge::default()
    };
    let mut nvd = NvdIndex::default();
    nvd.add(NVD.as_bytes(), &all.products()).expect("reads");
    all.nvd = Some(nvd);
    all
}

/// A site whose answers over https and http name their server so.
fn site(https: &str, http: &str) -> DomainObservations {
    let answer = |url: &str, server: &str| {
        json!({ "url": url, "failure": null, "body": null, "page": null,
            "hops": [{ "url": url, "status": 200, "headers": [["server", server]] }] })
    };
    let seen = json!({ "domain": "shop.example", "started_at": 1_780_000_000_000_i64, "finished_at": 1_780_000_000_000_i64,
        "tls": [], "files": [], "cors": null, "https": answer("https://shop.example/", https),
        "http": answer("http://shop.example/", http),
        "dns": { "lookups": [], "name_servers": [], "dnssec": { "state": "insecure" } } });
    serde_json::from_value(seen).expect("observations")
}

#[test]
fn a_header_becomes_a_judged_vulnerability() {
    let config = PostureConfig::built_in().expect("the built-in configuration is valid");
    let check = |https: &str, http: &str, id: &str, want: Option<(CheckResult, Severity, f64)>| {
        let mut seen = site(https, http);
        knowledge().enrich(&mut seen);
        let outcomes = judge(&seen, &AssetProfile::default(), &config);
        let outcome = outcomes.iter().find(|outcome| outcome.check.as_str() == id);
        let got = outcome.map(|outcome| (outcome.result, outcome.severity, outcome.confidence));
        assert_eq!(got, want, "{https} {http} {outcome:?}");
    };
    let (old, new) = ("nginx/1.18.0", "nginx/1.20.1");
    check(old, old, "VULN-02", Some((CheckResult::Fail, Severity::High, 1.0)));
    check(old, old, "VULN-03", Some((CheckResult::Fail, Severity::Critical, 1.0)));
    check(old, old, "VULN-04", Some((CheckResult::Fail, Severity::Critical, 1.0)));
    check(old, old, "VULN-05", Some((CheckResult::Fail, Severity::High, 1.0)));
    check(old, "", "VULN-02", Some((CheckResult::Warn, Severity::High, 0.6)));
    check(old, "", "VULN-03", Some((CheckResult::Fail, Severity::Critical, 0.6)));
    check(new, new, "VULN-03", Some((CheckResult::Pass, Severity::Critical, 1.0)));
    check(
        "nginx/1.18.0 (Ubuntu)",
        "nginx/1.18.0 (Ubuntu)",
        "VULN-03",
        Some((CheckResult::Pass, Severity::Critical, 1.0)),
    );
    check("nginx", "nginx", "VULN-03", None);
    // Without files there is nothing to judge.
    let mut seen = site(old, old);
    Knowledge::default().enrich(&mut seen);
    assert!(judge(&seen, &AssetProfile::default(), &config).iter().all(|it| !it.check.starts_with("VULN-03")));
    assert_eq!(seen.finished_at, Timestamp(1_780_000_000_000));
}
