//! Every cipher suite that is offered to servers. Numbers are of the IANA TLS registry, and a few that never got there.

use std::sync::LazyLock;

use tls_parser::TlsCipherSuite;

use super::hello::Version;

/// TLS 1.3 (RFC 8446, RFC 8998, AEGIS).
const TLS13: &[u16] = &[0x1302, 0x1303, 0x1301, 0x1304, 0x1305, 0x1306, 0x1307, 0x00c6, 0x00c7];
/// Suites that were used without a registration: drafts of ChaCha20 and the 56-bit exports.
const UNREGISTERED: &[(u16, &str)] = &[
    (0xcc13, "OLD_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcc14, "OLD_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcc15, "OLD_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0x0060, "TLS_RSA_EXPORT1024_WITH_RC4_56_MD5"),
    (0x0061, "TLS_RSA_EXPORT1024_WITH_RC2_CBC_56_MD5"),
    (0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0063, "TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0065, "TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0066, "TLS_DHE_DSS_WITH_RC4_128_SHA"),
    (0x1306, "TLS_AEGIS_256_SHA512"),
    (0x1307, "TLS_AEGIS_128L_SHA256"),
    (0x00c6, "TLS_SM4_GCM_SM3"),
    (0x00c7, "TLS_SM4_CCM_SM3"),
];

/// Suites that are offered together. Old balancers hang on very long hellos, so no batch is the whole registry; and batches
/// are asked side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// AES and ChaCha20 with certificates: what servers are set up for.
    Everyday,
    /// ARIA, Camellia, SEED, CCM.
    Rare,
    /// Fixed Diffie-Hellman keys and DSA certificates.
    Fixed,
    /// No encryption, no authentication, export strength, RC4, RC2, DES, 3DES, IDEA.
    Broken,
    /// Shared secrets instead of certificates, and GOST.
    Secret,
}

const KINDS: [Kind; 5] = [Kind::Everyday, Kind::Rare, Kind::Fixed, Kind::Broken, Kind::Secret];

static BATCHES: LazyLock<Vec<Vec<u16>>> = LazyLock::new(|| {
    let older: Vec<u16> = (0x0001..0x1300).chain(0xc000..=0xffff).filter(|suite| is_older(*suite)).collect();
    let batch = |kind| {
        let mut batch: Vec<u16> = older.iter().copied().filter(|suite| kind_of(&name(*suite)) == kind).collect();
        // Good ones first: an order that clients have, for servers that follow it.
        batch.sort_by_key(|suite| {
            let name = name(*suite);
            (!name.contains("DHE_"), !name.contains("GCM") && !name.contains("CHACHA"), *suite)
        });
        batch
    };
    KINDS.into_iter().map(batch).collect()
});

/// The suites to offer in this version; the first batch is the one most servers choose from.
pub(super) fn batches(version: Version) -> Vec<Vec<u16>> {
    match version {
        Version::Tls13 => vec![TLS13.to_vec()],
        Version::Tls12 => BATCHES.clone(),
        _ => {
            let old = |batch: &Vec<u16>| batch.iter().copied().filter(|suite| !needs_tls12(*suite)).collect();
            BATCHES.iter().map(old).collect()
        }
    }
}

/// The IANA name, or the number where it has none.
pub(super) fn name(suite: u16) -> String {
    if let Some((_, name)) = UNREGISTERED.iter().find(|known| known.0 == suite) {
        return (*name).to_owned();
    }
    TlsCipherSuite::from_id(suite).map_or_else(|| format!("0x{suite:04X}"), |known| known.name.to_owned())
}

/// How the key is agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Ephemeral, on a curve.
    Curve,
    /// Ephemeral, over a prime field.
    Field,
    Other,
}

pub(super) fn agreement(suite: u16) -> Agreement {
    let name = name(suite);
    if name.contains("PSK") || name.contains("SRP") {
        Agreement::Other
    } else if name.contains("ECDHE_") || name.contains("ECDH_anon") {
        Agreement::Curve
    } else if name.contains("DHE_") || name.contains("DH_anon") {
        Agreement::Field
    } else {
        Agreement::Other
    }
}

/// The suites that come with a certificate; all of them when none does.
pub(super) fn with_certificate(suites: &[u16]) -> Vec<u16> {
    let shows = |suite: &u16| {
        let name = name(*suite);
        !["_anon_", "PSK", "SRP", "KRB5", "ECCPWD"].iter().any(|part| name.contains(part))
    };
    let shown: Vec<u16> = suites.iter().copied().filter(shows).collect();
    if shown.is_empty() { suites.to_vec() } else { shown }
}

fn is_older(suite: u16) -> bool {
    if TLS13.contains(&suite) {
        return false;
    }
    let name = name(suite);
    !name.starts_with("0x") && !name.contains("SCSV") && name.contains("_WITH_") && name != "TLS_NULL_WITH_NULL_NULL"
}

fn kind_of(name: &str) -> Kind {
    let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if any(&["PSK", "SRP", "KRB5", "ECCPWD", "GOST"]) {
        Kind::Secret
    } else if any(&["NULL", "EXPORT", "_anon_", "RC4", "RC2", "DES", "IDEA"]) {
        Kind::Broken
    } else if any(&["_DSS_", "TLS_DH_", "TLS_ECDH_"]) {
        Kind::Fixed
    } else if any(&["ARIA", "CAMELLIA", "SEED", "CCM"]) {
        Kind::Rare
    } else {
        Kind::Everyday
    }
}

/// Whether a suite exists only from TLS 1.2 on (AEAD, or a MAC of SHA-256 and longer).
fn needs_tls12(suite: u16) -> bool {
    let name = name(suite);
    ["GCM", "CCM", "CHACHA20", "SHA256", "SHA384", "OCB"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_the_whole_registry_once() {
        let batches = batches(Version::Tls12);
        let mut every = batches.concat();
        let n_every = every.len();
        every.sort_unstable();
        every.dedup();
        assert_eq!(every.len(), n_every, "a suite is in two batches");
        assert!(n_every > 330, "{n_every}");
        assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() <= 130));
        let everyday: Vec<_> = batches[0].iter().map(|suite| name(*suite)).collect();
        assert!(everyday.contains(&"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()));
        assert!(everyday.iter().all(|name| name.contains("AES") || name.contains("CHACHA20")), "{everyday:?}");
        for special in [0x00ff, 0x5600, 0x1301, 0x0000] {
            assert!(!every.contains(&special), "{special:04x}");
        }
        for weak in [0x0001, 0x0005, 0x000a, 0x0019, 0x0034, 0xc018, 0x0066, 0x0062] {
            assert!(batches[3].contains(&weak), "{}", name(weak));
        }
    }

    #[test]
    fn old_versions_get_old_suites() {
        let old = super::batches(Version::Tls10).concat();
        assert!(old.contains(&0x002f) && !old.contains(&0x009c) && !old.contains(&0x003c));
        assert_eq!(super::batches(Version::Tls13), [TLS13]);
        assert_eq!(agreement(0xc02f), Agreement::Curve);
        assert_eq!(agreement(0xc018), Agreement::Curve);
        assert_eq!(agreement(0x009e), Agreement::Field);
        assert_eq!(agreement(0x0034), Agreement::Field);
        assert_eq!(agreement(0x009c), Agreement::Other);
        assert_eq!(agreement(0xc005), Agreement::Other);
        assert_eq!(with_certificate(&[0x0034, 0xc02f, 0x008c]), [0xc02f]);
        assert_eq!(with_certificate(&[0x0034]), [0x0034]);
    }
}
