//! What a crawl shows of a vendor's surroundings: what it owns and whom it depends on. It does not judge.

use std::collections::BTreeMap;

use riskgraph_domain::command::SeenRelation;
use riskgraph_domain::observation::{DomainObservations, Peer};
use riskgraph_domain::{EntityKey, EntityKind, RelationKind, Text};

use super::mail::{mx_records, spf, txt};
use super::names::{bare, host_of, registrable};
use super::scripts;

/// Relations of one crawl, at most; a shop's page has up to 200 scripts.
const RELATIONS_MAX: usize = 2_000;
/// Natural keys longer than this are cut off: URLs of scripts may carry megabytes.
const KEY_CHARS_MAX: usize = 1_000;

/// Seen, not guessed.
const OBSERVED: f32 = 1.0;
/// Read on a page whose certificate was refused: the site's most likely, but nothing proves it.
const UNPROVEN: f32 = 0.7;
/// A provider told by a name that points to it.
const POINTED: f32 = 0.95;
/// A certificate authority: every site has one, and another is had within minutes.
const ISSUER: f32 = 0.8;

/// The relations a crawl of one of the vendor's domains shows, without doubles, in a fixed order.
///
/// Providers are domain entities of their registrable domain. `own` names the vendor's other domains, which are no
/// providers of it.
#[must_use]
pub fn relations_among(vendor: &EntityKey, observations: &DomainObservations, own: &[Text]) -> Vec<SeenRelation> {
    let mut seen = Collector::new(vendor, observations, own);
    seen.owned(observations);
    seen.name_providers(observations);
    seen.page(observations);
    seen.certificates(observations);
    seen.found
        .into_iter()
        .map(|((kind, from, to), confidence)| SeenRelation { kind, from, to, confidence })
        .take(RELATIONS_MAX)
        .collect()
}

/// [`relations_among`] for a vendor of one domain.
#[must_use]
pub fn relations(vendor: &EntityKey, observations: &DomainObservations) -> Vec<SeenRelation> {
    relations_among(vendor, observations, &[])
}

struct Collector<'a> {
    vendor: &'a EntityKey,
    domain: EntityKey,
    own: Vec<String>,
    found: BTreeMap<(RelationKind, EntityKey, EntityKey), f32>,
}

fn domain(name: &str) -> EntityKey {
    EntityKey::new(EntityKind::Domain, bare(name))
}

/// The registrable domain of a name, or the name itself where there is none (test networks).
fn provider_of(name: &str) -> Option<String> {
    let name = bare(name);
    if name.is_empty() || name.parse::<std::net::IpAddr>().is_ok() || !name.contains('.') {
        return None;
    }
    Some(registrable(&name).map_or_else(|| name.clone(), str::to_owned))
}

impl<'a> Collector<'a> {
    fn new(vendor: &'a EntityKey, seen: &DomainObservations, own: &[Text]) -> Self {
        let own = own.iter().map(|name| name.as_str()).chain([seen.domain.as_str()]).filter_map(provider_of).collect();
        Self { vendor, domain: domain(&seen.domain), own, found: BTreeMap::new() }
    }

    fn add(&mut self, kind: RelationKind, from: EntityKey, to: EntityKey, confidence: f32) {
        if from != to {
            let known = self.found.entry((kind, from, to)).or_insert(confidence);
            *known = known.max(confidence);
        }
    }

    /// The vendor depends on whoever stands behind a name, unless it is itself.
    fn depends_on(&mut self, name: &str, confidence: f32) {
        if let Some(provider) = provider_of(name)
            && !self.own.contains(&provider)
        {
            self.add(RelationKind::DependsOn, self.vendor.clone(), domain(&provider), confidence);
        }
    }

    fn owned(&mut self, seen: &DomainObservations) {
        self.add(RelationKind::Owns, self.vendor.clone(), self.domain.clone(), OBSERVED);
        for kind in ["A", "AAAA"] {
            for address in seen.dns.records(&seen.domain, kind) {
                if let Ok(ip) = address.trim().parse::<std::net::IpAddr>() {
                    let to = EntityKey::new(EntityKind::Address, ip.to_string());
                    self.add(RelationKind::ResolvesTo, self.domain.clone(), to, OBSERVED);
                }
            }
        }
    }

    /// Name servers, mail exchangers, SPF senders, aliases.
    fn name_providers(&mut self, seen: &DomainObservations) {
        for server in seen.dns.records(&seen.domain, "NS") {
            self.depends_on(server, OBSERVED);
        }
        for mx in mx_records(seen.dns.records(&seen.domain, "MX")) {
            self.depends_on(&mx.host, OBSERVED);
        }
        for text in seen.dns.records(&seen.domain, "TXT").iter().map(|record| txt(record)) {
            if !spf::record::is_spf(&text) {
                continue;
            }
            for name in spf::audit::audit(&seen.domain, &text, &seen.dns).included {
                self.depends_on(&name, POINTED);
            }
        }
        let suffix = format!(".{}", bare(&seen.domain));
        for lookup in seen.dns.lookups.iter().filter(|lookup| lookup.kind.as_str() == "CNAME") {
            let name = bare(&lookup.name);
            if name == bare(&seen.domain) || name.ends_with(&suffix) {
                for target in seen.dns.records(&lookup.name, "CNAME") {
                    self.depends_on(target, OBSERVED);
                }
            }
        }
    }

    /// Scripts and frames of the page.
    fn page(&mut self, seen: &DomainObservations) {
        let Some(web) = seen.https.as_ref().or(seen.http.as_ref()) else { return };
        let (Some(page), Some(hop)) = (&web.page, web.last()) else { return };
        let seen = match web.peer {
            Peer::Verified => OBSERVED,
            Peer::Unverified => UNPROVEN,
        };
        for source in scripts::sources(&hop.url, page) {
            let mut url = source.url.clone();
            url.set_fragment(None);
            let key: String = url.as_str().chars().take(KEY_CHARS_MAX).collect();
            let script = EntityKey::new(EntityKind::Script, key);
            self.add(RelationKind::Loads, self.domain.clone(), script.clone(), seen);
            let Some(provider) = provider_of(&source.host()) else { continue };
            if !self.own.contains(&provider) {
                self.add(RelationKind::DependsOn, script, domain(&provider), seen);
            }
            self.depends_on(&provider, seen);
        }
        for frame in page.frames.iter().filter_map(|frame| host_of(frame)) {
            self.depends_on(&frame, seen);
        }
    }

    /// Certificates, and who issued them.
    fn certificates(&mut self, seen: &DomainObservations) {
        for tls in &seen.tls {
            let Some(leaf) = tls.handshake.as_ref().and_then(|handshake| handshake.chain.first()) else { continue };
            let host = if bare(&tls.host) == bare(&seen.domain) {
                self.domain.clone()
            } else {
                let host = EntityKey::new(EntityKind::Host, bare(&tls.host));
                self.add(RelationKind::Owns, self.vendor.clone(), host.clone(), OBSERVED);
                host
            };
            let certificate = EntityKey::new(EntityKind::Certificate, leaf.sha256.to_ascii_lowercase());
            self.add(RelationKind::Presents, host, certificate, OBSERVED);
            if let Some(issuer) = issuer_domain(&leaf.issuer).filter(|_| !leaf.self_signed) {
                self.depends_on(issuer, ISSUER);
            }
        }
    }
}

/// Domains of the authorities that issue nearly all public certificates, by a word of the issuer's organisation.
const ISSUERS: &[(&str, &str)] = &[
    ("let's encrypt", "letsencrypt.org"),
    ("isrg", "letsencrypt.org"),
    ("digicert", "digicert.com"),
    ("geotrust", "digicert.com"),
    ("thawte", "digicert.com"),
    ("rapidssl", "digicert.com"),
    ("sectigo", "sectigo.com"),
    ("comodo", "sectigo.com"),
    ("zerossl", "zerossl.com"),
    ("google trust services", "pki.goog"),
    ("amazon", "amazontrust.com"),
    ("globalsign", "globalsign.com"),
    ("godaddy", "godaddy.com"),
    ("starfield", "godaddy.com"),
    ("entrust", "entrust.net"),
    ("microsoft", "microsoft.com"),
    ("ssl corporation", "ssl.com"),
    ("ssl.com", "ssl.com"),
    ("buypass", "buypass.com"),
    ("harica", "harica.gr"),
    ("hellenic academic", "harica.gr"),
    ("certum", "certum.eu"),
    ("asseco", "certum.eu"),
    ("swisssign", "swisssign.com"),
    ("identrust", "identrust.com"),
    ("actalis", "actalis.it"),
    ("telesec", "telesec.de"),
    ("t-systems", "telesec.de"),
    ("d-trust", "d-trust.net"),
    ("cloudflare", "cloudflare.com"),
    ("apple", "apple.com"),
    ("certigna", "certigna.com"),
];

fn issuer_domain(issuer: &str) -> Option<&'static str> {
    let lower = issuer.to_lowercase();
    ISSUERS.iter().find(|(word, _)| lower.contains(word)).map(|(_, domain)| *domain)
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::observation::{DnsAnswer, ScriptTag};

    use super::*;
    use crate::posture::fixtures::*;

    #[test]
    fn finds_what_a_vendor_owns_and_leans_on() {
        let mut seen = page_with(&[]);
        seen.dns.lookups.extend([
            records(DOMAIN, "NS", &["ns1.example.com.", "a.dns-host.net."]),
            records(DOMAIN, "MX", &["10 mx1.mail-host.co.uk.", "20 ."]),
            records(DOMAIN, "TXT", &["v=spf1 include:_spf.esp.example.org -all", "v=spf2"]),
            answered("_spf.esp.example.org", "TXT", DnsAnswer::NoData),
            records("www.shop.example.com", "CNAME", &["shop.cdn-host.net."]),
            records("other.example.net", "CNAME", &["unrelated.example.org."]),
        ]);
        let page = seen.https.as_mut().and_then(|web| web.page.as_mut()).expect("a page");
        for src in ["/own.js", "https://js.psp.example/v3/#x", "data:text/javascript,1"] {
            page.scripts.push(ScriptTag {
                src: Some(src.into()),
                url: None,
                integrity: None,
                crossorigin: None,
                inline_sha256: None,
            });
        }
        page.frames.push("https://frames.ads.net/x".into());
        let vendor = EntityKey::new(EntityKind::Vendor, DOMAIN);
        let relations = relations(&vendor, &seen);
        let line = |r: &SeenRelation| format!("{} {} {}", r.from.key, r.kind.as_str(), r.to.key);
        let mut lines: Vec<String> = relations.iter().map(line).collect();
        lines.sort();
        let mut expected = vec![
            "shop.example.com OWNS shop.example.com",
            "shop.example.com RESOLVES_TO 203.0.113.7",
            "shop.example.com DEPENDS_ON dns-host.net",
            "shop.example.com DEPENDS_ON mail-host.co.uk",
            "shop.example.com DEPENDS_ON example.org",
            "shop.example.com DEPENDS_ON cdn-host.net",
            "shop.example.com DEPENDS_ON psp.example",
            "shop.example.com DEPENDS_ON ads.net",
            "shop.example.com DEPENDS_ON letsencrypt.org",
            "shop.example.com LOADS https://shop.example.com/own.js",
            "shop.example.com LOADS https://js.psp.example/v3/",
            "https://js.psp.example/v3/ DEPENDS_ON psp.example",
            "shop.example.com PRESENTS aa11",
        ];
        expected.sort_unstable();
        assert_eq!(lines, expected);
        let among = relations_among(&vendor, &seen, &[Text::from("psp.example")]);
        assert!(!among.iter().any(|r| r.kind == RelationKind::DependsOn && r.to.key.as_str() == "psp.example"));
    }
}
