//! Keys and signatures of a signed zone.

use riskgraph_domain::time::DAY_MS;
use serde_json::json;

use crate::posture::check::{Case, Judged, Skip, Verdict, cut, unknown};

/// Keys read of one zone.
const KEYS_MAX: usize = 32;
/// Algorithms nobody may sign with any more (RFC 8624 3.1, RFC 9905): RSA with MD5 or SHA-1, DSA, GOST.
const DEPRECATED: [u8; 6] = [1, 3, 5, 6, 7, 12];
/// Algorithms that are not recommended: RSA with SHA-512.
const DISCOURAGED: [u8; 1] = [10];
/// RSA in its variants.
const RSA: [u8; 5] = [1, 5, 7, 8, 10];
/// Digests of DS records that are not to be used: SHA-1, GOST.
const DEPRECATED_DIGESTS: [u8; 2] = [1, 3];

/// One DNSKEY record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::posture) struct Key {
    pub(in crate::posture) flags: u16,
    pub(in crate::posture) algorithm: u8,
    /// Size of an RSA modulus.
    pub(in crate::posture) rsa_bits: Option<u32>,
}

/// One DS record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::posture) struct Ds {
    pub(in crate::posture) algorithm: u8,
    pub(in crate::posture) digest: u8,
}

/// Reads DNSKEY records in presentation form: `flags protocol algorithm key`.
pub(in crate::posture) fn keys(records: &[String]) -> Vec<Key> {
    let read = |record: &String| {
        let mut fields = record.split_whitespace();
        let flags = fields.next()?.parse().ok()?;
        let algorithm = fields.nth(1)?.parse().ok()?;
        let key: String = fields.collect();
        let rsa_bits = RSA.contains(&algorithm).then(|| rsa_bits(&base64(&key)?)).flatten();
        Some(Key { flags, algorithm, rsa_bits })
    };
    records.iter().take(KEYS_MAX).filter_map(read).collect()
}

/// Reads DS records in presentation form: `tag algorithm digest-type digest`.
pub(in crate::posture) fn ds(records: &[String]) -> Vec<Ds> {
    let number = |field: Option<&str>| field?.parse().ok();
    let read = |record: &String| {
        let mut fields = record.split_whitespace().skip(1);
        Some(Ds { algorithm: number(fields.next())?, digest: number(fields.next())? })
    };
    records.iter().take(KEYS_MAX).filter_map(read).collect()
}

/// Size of the modulus behind the exponent (RFC 3110 2).
fn rsa_bits(key: &[u8]) -> Option<u32> {
    let (&first, rest) = key.split_first()?;
    let (length, rest) = match first {
        0 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        length => (usize::from(length), rest),
    };
    let modulus = rest.get(length..)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let top = modulus.get(zeros)?;
    u32::try_from((modulus.len() - zeros) * 8).ok().map(|bits| bits - top.leading_zeros())
}

pub(in crate::posture) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=' && !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The keys of a zone that has some.
fn zone_keys(case: &Case<'_>) -> Result<Vec<Key>, Skip> {
    let keys = keys(case.records(case.domain(), "DNSKEY")?);
    if keys.is_empty() { Err(Skip::NotApplicable) } else { Ok(keys) }
}

/// DNS-17: keys and their delegation use algorithms validators still trust.
pub(in crate::posture) fn algorithms(case: &Case<'_>) -> Judged {
    let keys = zone_keys(case)?;
    let ds = ds(case.records(case.domain(), "DS").unwrap_or(&[]));
    let mut used: Vec<u8> = keys.iter().map(|key| key.algorithm).chain(ds.iter().map(|ds| ds.algorithm)).collect();
    used.sort_unstable();
    used.dedup();
    let bad: Vec<u8> = used.iter().copied().filter(|algorithm| DEPRECATED.contains(algorithm)).collect();
    let weak_digests = ds.iter().filter(|ds| DEPRECATED_DIGESTS.contains(&ds.digest)).count();
    let evidence = json!({
        "algorithms": used, "deprecated": bad, "ds_digests": ds.iter().map(|ds| ds.digest).collect::<Vec<_>>(),
    });
    let only_weak = !ds.is_empty() && weak_digests == ds.len();
    Ok(if !bad.is_empty() || only_weak {
        Verdict::fail(evidence)
    } else if weak_digests > 0 || used.iter().any(|algorithm| DISCOURAGED.contains(algorithm)) {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// DNS-18: RSA keys are long enough.
pub(in crate::posture) fn key_sizes(case: &Case<'_>) -> Judged {
    let sizes: Vec<u32> = zone_keys(case)?.iter().filter_map(|key| key.rsa_bits).collect();
    let Some(&smallest) = sizes.iter().min() else { return Err(Skip::NotApplicable) };
    let evidence = json!({ "rsa_bits": sizes });
    let rules = &case.config.dns;
    Ok(if smallest < rules.rsa_bits_fail {
        Verdict::fail(evidence)
    } else if smallest < rules.rsa_bits_warn {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// DNS-19: signatures are renewed in time.
pub(in crate::posture) fn signatures(case: &Case<'_>) -> Judged {
    zone_keys(case)?;
    let found = &case.seen.dns.signatures;
    if found.is_empty() {
        return unknown("no signature was seen");
    }
    let now = case.seen.finished_at;
    let days = |ms: i64| ms as f64 / DAY_MS as f64;
    let rules = &case.config.dns;
    let (mut expired, mut soon, mut long) = (Vec::new(), Vec::new(), Vec::new());
    for signature in found {
        let left = days(signature.expiration.0 - now.0);
        let whole = days(signature.expiration.0 - signature.inception.0);
        let shown = json!({
            "covers": signature.covered, "key_tag": signature.key_tag, "expires": signature.expiration.to_rfc3339(),
            "days_left": (left * 10.0).round() / 10.0,
        });
        if left <= 0.0 {
            expired.push(shown);
        } else if left < rules.signature_days_warn {
            soon.push(shown);
        } else if whole > rules.signature_days_max {
            long.push(shown);
        }
    }
    let evidence = json!({ "expired": expired, "soon": soon, "long": long, "seen": found.len() });
    Ok(if !expired.is_empty() {
        Verdict::fail(evidence)
    } else if soon.is_empty() && long.is_empty() {
        Verdict::pass(evidence)
    } else {
        Verdict::warn(evidence)
    })
}

/// DNS-22: the registration is not about to end, and the name is locked against transfers.
pub(in crate::posture) fn registration(case: &Case<'_>) -> Judged {
    let registration = match &case.seen.dns.registration {
        // No service to ask is configured.
        None => return Err(Skip::NotApplicable),
        Some(Err(failure)) => return unknown(crate::posture::check::describe(failure)),
        Some(Ok(registration)) => registration,
    };
    let Some(expires) = registration.expires_at else { return unknown("the registry does not tell when it ends") };
    let left = (expires.0 - case.seen.finished_at.0) as f64 / DAY_MS as f64;
    let locked = registration.statuses.iter().any(|status| {
        let plain: String = status.chars().filter(|c| c.is_ascii_alphabetic()).collect();
        matches!(plain.as_str(), "clienttransferprohibited" | "servertransferprohibited")
    });
    let evidence = json!({
        "source": cut(&registration.source), "expires": expires.to_rfc3339(), "days_left": left.floor(),
        "statuses": registration.statuses, "transfer_locked": locked,
    });
    let rules = &case.config.dns;
    Ok(if left < rules.registration_days_fail {
        Verdict::fail(evidence)
    } else if left < rules.registration_days_warn || !locked {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys() {
        // Exponent of one byte, then a modulus of 128 bytes beginning with 0x80.
        let mut bytes = vec![1, 3, 0x80];
        bytes.extend([0; 127]);
        assert_eq!(rsa_bits(&bytes), Some(1024));
        assert_eq!(rsa_bits(&[0, 0, 1, 3, 0, 0x40, 0]), Some(15));
        for broken in [&[][..], &[5, 1], &[0, 9]] {
            assert_eq!(rsa_bits(broken), None);
        }
        assert_eq!(base64("TWFu").as_deref(), Some(&b"Man"[..]));
        assert_eq!(base64("TWE="), Some(b"Ma".to_vec()));
        assert_eq!(base64("!"), None);
        let read = keys(&["257 3 13 AAAA".to_owned(), "256 3 8 AQOA".to_owned(), "odd".to_owned()]);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].flags, read[0].rsa_bits, read[1].rsa_bits), (257, None, Some(8)));
        assert_eq!(ds(&["1 8 2 AB".to_owned(), "x".to_owned()]), [Ds { algorithm: 8, digest: 2 }]);
    }
}
