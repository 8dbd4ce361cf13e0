//! Examples of the checks of payment pages and foreign code.

use riskgraph_domain::observation::{
    Behaviour, CodeFacts, DnsAnswer, FormTag, LibraryFacts, LibraryFlaw, PageFacts, PageStanding, ScriptTag,
};

use super::parts::{answered, records};
use super::{Example, Subject, fails, passes, warns};

fn page(subject: &mut Subject) -> Option<&mut PageFacts> {
    subject.seen.https.as_mut()?.page.as_mut()
}

/// A page where people pay, with one script of the shop.
fn checkout(subject: &mut Subject) {
    let Some(page) = page(subject) else { return };
    page.forms.push(FormTag {
        action: "https://shop.example.com/pay".to_owned(),
        method: "post".to_owned(),
        has_password: false,
        has_card: true,
    });
}

fn script(subject: &mut Subject, url: &str) {
    let Some(page) = page(subject) else { return };
    page.scripts.push(ScriptTag {
        src: Some(url.to_owned()),
        url: Some(url.to_owned()),
        integrity: None,
        crossorigin: None,
        inline_sha256: None,
    });
}

fn declared(subject: &mut Subject, change: fn(&mut PageStanding)) {
    let mut standing = PageStanding { n_scripts: 1, ..PageStanding::default() };
    change(&mut standing);
    if let Some(page) = page(subject) {
        page.standing = Some(standing);
    }
}

fn told(subject: &mut Subject, check: &'static str) {
    declared(subject, |_| {});
    if let Some(standing) = page(subject).and_then(|page| page.standing.as_mut()) {
        standing.changes.push((check.into(), "https://cdn.example.net/a.js".to_owned(), "other content".to_owned()));
    }
}

fn code(subject: &mut Subject, score: f64) {
    script(subject, "https://shop.example.com/a.js");
    let Some(page) = page(subject) else { return };
    page.code.push(CodeFacts {
        url: Some("https://shop.example.com/a.js".to_owned()),
        sha256: "aa".into(),
        size_bytes: 10,
        behaviour: Behaviour { skimmer_score: score, ..Behaviour::default() },
        libraries: Vec::new(),
    });
}

fn library(subject: &mut Subject, severity: Option<&str>) {
    code(subject, 0.0);
    let Some(page) = page(subject) else { return };
    page.libraries_read = true;
    let flaw = |severity: &str| LibraryFlaw {
        ids: vec!["CVE-2020-11022".to_owned()],
        severity: severity.to_owned(),
        summary: String::new(),
        at_or_above: None,
        below: Some("3.5.0".to_owned()),
    };
    if let Some(code) = page.code.last_mut() {
        code.libraries.push(LibraryFacts {
            component: "jquery".to_owned(),
            version: "3.4.1".to_owned(),
            detections: vec!["filecontent".to_owned()],
            vulnerabilities: severity.into_iter().map(flaw).collect(),
        });
    }
}

fn policy(subject: &mut Subject, value: &str) {
    let Some(hop) = subject.seen.https.as_mut().and_then(|web| web.hops.last_mut()) else { return };
    hop.headers.retain(|(name, _)| name != "content-security-policy");
    hop.headers.push(("content-security-policy".to_owned(), value.to_owned()));
}

pub(super) const EXAMPLES: &[Example] = &[
    passes("PAY-01", "a declared page with its scripts listed", |subject| declared(subject, |_| {})),
    fails("PAY-01", "a script that came later", |subject| {
        declared(subject, |standing| standing.unlisted.push("https://cdn.example.net/a.js".to_owned()));
    }),
    passes("PAY-02", "every script authorised", |subject| declared(subject, |_| {})),
    warns("PAY-02", "a script without a reason", |subject| {
        declared(subject, |standing| standing.unauthorised.push("https://cdn.example.net/a.js".to_owned()));
    }),
    passes("PAY-03", "a policy with nonces", |subject| {
        checkout(subject);
        script(subject, "https://shop.example.com/a.js");
        policy(subject, "script-src 'nonce-r4nd0mr4nd0m'; object-src 'none'");
    }),
    warns("PAY-03", "a script that nothing holds", |subject| {
        checkout(subject);
        script(subject, "https://cdn.example.net/a.js");
    }),
    passes("PAY-04", "no change", |subject| declared(subject, |_| {})),
    fails("PAY-04", "a script with other content", |subject| told(subject, "PAY-04")),
    passes("PAY-05", "no change", |subject| declared(subject, |_| {})),
    fails("PAY-05", "a header that is gone", |subject| told(subject, "PAY-05")),
    passes("PAY-06", "looked at in time", |subject| declared(subject, |_| {})),
    fails("PAY-06", "last looked at nine days ago", |subject| {
        declared(subject, |standing| standing.overdue_days = Some(9));
    }),
    passes("PAY-07", "no new host", |subject| declared(subject, |_| {})),
    fails("PAY-07", "a new host", |subject| told(subject, "PAY-07")),
    passes("PAY-08", "a form to the own site", checkout),
    fails("PAY-08", "a form that sends cards in clear", |subject| {
        checkout(subject);
        if let Some(form) = page(subject).and_then(|page| page.forms.last_mut()) {
            form.action = "http://shop.example.com/pay".to_owned();
        }
    }),
    passes("PAY-09", "the provider's frame", |subject| {
        if let Some(page) = page(subject) {
            page.frames.push("https://js.stripe.com/v3/".to_owned());
        }
    }),
    warns("PAY-09", "a frame of a host that is no known provider", |subject| {
        checkout(subject);
        if let Some(page) = page(subject) {
            page.frames.push("https://pay.example.net/frame".to_owned());
        }
    }),
    fails("PAY-09", "a frame of a host with a borrowed name", |subject| {
        checkout(subject);
        if let Some(page) = page(subject) {
            page.frames.push("https://stripe-cdn.top/v3".to_owned());
        }
    }),
    passes("PAY-10", "a script that does its work", |subject| code(subject, 0.2)),
    fails("PAY-10", "a script with the signs of a skimmer", |subject| code(subject, 0.9)),
    passes("PAY-11", "a script of a known host", |subject| script(subject, "https://code.jquery.com/jquery.js")),
    fails("PAY-11", "a misspelt host", |subject| script(subject, "https://googletagmanagar.com/gtm.js")),
    passes("PAY-12", "a host that exists", |subject| {
        script(subject, "https://cdn.example.net/a.js");
        subject.seen.dns.lookups.push(records("cdn.example.net", "A", &["203.0.113.9"]));
    }),
    fails("PAY-12", "a host that is gone", |subject| {
        script(subject, "https://cdn.example.net/a.js");
        subject.seen.dns.lookups.push(answered("cdn.example.net", "A", DnsAnswer::NxDomain));
    }),
    passes("PAY-13", "a strict policy that reports", |subject| {
        checkout(subject);
        policy(
            subject,
            "script-src 'nonce-r4nd0mr4nd0m'; style-src 'self'; object-src 'none'; base-uri 'none'; report-uri /csp",
        );
    }),
    fails("PAY-13", "a policy that lets everything in", |subject| {
        checkout(subject);
        policy(subject, "script-src *; report-uri /csp");
    }),
    passes("PAY-14", "no tag manager", checkout),
    warns("PAY-14", "a tag manager", |subject| {
        checkout(subject);
        script(subject, "https://www.googletagmanager.com/gtm.js?id=GTM-1");
    }),
    passes("PAY-15", "a library without known flaws", |subject| library(subject, None)),
    warns("PAY-15", "a library with a flaw of medium weight", |subject| library(subject, Some("medium"))),
    fails("PAY-15", "a library with a grave flaw", |subject| library(subject, Some("high"))),
    passes("PAY-16", "a script of another host", |subject| script(subject, "https://cdn.example.net/a.js")),
    fails("PAY-16", "a script of a hijacked host", |subject| script(subject, "https://cdn.polyfill.io/v3/p.js")),
];
