//! Keys, digests and signatures: DNSSEC01, 04, 05, 07 to 09, 14.

use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};

use super::Tags;
use crate::posture::dns::signing::{ds, keys};

/// DNSSEC04: a signature should live half a day longer, and none half a year.
const LEFT_MIN_MS: i64 = 12 * HOUR_MS;
const LIFE_MAX_MS: i64 = 180 * DAY_MS;
/// DNSSEC14: RSA sizes in bits; below the first the algorithm does not allow it, below the second it is advised against.
const RSA_BITS_MIN: u32 = 512;
const RSA_BITS_ADVISED: u32 = 2_048;

pub(super) fn tags(tags: &mut Tags, seen: &DomainObservations) {
    let asked = |kind: &str| seen.dns.answer(&seen.domain, kind).is_some();
    if !asked("DNSKEY") || !asked("DS") {
        return;
    }
    let keys = keys(seen.dns.records(&seen.domain, "DNSKEY"));
    let ds = ds(seen.dns.records(&seen.domain, "DS"));
    match (keys.is_empty(), ds.is_empty()) {
        (true, true) => tags.add("NEITHER_DNSKEY_NOR_DS"),
        (false, true) => tags.add("DNSKEY_BUT_NOT_DS"),
        (true, false) => tags.add("DS_BUT_NOT_DNSKEY"),
        (false, false) => {}
    }
    for record in &ds {
        match record.digest {
            0 => tags.add("DS01_DS_ALGO_NOT_DS"),
            1 => tags.add("DS01_DS_ALGO_DEPRECATED"),
            3 => tags.add("DS01_DS_ALGO_DEPRECATED"),
            _ => {}
        }
    }
    if !ds.is_empty() && !ds.iter().any(|record| record.digest == 2) {
        tags.add("DS01_DS_ALGO_2_MISSING");
    }
    let (mut small, mut sized) = (false, false);
    for key in &keys {
        tags.add(match key.algorithm {
            1 | 3 | 5 | 6 | 7 | 12 => "ALGORITHM_DEPRECATED",
            10 => "ALGORITHM_NOT_RECOMMENDED",
            8 | 13 | 14 | 15 | 16 => "ALGORITHM_OK",
            2 | 252 => "ALGORITHM_NOT_ZONE_SIGN",
            253 | 254 => "ALGORITHM_PRIVATE",
            4 | 9 | 11 | 123..=251 | 255 | 0 => "ALGORITHM_RESERVED",
            _ => "ALGORITHM_UNASSIGNED",
        });
        if let Some(bits) = key.rsa_bits {
            sized = true;
            if bits < if key.algorithm == 10 { 1_024 } else { RSA_BITS_MIN } {
                tags.add("DNSKEY_TOO_SMALL_FOR_ALGO");
                small = true;
            }
            if bits < RSA_BITS_ADVISED {
                tags.add("DNSKEY_SMALLER_THAN_REC");
                small = true;
            }
        }
    }
    if sized && !small {
        tags.add("KEY_SIZE_OK");
    }
    signatures(tags, seen);
}

fn signatures(tags: &mut Tags, seen: &DomainObservations) {
    let now = seen.finished_at.0;
    for signature in &seen.dns.signatures {
        let left = signature.expiration.0 - now;
        if left < 0 {
            tags.add("RRSIG_EXPIRED");
            tags.add(if signature.covered.as_str() == "SOA" {
                "DS09_SOA_RRSIG_EXPIRED"
            } else {
                "DS08_DNSKEY_RRSIG_EXPIRED"
            });
        } else if left < LEFT_MIN_MS {
            tags.add("REMAINING_SHORT");
        } else if left > LIFE_MAX_MS {
            tags.add("REMAINING_LONG");
        }
        if signature.expiration.0 - signature.inception.0 > LIFE_MAX_MS {
            tags.add("DURATION_LONG");
        }
        if signature.inception.0 > now {
            tags.add(if signature.covered.as_str() == "SOA" {
                "DS09_SOA_RRSIG_NOT_YET_VALID"
            } else {
                "DS08_DNSKEY_RRSIG_NOT_YET_VALID"
            });
        }
    }
}
