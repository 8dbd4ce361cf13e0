//! Parts of observations: a healthy server, certificate, endpoint and page, which examples and tests break.

use riskgraph_domain::observation::*;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Text, Timestamp};

pub(in crate::posture) const NOW: Timestamp = Timestamp(1_780_000_000_000);
pub(in crate::posture) const DOMAIN: &str = "shop.example.com";

/// A domain of which nothing was seen.
pub(in crate::posture) fn blank(domain: &str) -> DomainObservations {
    DomainObservations {
        domain: Text::from(domain),
        started_at: NOW,
        finished_at: NOW,
        dns: DnsFacts::unasked("not asked"),
        tls: Vec::new(),
        https: None,
        http: None,
        files: Vec::new(),
        cors: None,
        lookalikes: None,
        known: None,
        mail_hosts: Vec::new(),
        aliases: Vec::new(),
    }
}

pub(in crate::posture) fn records(name: &str, kind: &str, values: &[&str]) -> Lookup {
    answered(name, kind, DnsAnswer::Records(values.iter().map(|&v| v.to_owned()).collect()))
}

pub(in crate::posture) fn answered(name: &str, kind: &str, answer: DnsAnswer) -> Lookup {
    Lookup { name: Text::from(name), kind: Text::from(kind), answer }
}

/// A name with an A record and otherwise nothing.
pub(in crate::posture) fn addressed(domain: &str) -> DomainObservations {
    let mut seen = blank(domain);
    seen.dns.lookups = vec![records(domain, "A", &["203.0.113.7"]), answered(domain, "AAAA", DnsAnswer::NoData)];
    seen
}

pub(in crate::posture) fn reply(serial: u32) -> ServerReply {
    ServerReply { authoritative: true, recursion_available: false, rcode: Text::from("NOERROR"), serial: Some(serial) }
}

pub(in crate::posture) fn server(name: &str, address: &str) -> NameServer {
    NameServer {
        name: Text::from(name),
        addresses: vec![Text::from(address)],
        is_alias: false,
        udp: Some(Ok(reply(1))),
        tcp: Some(Ok(reply(1))),
        probes: Some(probes()),
    }
}

/// A signature over a type that ends in so many days.
pub(in crate::posture) fn signature(covered: &str, days: i64) -> Signature {
    Signature {
        covered: Text::from(covered),
        algorithm: 13,
        key_tag: 1,
        inception: NOW - 7 * DAY_MS,
        expiration: NOW + days * DAY_MS,
    }
}

/// A mail exchanger with STARTTLS and a certificate of its own.
pub(in crate::posture) fn mail_host(host: &str) -> MailHost {
    let handshake = endpoint().handshake;
    MailHost {
        host: Text::from(host),
        address: Some(Text::from("203.0.113.8")),
        starttls: Ok(StartTls { offered: true, handshake, failure: None }),
        tlsa_secure: None,
    }
}

/// What a server does that gives nothing away.
pub(in crate::posture) fn probes() -> ServerProbes {
    let reply = |rcode: &str, has_answer: bool| EdnsReply {
        rcode: Text::from(rcode),
        version: Some(0),
        has_answer,
        echoes: false,
    };
    ServerProbes {
        ns: None,
        soa: None,
        recursion: Some(Ok(Recursion {
            name: Text::from("recursion-probe.riskgraph.invalid"),
            available: false,
            rcode: Text::from("REFUSED"),
        })),
        transfer: Some(Ok(Transfer { began: false, rcode: Text::from("REFUSED"), n_records: 0 })),
        edns: Some(Edns {
            version_0: Ok(reply("NOERROR", true)),
            version_1: Ok(reply("BADVERS", false)),
            unknown: Ok(reply("NOERROR", true)),
        }),
        version: Some(Ok(ServerVersion { rcode: Text::from("REFUSED"), texts: Vec::new() })),
        asns: Vec::new(),
    }
}

pub(in crate::posture) fn certificate() -> CertificateFacts {
    CertificateFacts {
        sha256: Text::from("aa11"),
        spki_sha256: Text::from("bb22"),
        subject: format!("CN={DOMAIN}"),
        issuer: "C=US, O=Let's Encrypt, CN=R11".into(),
        names: vec![Text::from(DOMAIN)],
        not_before: NOW - 30 * DAY_MS,
        not_after: NOW + 60 * DAY_MS,
        key_kind: Text::from("EC"),
        key_bits: 256,
        signature_algorithm: Text::from("sha256WithRSAEncryption"),
        n_scts: 2,
        curve: Some(Text::from("secp256r1")),
        ocsp_urls: vec!["http://ocsp.example.org".into()],
        ..CertificateFacts::default()
    }
}

pub(in crate::posture) fn version(name: &str, accepted: Option<bool>, ciphers: &[&str]) -> VersionProbe {
    VersionProbe {
        version: Text::from(name),
        accepted,
        ciphers: ciphers.iter().map(|&c| Text::from(c)).collect(),
        complete: accepted == Some(true),
        groups: (accepted == Some(true)).then(|| vec![Text::from("x25519"), Text::from("secp256r1")]),
        ..VersionProbe::default()
    }
}

fn modern(mut probe: VersionProbe) -> VersionProbe {
    probe.groups.get_or_insert_default().insert(0, Text::from("X25519MLKEM768"));
    probe
}

/// A good endpoint on 443.
pub(in crate::posture) fn endpoint() -> TlsFacts {
    TlsFacts {
        host: Text::from(DOMAIN),
        port: 443,
        address: Some(Text::from("203.0.113.7")),
        failure: None,
        versions: vec![
            version("SSLv3", Some(false), &[]),
            version("TLSv1.0", Some(false), &[]),
            version("TLSv1.1", Some(false), &[]),
            version("TLSv1.2", Some(true), &["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]),
            modern(version("TLSv1.3", Some(true), &["TLS_AES_256_GCM_SHA384"])),
        ],
        handshake: Some(Handshake {
            version: Text::from("TLSv1.3"),
            cipher: Text::from("TLS_AES_256_GCM_SHA384"),
            key_exchange: Some(Text::from("X25519")),
            ocsp_stapled: false,
            hostname_matches: true,
            trust: Ok(()),
            chain: vec![certificate()],
        }),
        features: TlsFeatures {
            compression: Some(false),
            secure_renegotiation: Some(true),
            extended_master_secret: Some(true),
            fallback: vec![FallbackProbe { version: Text::from("TLSv1.2"), refused: Some(true) }],
            session_tickets: Some(true),
            tickets_13: Some(2),
            early_data_bytes_max: Some(0),
            asked_in: Some(Text::from("TLSv1.2")),
            ..TlsFeatures::default()
        },
        revocation: vec![RevocationProbe {
            source: RevocationSource::Ocsp,
            url: Some("http://ocsp.example.org".into()),
            state: RevocationState::Good,
            next_update: Some(NOW + 3 * DAY_MS),
        }],
        ..TlsFacts::default()
    }
}

pub(in crate::posture) fn hop(url: &str, status: u16, headers: &[(&str, &str)]) -> Hop {
    Hop {
        url: url.to_owned(),
        status,
        headers: headers.iter().map(|&(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
    }
}

/// A fetch with these answers and an empty HTML page.
pub(in crate::posture) fn fetched(hops: Vec<Hop>) -> WebFacts {
    WebFacts {
        peer: Peer::Verified,
        url: hops.first().map_or_else(String::new, |hop| hop.url.clone()),
        failure: None,
        body: Some(BodyFacts {
            sha256: Text::from("00"),
            size_bytes: 10,
            truncated: false,
            content_type: Some("text/html".into()),
            text: None,
        }),
        page: Some(PageFacts::default()),
        hops,
    }
}

/// A file at a well-known place with this text.
pub(in crate::posture) fn file(url: &str, status: u16, text: &str) -> WebFacts {
    let mut facts = fetched(vec![hop(url, status, &[("content-type", "text/plain")])]);
    facts.page = None;
    if let Some(body) = &mut facts.body {
        body.text = Some(text.to_owned());
        body.content_type = Some("text/plain".into());
    }
    facts
}
