//! Cipher suites that are offered to servers, by what is wrong with them (RFC 9325, SSL Labs 2009r).
//!
//! One offer per group: a server that takes the offer speaks that weakness. Numbers are of the IANA TLS registry.

use tls_parser::TlsCipherSuite;

/// TLS 1.3.
pub(super) const TLS13: &[u16] = &[0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

const AEAD_FS: &[u16] = &[
    0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xccaa, 0x009e, 0x009f, 0x00a2, 0x00a3, 0xc09e, 0xc09f, 0xc0ac,
    0xc0ad,
];
const CBC_FS: &[u16] = &[
    0xc013, 0xc014, 0xc027, 0xc028, 0xc009, 0xc00a, 0xc023, 0xc024, 0x0033, 0x0039, 0x0067, 0x006b, 0x0032, 0x0038,
    0x0040, 0x006a, 0x0045, 0x0088,
];
const AEAD_STATIC: &[u16] = &[0x009c, 0x009d, 0xc09c, 0xc09d];
const CBC_STATIC: &[u16] = &[0x002f, 0x0035, 0x003c, 0x003d, 0x0041, 0x0084, 0x0096, 0x0007];
const TRIPLE_DES: &[u16] =
    &[0x000a, 0x0016, 0x0013, 0xc012, 0xc008, 0x000d, 0x0010, 0xc003, 0xc00d, 0x0009, 0x0015, 0x0012];
const RC4: &[u16] = &[0x0005, 0x0004, 0xc011, 0xc007, 0xc002, 0xc00c];
const EXPORT: &[u16] = &[0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0017, 0x0019];
const NULL: &[u16] = &[0x0001, 0x0002, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010];
const ANONYMOUS: &[u16] =
    &[0x0034, 0x003a, 0x006c, 0x006d, 0x00a6, 0x00a7, 0x001b, 0x0018, 0x001a, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019];

/// The groups, good ones first.
pub(super) const GROUPS: [&[u16]; 9] =
    [AEAD_FS, CBC_FS, AEAD_STATIC, CBC_STATIC, TRIPLE_DES, RC4, EXPORT, NULL, ANONYMOUS];

/// Everything below TLS 1.3, good ones first.
pub(super) fn all() -> Vec<u16> {
    GROUPS.concat()
}

/// Whether a suite exists only from TLS 1.2 on (AEAD, or a MAC of SHA-256 and longer).
pub(super) fn needs_tls12(suite: u16) -> bool {
    matches!(suite, 0x003b..=0x0040 | 0x0067..=0x006d | 0x009c..=0x00a7 | 0xc023..=0xc032 | 0xc09c..=0xc0ad | 0xcca8..=0xccaa)
}

/// The IANA name, or the number where it has none.
pub(super) fn name(suite: u16) -> String {
    TlsCipherSuite::from_id(suite).map_or_else(|| format!("0x{suite:04X}"), |known| known.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_what_they_say() {
        let check = |group: &[u16], part: &str| {
            for suite in group {
                assert!(name(*suite).contains(part), "{} lacks {part}", name(*suite));
            }
        };
        check(RC4, "RC4");
        check(EXPORT, "EXPORT");
        check(NULL, "NULL");
        check(ANONYMOUS, "anon");
        check(TRIPLE_DES, "DES");
        check(AEAD_FS, "DHE");
        check(CBC_FS, "DHE");
        check(AEAD_STATIC, "TLS_RSA_WITH");
        check(CBC_STATIC, "TLS_RSA_WITH");
        let mut every = [TLS13, &all()].concat();
        let n_every = every.len();
        every.sort_unstable();
        every.dedup();
        assert_eq!(every.len(), n_every, "a suite is in two groups");
        for suite in all() {
            let name = name(suite);
            let modern = ["GCM", "CCM", "CHACHA20", "SHA256", "SHA384"].iter().any(|part| name.contains(part));
            assert_eq!(needs_tls12(suite), modern, "{name}");
        }
    }
}
