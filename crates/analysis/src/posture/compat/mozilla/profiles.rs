//! The profiles, from <https://ssl-config.mozilla.org/guidelines/5.7.json> (Mozilla, MPL-2.0).

pub(super) const VERSION: f64 = 5.7;
/// Suites of TLS 1.3, the same in all profiles.
pub(super) const SUITES_13: &[&str] =
    &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// One profile.
pub(super) struct Profile {
    pub(super) name: &'static str,
    pub(super) versions: &'static [&'static str],
    pub(super) suites: &'static [&'static str],
    pub(super) curves: &'static [&'static str],
    pub(super) certificate_curves: &'static [&'static str],
    pub(super) certificate_types: &'static [&'static str],
    pub(super) signatures: &'static [&'static str],
    pub(super) rsa_bits: Option<u32>,
    pub(super) dh_bits: Option<u32>,
    pub(super) lifespan_days: i64,
}

/// Strictest first.
pub(super) const PROFILES: &[Profile] = &[
    Profile {
        name: "modern",
        versions: &["TLSv1.3"],
        suites: &[],
        curves: &["X25519", "secp256r1", "secp384r1"],
        certificate_curves: &["secp256r1", "secp384r1"],
        certificate_types: &["ecdsa"],
        signatures: &["ecdsa-with-SHA256", "ecdsa-with-SHA384", "ecdsa-with-SHA512"],
        rsa_bits: None,
        dh_bits: None,
        lifespan_days: 90,
    },
    Profile {
        name: "intermediate",
        versions: &["TLSv1.2", "TLSv1.3"],
        suites: &[
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ],
        curves: &["X25519", "secp256r1", "secp384r1"],
        certificate_curves: &["secp256r1", "secp384r1"],
        certificate_types: &["ecdsa", "rsa"],
        signatures: &["sha256WithRSAEncryption", "ecdsa-with-SHA256", "ecdsa-with-SHA384", "ecdsa-with-SHA512"],
        rsa_bits: Some(2048),
        dh_bits: Some(2048),
        lifespan_days: 366,
    },
    Profile {
        name: "old",
        versions: &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
        suites: &[
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
            "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
            "TLS_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_RSA_WITH_AES_128_CBC_SHA256",
            "TLS_RSA_WITH_AES_256_CBC_SHA256",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        ],
        curves: &["X25519", "secp256r1", "secp384r1"],
        certificate_curves: &["secp256r1", "secp384r1"],
        certificate_types: &["rsa"],
        signatures: &["sha256WithRSAEncryption"],
        rsa_bits: Some(2048),
        dh_bits: Some(1024),
        lifespan_days: 366,
    },
];
