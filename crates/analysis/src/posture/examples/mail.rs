//! Examples of the mail checks.

use riskgraph_domain::observation::*;

use super::dns::put;
use super::parts::{DOMAIN, answered, file, records};
use super::{Example, Subject, fails, passes, warns};

fn sub(label: &str) -> String {
    format!("{label}.{DOMAIN}")
}

/// Publishes this SPF record.
fn spf(subject: &mut Subject, record: &str) {
    put(subject, records(DOMAIN, "TXT", &[record]));
}

/// Publishes this DMARC record.
fn dmarc(subject: &mut Subject, record: &str) {
    put(subject, records(&sub("_dmarc"), "TXT", &[record]));
}

/// Serves this MTA-STS policy.
fn policy(subject: &mut Subject, text: &str) {
    let url = format!("https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt");
    subject.seen.files.retain(|file| file.url != url);
    subject.seen.files.push(file(&url, 200, text));
}

/// Changes what the mail exchanger did about STARTTLS.
fn starttls(subject: &mut Subject, change: impl FnOnce(&mut StartTls)) {
    if let Some(Ok(tls)) = subject.seen.mail_hosts.first_mut().map(|host| host.starttls.as_mut()) {
        change(tls);
    }
}

/// Publishes a TLSA record, signed or not.
fn tlsa(subject: &mut Subject, data: &str, secure: Option<bool>) {
    put(subject, records(&format!("_25._tcp.{}", sub("mail")), "TLSA", &[&format!("3 1 1 {data}")]));
    if let Some(host) = subject.seen.mail_hosts.first_mut() {
        host.tlsa_secure = secure;
    }
}

/// A domain without mail: a null MX.
fn parked(subject: &mut Subject) {
    put(subject, records(DOMAIN, "MX", &["0 ."]));
}

/// An RSA key of 512 bits.
const SHORT_KEY: &str = "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALqbHeRLCyOdykC5SDLqI49ArYGYG1mqaH9/GnWjGavZM02fos4lc2w6tCchcUBNtJvGqKwhC5JEnx3RYoSX2ucCAwEAAQ==";

pub(super) const EXAMPLES: &[Example] = &[
    passes("MAIL-01", "one record", |_| {}),
    fails("MAIL-01", "two records", |s| put(s, records(DOMAIN, "TXT", &["v=spf1 mx -all", "v=spf1 -all"]))),
    passes("MAIL-02", "a record by the grammar", |_| {}),
    fails("MAIL-02", "a word that is no mechanism", |s| spf(s, "v=spf1 mx moo -all")),
    passes("MAIL-03", "one lookup", |_| {}),
    warns("MAIL-03", "nine lookups", |s| spf(s, "v=spf1 mx mx mx mx mx mx mx mx mx -all")),
    fails("MAIL-03", "eleven lookups", |s| spf(s, "v=spf1 mx mx mx mx mx mx mx mx mx mx mx -all")),
    passes("MAIL-04", "every name has records", |_| {}),
    fails("MAIL-04", "three names without records", |s| {
        spf(s, "v=spf1 a:x.example a:y.example a:z.example -all");
        for name in ["x.example", "y.example", "z.example"] {
            put(s, answered(name, "A", DnsAnswer::NxDomain));
            put(s, answered(name, "AAAA", DnsAnswer::NxDomain));
        }
    }),
    passes("MAIL-05", "-all", |_| {}),
    warns("MAIL-05", "~all", |s| spf(s, "v=spf1 mx ~all")),
    fails("MAIL-05", "+all", |s| spf(s, "v=spf1 +all")),
    fails("MAIL-05", "no all", |s| spf(s, "v=spf1 mx")),
    passes("MAIL-06", "single hosts", |_| {}),
    warns("MAIL-06", "a /16", |s| spf(s, "v=spf1 ip4:198.18.0.0/16 -all")),
    fails("MAIL-06", "half of the internet", |s| spf(s, "v=spf1 ip4:0.0.0.0/1 -all")),
    passes("MAIL-07", "no include that is gone", |_| {}),
    fails("MAIL-07", "an include of a name nobody has", |s| {
        spf(s, "v=spf1 include:gone.example -all");
        put(s, answered("gone.example", "TXT", DnsAnswer::NxDomain));
    }),
    passes("MAIL-08", "short, without ptr", |_| {}),
    warns("MAIL-08", "ptr", |s| spf(s, "v=spf1 mx ptr -all")),
    passes("MAIL-09", "a record", |_| {}),
    fails("MAIL-09", "no record", |s| {
        put(s, answered(&sub("_dmarc"), "TXT", DnsAnswer::NxDomain));
        put(s, answered("_dmarc.example.com", "TXT", DnsAnswer::NxDomain));
    }),
    passes("MAIL-10", "a valid record", |_| {}),
    fails("MAIL-10", "a policy that is none", |s| dmarc(s, "v=DMARC1; p=rejct")),
    passes("MAIL-11", "p=reject", |_| {}),
    warns("MAIL-11", "p=reject; t=y, which is applied as quarantine", |s| dmarc(s, "v=DMARC1; p=reject; t=y")),
    fails("MAIL-11", "p=none", |s| dmarc(s, "v=DMARC1; p=none")),
    passes("MAIL-12", "subdomains as the domain", |_| {}),
    warns("MAIL-12", "sp=quarantine below p=reject", |s| dmarc(s, "v=DMARC1; p=reject; sp=quarantine")),
    fails("MAIL-12", "sp=none", |s| dmarc(s, "v=DMARC1; p=reject; sp=none")),
    passes("MAIL-13", "reports to the domain itself", |_| {}),
    warns("MAIL-13", "no reports", |s| dmarc(s, "v=DMARC1; p=reject")),
    passes("MAIL-14", "no removed tag", |_| {}),
    warns("MAIL-14", "pct=50", |s| dmarc(s, "v=DMARC1; p=reject; pct=50")),
    passes("MAIL-15", "an Ed25519 key", |_| {}),
    fails("MAIL-15", "RSA of 512 bits", |s| put(s, records(&sub("default._domainkey"), "TXT", &[SHORT_KEY]))),
    passes("MAIL-16", "record and policy", |_| {}),
    warns("MAIL-16", "no record", |s| put(s, answered(&sub("_mta-sts"), "TXT", DnsAnswer::NxDomain))),
    fails("MAIL-16", "a policy without the mail exchanger", |s| {
        policy(s, "version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 2419200\n");
    }),
    passes("MAIL-17", "enforced for weeks", |_| {}),
    warns("MAIL-17", "testing", |s| {
        policy(s, &format!("version: STSv1\nmode: testing\nmx: mail.{DOMAIN}\nmax_age: 2419200\n"));
    }),
    passes("MAIL-18", "reports wanted", |_| {}),
    warns("MAIL-18", "no record", |s| put(s, answered(&sub("_smtp._tls"), "TXT", DnsAnswer::NxDomain))),
    passes("MAIL-19", "the record fits", |s| tlsa(s, "bb22", Some(true))),
    fails("MAIL-19", "the record of an old certificate", |s| tlsa(s, "cc33", Some(true))),
    fails("MAIL-19", "a record nobody signed", |s| tlsa(s, "bb22", Some(false))),
    passes("MAIL-20", "STARTTLS with a good certificate", |_| {}),
    warns("MAIL-20", "an expired certificate", |s| {
        starttls(s, |tls| {
            if let Some(shaken) = &mut tls.handshake {
                shaken.trust = Err("expired".to_owned());
            }
        });
    }),
    fails("MAIL-20", "no STARTTLS", |s| {
        starttls(s, |tls| *tls = StartTls { offered: false, handshake: None, failure: None });
    }),
    passes("MAIL-21", "nobody may send, forgeries are rejected", |s| {
        parked(s);
        spf(s, "v=spf1 -all");
    }),
    fails("MAIL-21", "no mail, and nothing says so", |s| {
        parked(s);
        put(s, answered(DOMAIN, "TXT", DnsAnswer::NoData));
    }),
    passes("MAIL-22", "no picture wanted", |s| put(s, records(&sub("default._bimi"), "TXT", &["v=BIMI1; l=; a="]))),
    fails("MAIL-22", "no location", |s| put(s, records(&sub("default._bimi"), "TXT", &["v=BIMI1;"]))),
    passes("MAIL-23", "the name leads back", |_| {}),
    warns("MAIL-23", "no name", |s| put(s, answered("8.113.0.203.in-addr.arpa", "PTR", DnsAnswer::NxDomain))),
];
