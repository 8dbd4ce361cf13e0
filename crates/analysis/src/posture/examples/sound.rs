//! A domain that passes every check that applies to it.

use riskgraph_domain::Text;
use riskgraph_domain::observation::{DnsAnswer, DnsFacts, Dnssec, DomainObservations};

use super::Subject;
use super::parts::{
    DOMAIN, NOW, addressed, answered, endpoint, fetched, file, hop, mail_host, records, server, signature,
};
use crate::posture::AssetProfile;

/// The key of RFC 8463's example.
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// Headers of its page.
const HEADERS: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    ),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), payment=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("server", "nginx"),
    ("set-cookie", "__Host-session=opaque; Path=/; Secure; HttpOnly; SameSite=Lax"),
];

/// The sound domain, an ordinary asset.
pub(super) fn subject() -> Subject {
    Subject { seen: sound(), profile: AssetProfile::default() }
}

fn sound() -> DomainObservations {
    let mut seen = addressed(DOMAIN);
    seen.dns = dns();
    seen.tls = vec![endpoint()];
    seen.mail_hosts = vec![mail_host(&format!("mail.{DOMAIN}"))];
    seen.https = Some(fetched(vec![hop(&format!("https://{DOMAIN}/"), 200, HEADERS)]));
    seen.http = Some(fetched(vec![
        hop(&format!("http://{DOMAIN}/"), 301, &[("location", &format!("https://{DOMAIN}/"))]),
        hop(&format!("https://{DOMAIN}/"), 200, HEADERS),
    ]));
    seen.cors = Some(fetched(vec![hop(&format!("https://{DOMAIN}/"), 200, &[("content-type", "text/html")])]));
    let expires = (NOW + 90 * riskgraph_domain::time::DAY_MS).to_rfc3339();
    seen.files = vec![
        file(
            &format!("https://{DOMAIN}/.well-known/security.txt"),
            200,
            &format!(
                "Contact: mailto:security@{DOMAIN}\nExpires: {expires}\nPolicy: https://{DOMAIN}/disclosure\n\
                 Preferred-Languages: en\nCanonical: https://{DOMAIN}/.well-known/security.txt\n"
            ),
        ),
        file(
            &format!("https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"),
            200,
            &format!("version: STSv1\nmode: enforce\nmx: mail.{DOMAIN}\nmax_age: 2419200\n"),
        ),
    ];
    seen
}

fn dns() -> DnsFacts {
    let sub = |label: &str| format!("{label}.{DOMAIN}");
    let lookups = vec![
        records(DOMAIN, "A", &["203.0.113.7"]),
        records(DOMAIN, "AAAA", &["2001:db8::7"]),
        records(DOMAIN, "NS", &["ns1.example.net", "ns2.example.org"]),
        records(DOMAIN, "DNSKEY", &["257 3 13 AAAA"]),
        records(DOMAIN, "DS", &["1 13 2 AA"]),
        records("ns1.example.net", "A", &["192.0.2.53"]),
        records("ns2.example.org", "A", &["198.51.100.53"]),
        answered(&sub("riskgraph-no-such-name"), "A", DnsAnswer::NxDomain),
        answered(&sub("riskgraph-no-such-name"), "MX", DnsAnswer::NxDomain),
        records(DOMAIN, "SOA", &["ns1.example.net. hostmaster.example.com. 1 14400 3600 1209600 3600"]),
        records(DOMAIN, "MX", &[&format!("10 {}", sub("mail"))]),
        records(DOMAIN, "TXT", &["v=spf1 mx -all"]),
        records(DOMAIN, "CAA", &["0 issue \"letsencrypt.org\""]),
        records(&sub("mail"), "A", &["203.0.113.8"]),
        answered(&sub("mail"), "AAAA", DnsAnswer::NoData),
        records(&sub("_dmarc"), "TXT", &[&format!("v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}")]),
        records(&sub("_mta-sts"), "TXT", &["v=STSv1; id=20260101"]),
        answered(&format!("_25._tcp.{}", sub("mail")), "TLSA", DnsAnswer::NoData),
        answered(&sub("default._bimi"), "TXT", DnsAnswer::NxDomain),
        records(&sub("default._domainkey"), "TXT", &[KEY]),
        records("8.113.0.203.in-addr.arpa", "PTR", &[&sub("mail")]),
        records(&sub("_smtp._tls"), "TXT", &[&format!("v=TLSRPTv1; rua=mailto:tls@{DOMAIN}")]),
    ];
    DnsFacts {
        lookups: lookups
            .into_iter()
            .map(|mut lookup| {
                lookup.name = Text::from(lookup.name.to_lowercase().as_str());
                lookup
            })
            .collect(),
        name_servers: vec![server("ns1.example.net", "192.0.2.53"), server("ns2.example.org", "198.51.100.53")],
        dnssec: Dnssec::Secure,
        signatures: vec![signature("SOA", 14)],
        ..DnsFacts::unasked("")
    }
}
