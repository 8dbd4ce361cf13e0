use riskgraph_domain::observation::*;
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Text};

use super::{aead, forward_secret, weakness};
use crate::posture::AssetProfile;
use crate::posture::fixtures::*;

#[track_caller]
fn check(id: &str, result: impl Into<Option<CheckResult>>, change: impl FnOnce(&mut TlsFacts)) {
    let mut seen = addressed(DOMAIN);
    let mut tls = endpoint();
    change(&mut tls);
    seen.tls = vec![tls];
    expect(&seen, id, result);
}

fn leaf(tls: &mut TlsFacts) -> &mut CertificateFacts {
    &mut tls.handshake.as_mut().expect("a handshake").chain[0]
}

fn shake(tls: &mut TlsFacts) -> &mut Handshake {
    tls.handshake.as_mut().expect("a handshake")
}

const IDS: [&str; 19] =
    ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "14", "15", "17", "18", "19", "20", "21"];

#[test]
fn a_good_endpoint_passes_everything() {
    for id in IDS {
        check(&format!("TLS-{id}"), Pass, |_| {});
    }
}

#[test]
fn silence_is_unknown() {
    for failure in [
        ProbeFailure::Timeout,
        ProbeFailure::Refused("reset".into()),
        ProbeFailure::Unresolved,
        ProbeFailure::Forbidden("loopback".into()),
        ProbeFailure::TlsFailed("alert".into()),
    ] {
        for id in IDS {
            check(&format!("TLS-{id}"), Unknown, |t| {
                t.failure = Some(failure.clone());
                t.handshake = None;
                t.versions.clear();
            });
        }
    }
    for id in IDS {
        expect(&addressed(DOMAIN), &format!("TLS-{id}"), Unknown);
    }
    // A name without addresses serves nothing.
    let mut nowhere = blank("mail-only.example");
    for kind in ["A", "AAAA"] {
        nowhere.dns.lookups.push(answered("mail-only.example", kind, DnsAnswer::NoData));
    }
    expect(&nowhere, "TLS-01", None);
}

#[test]
fn http_only_sites_fail() {
    let mut seen = addressed(DOMAIN);
    let refused = TlsFacts {
        failure: Some(ProbeFailure::Refused("refused".into())),
        handshake: None,
        versions: Vec::new(),
        ..endpoint()
    };
    seen.tls = vec![refused];
    seen.http = Some(fetched(vec![hop("http://shop.example.com/", 200, &[])]));
    expect(&seen, "TLS-01", Fail);
    seen.tls[0].failure = Some(ProbeFailure::Timeout);
    expect(&seen, "TLS-01", Unknown);
}

#[test]
fn certificates() {
    check("TLS-02", Fail, |t| leaf(t).not_after = NOW - 1);
    check("TLS-02", Fail, |t| leaf(t).not_before = NOW + DAY_MS);
    check("TLS-02", Warn, |t| leaf(t).not_after = NOW + 3 * DAY_MS);
    check("TLS-02", Pass, |t| {
        // A certificate of six days is not late on its third.
        leaf(t).not_before = NOW - 3 * DAY_MS;
        leaf(t).not_after = NOW + 3 * DAY_MS;
    });
    check("TLS-02", Warn, |t| {
        leaf(t).not_before = NOW - 300 * DAY_MS;
        leaf(t).not_after = NOW + 13 * DAY_MS;
    });
    check("TLS-03", Fail, |t| shake(t).hostname_matches = false);
    check("TLS-04", Fail, |t| shake(t).trust = Err("unknown issuer".into()));
    check("TLS-04", Fail, |t| shake(t).trust = Err("self-signed".into()));
    check("TLS-04", Warn, |t| shake(t).trust = Err("chain incomplete".into()));
    check("TLS-04", None, |t| {
        shake(t).trust = Err("expired".into());
        leaf(t).not_after = NOW - 1;
    });
    check("TLS-06", Fail, |t| (leaf(t).key_kind, leaf(t).key_bits) = (Text::from("RSA"), 1024));
    check("TLS-06", Pass, |t| (leaf(t).key_kind, leaf(t).key_bits) = (Text::from("RSA"), 2048));
    check("TLS-06", Fail, |t| leaf(t).key_bits = 192);
    check("TLS-06", Unknown, |t| leaf(t).key_bits = 0);
    for name in ["sha1WithRSAEncryption", "ecdsa-with-SHA1", "md5WithRSAEncryption"] {
        check("TLS-07", Fail, |t| leaf(t).signature_algorithm = Text::from(name));
    }
    check("TLS-07", Pass, |t| {
        let root = CertificateFacts {
            self_signed: true,
            signature_algorithm: Text::from("sha1WithRSAEncryption"),
            ..certificate()
        };
        shake(t).chain.push(root);
    });
    check("TLS-17", Warn, |t| leaf(t).n_scts = 0);
    check("TLS-17", None, |t| shake(t).trust = Err("unknown issuer".into()));
    check("TLS-19", Warn, |t| leaf(t).not_before = NOW - 800 * DAY_MS);
}

#[test]
fn versions() {
    let accept = |name: &'static str, accepted| {
        move |t: &mut TlsFacts| {
            t.versions.iter_mut().filter(|v| v.version.as_str() == name).for_each(|v| v.accepted = accepted);
        }
    };
    check("TLS-08", Fail, accept("SSLv3", Some(true)));
    check("TLS-08", Unknown, accept("SSLv3", None));
    check("TLS-09", Warn, accept("TLSv1.0", Some(true)));
    check("TLS-09", Unknown, accept("TLSv1.1", None));
    let without_13 = |t: &mut TlsFacts| {
        accept("TLSv1.3", Some(false))(t);
        shake(t).version = Text::from("TLSv1.2");
    };
    check("TLS-10", Warn, without_13);
    check("TLS-10", Fail, |t| {
        without_13(t);
        accept("TLSv1.2", Some(false))(t);
        accept("TLSv1.0", Some(true))(t);
        shake(t).version = Text::from("TLSv1.0");
    });
    let mut seen = addressed(DOMAIN);
    let mut tls = endpoint();
    accept("TLSv1.1", Some(true))(&mut tls);
    seen.tls = vec![tls];
    let paying = AssetProfile { payment_path: true, ..AssetProfile::default() };
    let outcome = outcome_of(&seen, &paying, "TLS-09").expect("applies");
    assert_eq!((outcome.result, outcome.severity), (Fail, Severity::High));
}

#[test]
fn suites() {
    let only = |suite: &'static str| {
        move |t: &mut TlsFacts| {
            t.versions.retain(|v| v.version.as_str() == "TLSv1.2");
            t.versions[0].ciphers = vec![Text::from(suite)];
            shake(t).cipher = Text::from(suite);
        }
    };
    check("TLS-12", Warn, only("TLS_RSA_WITH_AES_128_GCM_SHA256"));
    check("TLS-12", Warn, only("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
    for (suite, weak, secret, authenticated) in [
        ("TLS_AES_128_GCM_SHA256", false, true, true),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", false, true, true),
        ("TLS_RSA_WITH_AES_256_CBC_SHA", false, false, false),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", true, false, false),
        ("TLS_RSA_WITH_RC4_128_SHA", true, false, false),
        ("TLS_RSA_WITH_NULL_SHA256", true, false, false),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", true, false, false),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA", true, false, false),
        ("TLS_RSA_WITH_DES_CBC_SHA", true, false, false),
        ("DHE-RSA-AES128-GCM-SHA256", false, true, true),
    ] {
        assert_eq!(weakness(suite).is_some(), weak, "{suite}");
        assert_eq!(forward_secret(suite), secret, "{suite}");
        assert_eq!(aead(suite), authenticated, "{suite}");
        check("TLS-11", if weak { Fail } else { Pass }, only(suite));
    }
}
