//! Key exchange groups that are offered to servers. Numbers and names are of the IANA TLS registry.

use super::hello::Version;

pub(super) const X25519: u16 = 29;

/// Group, name, bits as OpenSSL counts them.
const GROUPS: &[(u16, &str, u32)] = &[
    (29, "x25519", 253),
    (23, "secp256r1", 256),
    (24, "secp384r1", 384),
    (25, "secp521r1", 521),
    (30, "x448", 448),
    (26, "brainpoolP256r1", 256),
    (27, "brainpoolP384r1", 384),
    (28, "brainpoolP512r1", 512),
    (22, "secp256k1", 256),
    (21, "secp224r1", 224),
    (20, "secp224k1", 225),
    (19, "secp192r1", 192),
    (18, "secp192k1", 192),
    (17, "secp160r2", 161),
    (16, "secp160r1", 161),
    (15, "secp160k1", 161),
    (14, "sect571r1", 570),
    (13, "sect571k1", 570),
    (12, "sect409r1", 409),
    (11, "sect409k1", 407),
    (10, "sect283r1", 282),
    (9, "sect283k1", 281),
    (8, "sect239k1", 238),
    (7, "sect233r1", 233),
    (6, "sect233k1", 232),
    (5, "sect193r2", 193),
    (4, "sect193r1", 193),
    (3, "sect163r2", 163),
    (2, "sect163r1", 162),
    (1, "sect163k1", 163),
    (41, "curveSM2", 256),
    (4588, "X25519MLKEM768", 1216),
    (4587, "SecP256r1MLKEM768", 1249),
    (4589, "SecP384r1MLKEM1024", 1665),
    (4590, "curveSM2MLKEM768", 1249),
    (512, "MLKEM512", 512),
    (513, "MLKEM768", 768),
    (514, "MLKEM1024", 1024),
    (25497, "X25519Kyber768Draft00", 1216),
    (25498, "SecP256r1Kyber768Draft00", 1249),
    (31, "brainpoolP256r1tls13", 256),
    (32, "brainpoolP384r1tls13", 384),
    (33, "brainpoolP512r1tls13", 512),
    (256, "ffdhe2048", 2048),
    (257, "ffdhe3072", 3072),
    (258, "ffdhe4096", 4096),
    (259, "ffdhe6144", 6144),
    (260, "ffdhe8192", 8192),
];

/// The curves that can be offered below TLS 1.3.
///
/// The groups of RFC 7919 are left out: a server that knows them would be told to use no others, while the sizes it gives
/// to clients that do not know them are what is looked for.
const CURVES: &[u16] = &[
    29, 23, 24, 25, 30, 26, 27, 28, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 41,
];

/// What can be offered in TLS 1.3: all of it, since some servers take there what only older versions define.
const MODERN: &[u16] = &[
    4588, 4587, 4589, 4590, 512, 513, 514, 25497, 25498, 29, 23, 24, 25, 30, 31, 32, 33, 256, 257, 258, 259, 260, 41,
    26, 27, 28, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
];

/// Every group for hellos of this version, good ones first.
pub(super) const fn of(version: Version) -> &'static [u16] {
    match version {
        Version::Ssl3 => &[],
        Version::Tls10 | Version::Tls11 | Version::Tls12 => CURVES,
        Version::Tls13 => MODERN,
    }
}

/// The IANA name, or the number where it has none.
pub(super) fn name(group: u16) -> String {
    match GROUPS.iter().find(|known| known.0 == group) {
        Some((_, name, _)) => (*name).to_owned(),
        None => format!("0x{group:04X}"),
    }
}

/// The number behind a curve's name.
pub(super) fn number(name: &str) -> Option<u16> {
    GROUPS.iter().find(|known| known.1 == name).map(|known| known.0)
}

/// The size; 0 where it is not known.
pub(super) fn bits(group: u16) -> u32 {
    GROUPS.iter().find(|known| known.0 == group).map_or(0, |known| known.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_agree_with_the_table() {
        for group in CURVES.iter().chain(MODERN) {
            assert!(bits(*group) > 0 && number(&name(*group)) == Some(*group), "{group}");
        }
        assert_eq!(MODERN.len(), GROUPS.len());
        assert!(!CURVES.contains(&256));
        assert_eq!((name(0x7a7a), bits(0x7a7a)), ("0x7A7A".to_owned(), 0));
    }
}
