//! Examples of the checks of lookalikes.

use riskgraph_domain::Text;
use riskgraph_domain::lookalike::*;
use riskgraph_domain::time::DAY_MS;

use super::parts::NOW;
use super::{Example, Subject, fails, passes, warns};

pub(super) const EXAMPLES: &[Example] = &[
    passes("IMP-01", "no lookalike has records", |it| facts(it, Vec::new())),
    warns("IMP-01", "a lookalike with name servers of its own", |it| facts(it, vec![found()])),
    passes("IMP-01", "a lookalike for which the resolver failed", |it| {
        facts(it, vec![Lookalike { registered: None, ..found() }]);
    }),
    passes("IMP-02", "a lookalike with a null MX", |it| {
        facts(it, vec![with_mail(".")]);
        own(it);
    }),
    warns("IMP-02", "a lookalike with a mail exchanger", |it| {
        facts(it, vec![with_mail("mx.elsewhere.example")]);
        own(it);
    }),
    passes("IMP-03", "a lookalike with a page of its own", |it| {
        facts(it, vec![with_page(PageLikeness { text: 0.05, asks_password: true, ..PageLikeness::default() })]);
    }),
    fails("IMP-03", "most of the text is the domain's", |it| {
        facts(it, vec![with_page(PageLikeness { text: 0.8, ..PageLikeness::default() })]);
    }),
    fails("IMP-03", "the domain's title over a field for passwords", |it| {
        let page = PageLikeness { same_title: true, asks_password: true, ..PageLikeness::default() };
        facts(it, vec![with_page(page)]);
    }),
    passes("IMP-04", "a lookalike with an old certificate", |it| facts(it, vec![certified(200)])),
    fails("IMP-04", "a lookalike certified three days ago", |it| facts(it, vec![certified(3)])),
    passes("IMP-05", "a parked name is left out", |it| {
        facts(it, vec![Lookalike { suppressed: Some(Suppressed::Parking), ..with_mail("mx.park.example") }]);
    }),
    warns("IMP-05", "a tenth of the names got no answer", |it| {
        facts(it, Vec::new());
        if let Some(facts) = &mut it.seen.lookalikes {
            facts.n_unanswered = 200;
        }
    }),
    passes("IMP-06", "a lookalike that every name of its zone is", |it| {
        facts(it, vec![Lookalike { suppressed: Some(Suppressed::Wildcard), ..with_mail("mx.all.example") }]);
    }),
    warns("IMP-06", "a lookalike with a mail exchanger", |it| facts(it, vec![with_mail("mx.elsewhere.example")])),
];

fn facts(it: &mut Subject, found: Vec<Lookalike>) {
    it.seen.lookalikes = Some(LookalikeFacts {
        of: Brand::Vendor,
        n_asked: 2_000,
        n_unanswered: 1,
        found,
        certificates: CertificateSource::File,
    });
}

fn own(it: &mut Subject) {
    if let Some(facts) = &mut it.seen.lookalikes {
        facts.of = Brand::Own;
    }
}

fn found() -> Lookalike {
    Lookalike {
        fuzzer: Text::from("homoglyph"),
        domain: Text::from("examp1e.com"),
        dns: LookalikeDns { ns: vec![Text::from("ns1.hoster.example")], ..LookalikeDns::default() },
        registered: Some(true),
        ..Lookalike::default()
    }
}

fn with_mail(host: &str) -> Lookalike {
    let mut lookalike = found();
    lookalike.dns.mx = vec![Text::from(host)];
    lookalike
}

fn with_page(page: PageLikeness) -> Lookalike {
    Lookalike { page: Some(page), ..found() }
}

fn certified(days: i64) -> Lookalike {
    let certificate = LookalikeCertificate { not_before: NOW - days * DAY_MS, issuer: Text::from("CN=R11") };
    Lookalike { certificate: Some(certificate), ..found() }
}
