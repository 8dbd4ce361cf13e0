//! Examples of the TLS checks.

use riskgraph_domain::Text;
use riskgraph_domain::observation::{
    CertificateFacts, DhGroup, Handshake, ProbeFailure, RevocationState, ServedChain, TlsFacts, VersionProbe,
};
use riskgraph_domain::time::DAY_MS;

use super::parts::{DOMAIN, NOW, certificate};
use super::{Example, Subject, fails, passes, warns};

fn tls(subject: &mut Subject) -> &mut TlsFacts {
    &mut subject.seen.tls[0]
}

/// Changes the handshake.
fn shaken(subject: &mut Subject, change: impl FnOnce(&mut Handshake)) {
    if let Some(shaken) = &mut tls(subject).handshake {
        change(shaken);
    }
}

fn leaf(subject: &mut Subject, change: impl FnOnce(&mut CertificateFacts)) {
    shaken(subject, |shaken| shaken.chain.iter_mut().take(1).for_each(change_once(change)));
}

/// One change for the one leaf.
fn change_once(change: impl FnOnce(&mut CertificateFacts)) -> impl FnMut(&mut CertificateFacts) {
    let mut change = Some(change);
    move |leaf| {
        if let Some(change) = change.take() {
            change(leaf);
        }
    }
}

fn version(subject: &mut Subject, name: &str, change: impl Fn(&mut VersionProbe)) {
    tls(subject).versions.iter_mut().filter(|probe| probe.version.as_str() == name).for_each(change);
}

fn accepts(subject: &mut Subject, name: &str) {
    version(subject, name, |probe| probe.accepted = Some(true));
}

fn suite(subject: &mut Subject, name: &str) {
    version(subject, "TLSv1.2", |probe| probe.ciphers.push(Text::from(name)));
}

fn field(bits: u32, known: Option<&str>) -> DhGroup {
    DhGroup { bits, known_as: known.map(Text::from), prime_sha256: Text::from("cc33"), reused_key: false }
}

pub(super) const EXAMPLES: &[Example] = &[
    passes("TLS-01", "HTTPS answers", |_| {}),
    fails("TLS-01", "HTTPS is refused while HTTP answers", |subject| {
        let tls = tls(subject);
        tls.handshake = None;
        tls.versions.clear();
        tls.failure = Some(ProbeFailure::Refused("connection refused".into()));
    }),
    passes("TLS-02", "sixty of ninety days left", |_| {}),
    warns("TLS-02", "three of ninety days left", |subject| leaf(subject, |leaf| leaf.not_after = NOW + 3 * DAY_MS)),
    fails("TLS-02", "ended yesterday", |subject| leaf(subject, |leaf| leaf.not_after = NOW - DAY_MS)),
    passes("TLS-03", "the host is named", |_| {}),
    fails("TLS-03", "another host is named", |subject| shaken(subject, |shaken| shaken.hostname_matches = false)),
    passes("TLS-04", "a public authority", |_| {}),
    warns("TLS-04", "the intermediate is not sent", |subject| {
        shaken(subject, |shaken| shaken.trust = Err("incomplete chain".into()));
    }),
    fails("TLS-04", "self-signed", |subject| shaken(subject, |shaken| shaken.trust = Err("self-signed".into()))),
    fails("TLS-04", "clients that want RSA get an untrusted chain", |subject| {
        let other = ServedChain {
            hostname_matches: true,
            trust: Err("unknown issuer".into()),
            chain: vec![CertificateFacts { sha256: Text::from("dd44"), ..certificate() }],
        };
        tls(subject).other_chains.push(other);
    }),
    passes("TLS-05", "the OCSP responder says good", |_| {}),
    warns("TLS-05", "must be stapled and is not", |subject| leaf(subject, |leaf| leaf.must_staple = true)),
    fails("TLS-05", "revoked", |subject| {
        let state = RevocationState::Revoked { at: NOW - DAY_MS, reason: Some(Text::from("keyCompromise")) };
        tls(subject).revocation[0].state = state;
    }),
    passes("TLS-06", "ECDSA P-256", |_| {}),
    fails("TLS-06", "RSA of 1024 bits", |subject| {
        leaf(subject, |leaf| (leaf.key_kind, leaf.key_bits) = (Text::from("RSA"), 1024));
    }),
    passes("TLS-07", "SHA-256", |_| {}),
    fails("TLS-07", "SHA-1", |subject| {
        leaf(subject, |leaf| leaf.signature_algorithm = Text::from("sha1WithRSAEncryption"));
    }),
    passes("TLS-08", "SSLv2 and SSLv3 are refused", |_| {}),
    fails("TLS-08", "SSLv3 is accepted", |subject| accepts(subject, "SSLv3")),
    passes("TLS-09", "TLS 1.0 and 1.1 are refused", |_| {}),
    warns("TLS-09", "TLS 1.0 is accepted", |subject| accepts(subject, "TLSv1.0")),
    fails("TLS-09", "TLS 1.1 is accepted where people pay", |subject| {
        subject.profile.payment_path = true;
        accepts(subject, "TLSv1.1");
    }),
    passes("TLS-10", "TLS 1.2 and 1.3", |_| {}),
    warns("TLS-10", "TLS 1.2 alone", |subject| {
        version(subject, "TLSv1.3", |probe| probe.accepted = Some(false));
        shaken(subject, |shaken| shaken.version = Text::from("TLSv1.2"));
    }),
    passes("TLS-11", "AES-GCM alone", |_| {}),
    fails("TLS-11", "3DES is accepted", |subject| suite(subject, "TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
    passes("TLS-12", "ECDHE with AES-GCM", |_| {}),
    warns("TLS-12", "static RSA alone", |subject| {
        tls(subject).versions.retain(|probe| probe.version.as_str() == "TLSv1.2");
        version(subject, "TLSv1.2", |probe| probe.ciphers = vec![Text::from("TLS_RSA_WITH_AES_128_GCM_SHA256")]);
        shaken(subject, |shaken| shaken.cipher = Text::from("TLS_RSA_WITH_AES_128_GCM_SHA256"));
    }),
    passes("TLS-13", "2048 bits of RFC 7919", |subject| {
        tls(subject).features.dh_groups.push(field(2048, Some("RFC 7919 2048")));
    }),
    warns("TLS-13", "1024 bits that everybody uses", |subject| {
        tls(subject).features.dh_groups.push(field(1024, Some("RFC 2409 1024")));
    }),
    fails("TLS-13", "768 bits", |subject| tls(subject).features.dh_groups.push(field(768, None))),
    passes("TLS-14", "no compression, secure renegotiation", |_| {}),
    fails("TLS-14", "compression is on", |subject| tls(subject).features.compression = Some(true)),
    fails("TLS-14", "renegotiation without RFC 5746", |subject| {
        tls(subject).features.secure_renegotiation = Some(false);
    }),
    passes("TLS-15", "both are there", |_| {}),
    warns("TLS-15", "no extended master secret", |subject| {
        tls(subject).features.extended_master_secret = Some(false);
    }),
    passes("TLS-16", "tickets without early data where people pay", |subject| subject.profile.payment_path = true),
    warns("TLS-16", "early data where people pay", |subject| {
        subject.profile.payment_path = true;
        tls(subject).features.early_data_bytes_max = Some(16_384);
    }),
    passes("TLS-17", "two proofs of logging", |_| {}),
    warns("TLS-17", "no proof of logging", |subject| leaf(subject, |leaf| leaf.n_scts = 0)),
    passes("TLS-18", "the host alone", |_| {}),
    warns("TLS-18", "shared with five strangers", |subject| {
        let strangers = ["alpha.com", "bravo.net", "charlie.org", "delta.de", "echo.fr"];
        leaf(subject, |leaf| leaf.names.extend(strangers.map(Text::from)));
    }),
    warns("TLS-18", "a wildcard", |subject| {
        leaf(subject, |leaf| leaf.names = vec![Text::from(format!("*.{DOMAIN}"))]);
    }),
    passes("TLS-19", "ninety days", |_| {}),
    warns("TLS-19", "two years", |subject| leaf(subject, |leaf| leaf.not_before = NOW - 700 * DAY_MS)),
    passes("TLS-20", "X25519MLKEM768", |_| {}),
    warns("TLS-20", "no hybrid group", |subject| {
        let classic = |probe: &mut VersionProbe| probe.groups = Some(vec![Text::from("x25519")]);
        tls(subject).versions.iter_mut().for_each(classic);
    }),
    passes("TLS-21", "a key of its own", |_| {}),
    warns("TLS-21", "another firm's host shows the same key", |subject| {
        tls(subject).key_seen_at.push(Text::from("shop.unrelated.org"));
    }),
];
