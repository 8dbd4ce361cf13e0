//! Examples of the checks of patching.

use riskgraph_domain::known::*;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Text, Timestamp};

use super::parts::NOW;
use super::{Example, Subject, fails, passes, warns};

pub(super) const EXAMPLES: &[Example] = &[
    passes("VULN-01", "a version in two headers", |it| runs(it, 2, Vec::new())),
    warns("VULN-01", "a version in one header", |it| runs(it, 1, Vec::new())),
    passes("VULN-02", "CVSS 5", |it| runs(it, 2, vec![hole(5.0)])),
    passes("VULN-02", "CVSS 9.8 in what Ubuntu packs", |it| {
        runs(it, 2, vec![Vulnerability { backported_by: Some(Text::from("Ubuntu")), ..hole(9.8) }]);
    }),
    warns("VULN-02", "CVSS 7.5", |it| runs(it, 2, vec![hole(7.5)])),
    warns("VULN-02", "CVSS 9.8, by one header alone", |it| runs(it, 1, vec![hole(9.8)])),
    fails("VULN-02", "CVSS 9.8", |it| runs(it, 2, vec![hole(9.8)])),
    passes("VULN-03", "not on CISA's list", |it| runs(it, 2, vec![hole(9.8)])),
    fails("VULN-03", "on CISA's list", |it| runs(it, 2, vec![listed(None)])),
    passes("VULN-04", "on CISA's list, no extortion known", |it| runs(it, 2, vec![listed(None)])),
    fails("VULN-04", "used by extortion groups", |it| runs(it, 2, vec![listed(Some(true))])),
    passes("VULN-05", "EPSS 0.01", |it| runs(it, 2, vec![scored(0.01, None)])),
    warns("VULN-05", "EPSS 0.2", |it| runs(it, 2, vec![scored(0.2, None)])),
    fails("VULN-05", "EPSS 0.9", |it| runs(it, 2, vec![scored(0.9, None)])),
    passes("VULN-06", "its line ends in a year", |it| ends(it, NOW + 365 * DAY_MS)),
    fails("VULN-06", "its line ended last year", |it| ends(it, NOW - 365 * DAY_MS)),
    passes("VULN-07", "published ten days ago", |it| runs(it, 2, vec![aged(10)])),
    warns("VULN-07", "CVSS 9.8, open for 20 days", |it| runs(it, 2, vec![aged(20)])),
    fails("VULN-07", "CVSS 9.8, open for 100 days", |it| runs(it, 2, vec![aged(100)])),
    passes("VULN-08", "a Scorecard of 7.1", |it| card(it, 7.1)),
    warns("VULN-08", "a Scorecard of 4.2", |it| card(it, 4.2)),
    fails("VULN-08", "a Scorecard of 2.0", |it| card(it, 2.0)),
];

/// The site runs nginx 1.18.0 with these holes.
fn runs(it: &mut Subject, n_signals: u32, holes: Vec<Vulnerability>) {
    let signal = |n: u32| SoftwareSignal {
        source: Text::from(if n == 0 { "https header server" } else { "http header server" }),
        value: "nginx/1.18.0".to_owned(),
        version: Some(Text::from("1.18.0")),
    };
    let software = Software {
        name: Text::from("nginx"),
        cpes: vec![Text::from("nginx:nginx")],
        version: Some(Text::from("1.18.0")),
        signals: (0..n_signals).map(signal).collect(),
        backported_by: None,
    };
    it.seen.known = Some(KnownFacts {
        software: vec![software],
        vulnerabilities: Some(holes.into_iter().map(|hole| Vulnerability { n_signals, ..hole }).collect()),
        kev_version: Some(Text::from("2026.01.01")),
        has_epss: true,
        end_of_life: Some(Vec::new()),
        ..KnownFacts::default()
    });
}

fn hole(cvss: f64) -> Vulnerability {
    Vulnerability {
        cve: Text::from("CVE-2021-23017"),
        product: Text::from("nginx"),
        version: Text::from("1.18.0"),
        cvss: Some(cvss),
        published: Some(NOW - 5 * DAY_MS),
        kev: None,
        epss: None,
        epss_before: None,
        n_signals: 2,
        backported_by: None,
    }
}

fn listed(ransomware: Option<bool>) -> Vulnerability {
    let kev = KnownExploited { added: Some(NOW - 30 * DAY_MS), due: Some(NOW - 9 * DAY_MS), ransomware };
    Vulnerability { kev: Some(kev), ..hole(9.8) }
}

fn scored(now: f64, before: Option<f64>) -> Vulnerability {
    Vulnerability { epss: Some(now), epss_before: before, ..hole(5.0) }
}

fn aged(days: i64) -> Vulnerability {
    Vulnerability { published: Some(NOW - days * DAY_MS), ..hole(9.8) }
}

fn ends(it: &mut Subject, ended: Timestamp) {
    runs(it, 2, Vec::new());
    if let Some(known) = &mut it.seen.known {
        known.end_of_life = Some(vec![EndOfLife {
            product: Text::from("nginx"),
            version: Text::from("1.18.0"),
            cycle: Text::from("1.18"),
            ended: Some(ended),
            backported_by: None,
        }]);
    }
}

fn card(it: &mut Subject, score: f64) {
    let card = Scorecard { repository: Text::from("github.com/acme/shop"), score, date: Some(NOW) };
    it.seen.known = Some(KnownFacts { scorecards: Some(vec![card]), ..KnownFacts::default() });
}
