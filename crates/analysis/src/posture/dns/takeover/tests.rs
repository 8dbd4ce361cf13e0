use riskgraph_domain::Text;
use riskgraph_domain::observation::*;
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use super::TakeoverConfig;
use crate::posture::fixtures::*;

fn aliased(target: &str, end: DnsAnswer, page: Option<Result<AliasPage, ProbeFailure>>) -> DomainObservations {
    let mut seen = blank("vendor.example");
    seen.dns.lookups = vec![answered("vendor.example", "A", DnsAnswer::NoData)];
    let host = Text::from("app.vendor.example");
    seen.aliases = vec![AliasFacts { host, chain: vec![Text::from(target)], end, end_zone: None, page }];
    seen
}

fn page(status: u16, text: &str) -> Option<Result<AliasPage, ProbeFailure>> {
    Some(Ok(AliasPage { url: "http://app.vendor.example/".into(), status, text: text.into() }))
}

fn there() -> DnsAnswer {
    DnsAnswer::Records(vec!["192.0.2.1".into()])
}

#[test]
fn aliases_words_and_status_together_are_a_takeover() {
    let check = |target: &str, end: DnsAnswer, shown, id: &str, want: Option<CheckResult>| {
        expect(&aliased(target, end, shown), id, want);
    };
    let gone = "The specified bucket does not exist";
    check("x.s3.amazonaws.com", there(), page(404, gone), "TKO-01", Some(Fail));
    check("x.s3-website-eu-west-1.amazonaws.com", there(), page(404, gone), "TKO-01", Some(Fail));
    // The words in an article about takeovers.
    check("x.s3.amazonaws.com", there(), page(200, gone), "TKO-01", Some(Warn));
    // The words without the alias, and the alias of another service.
    check("x.cdn.example", there(), page(404, gone), "TKO-01", None);
    check("x.s3.amazonaws.com.evil.example", there(), page(404, gone), "TKO-01", None);
    check("notazurewebsites.net", DnsAnswer::NxDomain, None, "TKO-01", None);
    // A generic page, a page that was not served, an end that could not be resolved.
    check("x.s3.amazonaws.com", there(), page(404, "404 Not Found"), "TKO-01", Some(Pass));
    check("x.s3.amazonaws.com", there(), Some(Err(ProbeFailure::Timeout)), "TKO-01", Some(Unknown));
    check("x.azurewebsites.net", DnsAnswer::Failed(ProbeFailure::Timeout), None, "TKO-01", Some(Unknown));
    check("x.azurewebsites.net", DnsAnswer::NxDomain, None, "TKO-01", Some(Fail));
    check("x.azurewebsites.net", there(), page(404, "404 Web Site not found."), "TKO-01", Some(Pass));
    // A status alone tells only where the table says so.
    check("x.launchrock.com", there(), page(500, ""), "TKO-01", Some(Fail));
    check("x.launchrock.com", there(), page(404, ""), "TKO-01", Some(Pass));
    // What cannot be claimed any more is never reported.
    check("x.elb.amazonaws.com", DnsAnswer::NxDomain, None, "TKO-01", None);
    check("x.herokuapp.com", there(), page(404, "No such app"), "TKO-04", Some(Warn));
    check("x.herokuapp.com", there(), page(404, "No such app"), "TKO-01", None);
    expect(&blank("vendor.example"), "TKO-01", None);
}

#[test]
fn reads_lists_in_the_public_form() {
    let list = r#"[
        {"cname": ["s3.amazonaws.com"], "fingerprint": "The specified bucket does not exist", "http_status": null,
         "nxdomain": false, "service": "S3", "status": "Vulnerable"},
        {"cname": ["https://x.vercel.com/"], "fingerprint": "DEPLOYMENT_NOT_FOUND.", "status": "Edge case", "service": "V"},
        {"cname": ["52.16.160.97"], "fingerprint": "This job board", "status": "Vulnerable", "service": "address"},
        {"cname": [], "fingerprint": "404 Not Found", "status": "Vulnerable", "service": "generic"},
        {"cname": ["a.example"], "fingerprint": "404", "status": "Vulnerable", "service": "too short"}]"#;
    let config = TakeoverConfig::default().with_fingerprints(list).expect("a list");
    let names: Vec<&str> = config.service.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["S3", "V"]);
    assert_eq!(config.service[1].cname, ["x.vercel.com"]);
    assert!(TakeoverConfig::default().with_fingerprints("{}").is_err());
    let built_in = TakeoverConfig::built_in().expect("the built-in table");
    assert!(built_in.service.len() > 40 && built_in.is_zone_host("ns-1.awsdns-33.co.uk"));
    assert!(!built_in.is_zone_host("ns1.example.net"));
}
