use riskgraph_domain::Text;
use riskgraph_domain::observation::{FallbackProbe, KeyExchange};

use super::*;
use crate::posture::fixtures::endpoint;

#[track_caller]
fn check(profile: &str, want: &[(&str, &str)], change: impl FnOnce(&mut TlsFacts)) {
    let mut tls = endpoint();
    leaf(&mut tls, |leaf| {
        leaf.signature_algorithm = Text::from("ecdsa-with-SHA256");
        leaf.subject_rfc4514 = "CN=shop.example".into();
    });
    // The sound endpoint speaks TLS 1.2 too; a modern one does not.
    tls.versions.iter_mut().for_each(|probe| {
        if probe.version.as_str() == "TLSv1.2" {
            (probe.accepted, probe.ciphers) = (Some(false), Vec::new());
        }
    });
    change(&mut tls);
    let verdict = verdict(&tls).expect("seen");
    let found = verdict["issues"][profile].as_object().expect("issues");
    let found: Vec<(&str, &str)> =
        found.iter().map(|(key, text)| (key.as_str(), text.as_str().unwrap_or_default())).collect();
    assert_eq!(found, want);
}

fn leaf(tls: &mut TlsFacts, change: impl FnOnce(&mut CertificateFacts)) {
    change(&mut tls.handshake.as_mut().expect("a handshake").chain[0]);
}

fn accept(tls: &mut TlsFacts, version: &str, suites: &[&str]) {
    let probe = tls.versions.iter_mut().find(|probe| probe.version.as_str() == version).expect("probed");
    probe.accepted = Some(true);
    probe.ciphers = suites.iter().copied().map(Text::from).collect();
}

#[test]
fn a_modern_endpoint_is_modern() {
    check("modern", &[], |_| {});
    let mut tls = endpoint();
    leaf(&mut tls, |leaf| leaf.signature_algorithm = Text::from("ecdsa-with-SHA256"));
    assert_eq!(verdict(&tls).expect("seen")["profile"], "intermediate");
    tls.handshake = None;
    assert_eq!(verdict(&tls), None);
}

#[test]
fn issues_are_worded_as_in_sslyze() {
    let versions = "TLS versions {'TLSv1', 'TLSv1.2'} are supported, but should be rejected.";
    let suites = "Cipher suites {'TLS_RSA_WITH_AES_128_CBC_SHA'} are supported, but should be rejected.";
    check("modern", &[("ciphers", suites), ("tls_versions", versions)], |tls| {
        accept(tls, "TLSv1.2", &["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"]);
        accept(tls, "TLSv1.0", &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    });
    let kind = "Deployed certificate types are {'rsa'}, should have at least one of {'ecdsa'}.";
    let signed = "Deployed certificate signatures are {'sha256WithRSAEncryption'}, should have at least one of \
                  {'ecdsa-with-SHA256', 'ecdsa-with-SHA384', 'ecdsa-with-SHA512'}.";
    check("modern", &[("certificate_signatures", signed), ("certificate_types", kind)], |tls| {
        leaf(tls, |leaf| {
            (leaf.key_kind, leaf.key_bits, leaf.curve) = (Text::from("RSA"), 2048, None);
            leaf.signature_algorithm = Text::from("sha256WithRSAEncryption");
        });
    });
    let size = "RSA key size is 1024, minimum allowed is 2048.";
    let life = "Certificate life span is 400 days, should be less than 366.";
    let path = "Certificate path validation failed for CN=shop.example.";
    let want = [("certificate_path_validation", path), ("maximum_certificate_lifespan", life), ("rsa_key_size", size)];
    check("intermediate", &want, |tls| {
        tls.handshake.as_mut().expect("a handshake").trust = Err("self-signed".into());
        leaf(tls, |leaf| {
            (leaf.key_kind, leaf.key_bits, leaf.curve) = (Text::from("RSA"), 1024, None);
            leaf.signature_algorithm = Text::from("sha256WithRSAEncryption");
            leaf.not_after = leaf.not_before + 400 * DAY_MS;
        });
    });
    let dh = "DH parameter size is 1024, should be superior or equal to 2048.";
    check("intermediate", &[("dh_param_size", dh)], |tls| {
        accept(tls, "TLSv1.2", &["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"]);
        let exchange = KeyExchange {
            suite: Text::from("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
            group: Text::from("DH"),
            bits: 1024,
        };
        tls.versions
            .iter_mut()
            .filter(|p| p.version.as_str() == "TLSv1.2")
            .for_each(|p| p.exchanges = vec![exchange.clone()]);
    });
    let curves = "TLS curves {'X448', 'secp521r1'} are supported, but should be rejected.";
    check("modern", &[("tls_curves", curves)], |tls| {
        let groups = ["x25519", "x448", "secp521r1", "X25519MLKEM768", "ffdhe2048"].map(Text::from).to_vec();
        tls.versions.iter_mut().for_each(|probe| probe.groups = Some(groups.clone()));
    });
}

#[test]
fn weaknesses() {
    let check = |key: &str, change: fn(&mut TlsFacts)| {
        let mut tls = endpoint();
        change(&mut tls);
        let verdict = verdict(&tls).expect("seen");
        assert!(verdict["issues"]["intermediate"].get(key).is_some(), "{verdict}");
    };
    check("tls_vulnerability_compression", |tls| tls.features.compression = Some(true));
    check("tls_vulnerability_renegotiation", |tls| tls.features.secure_renegotiation = Some(false));
    check("tls_vulnerability_extended_master_secret", |tls| {
        tls.versions.retain(|probe| probe.version.as_str() != "TLSv1.3");
        tls.versions.push(crate::posture::fixtures::version("TLSv1.3", Some(false), &[]));
        tls.features.extended_master_secret = Some(false);
    });
    check("tls_vulnerability_fallback_scsv", |tls| {
        accept(tls, "TLSv1.1", &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
        tls.features.fallback = vec![FallbackProbe { version: Text::from("TLSv1.1"), refused: Some(false) }];
    });
}

#[test]
fn knows_what_sslyze_tries() {
    for (suite, want) in [
        ("TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256", true),
        ("TLS_ECDHE_RSA_WITH_ARIA_128_CBC_SHA256", false),
        ("TLS_ECDH_RSA_WITH_ARIA_128_GCM_SHA256", false),
        ("TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256", false),
        ("TLS_DH_RSA_WITH_CAMELLIA_128_CBC_SHA256", false),
        ("TLS_DH_RSA_WITH_CAMELLIA_128_CBC_SHA", true),
        ("TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256", false),
        ("TLS_DH_DSS_EXPORT_WITH_DES40_CBC_SHA", false),
        ("TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA", true),
        ("TLS_PSK_WITH_AES_128_CBC_SHA", false),
        ("TLS_RSA_WITH_NULL_MD5", true),
        ("SSL_CK_RC4_128_WITH_MD5", true),
    ] {
        assert_eq!(is_tried(suite), want, "{suite}");
    }
}
