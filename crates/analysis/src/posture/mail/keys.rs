//! Keys mail is signed with (DKIM, RFC 6376), where their names are known.

use serde_json::json;

use super::{Role, role, txt};
use crate::posture::check::{Case, Judged, Skip, Verdict, unknown};
use crate::posture::dns::signing::base64;

/// Longest record that is read, in bytes; an RSA key of 8,192 bits needs a quarter of it.
const RECORD_MAX_BYTES: usize = 8_192;

/// What stands under one selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// RSA of this many bits.
    Rsa(u32),
    Ed25519,
    /// An empty key: mail signed with it is to be refused (RFC 6376 3.6.1).
    Revoked,
    Broken(&'static str),
}

/// Reads a key record; `None` for a text that is none.
fn read(text: &str) -> Option<Key> {
    if text.len() > RECORD_MAX_BYTES {
        return None;
    }
    let mut tags =
        text.split(';').filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
    let mut kind = "rsa";
    let mut key = None;
    for (place, (name, value)) in tags.by_ref().enumerate() {
        match name {
            "v" if value != "DKIM1" || place > 0 => return None,
            "k" => kind = value,
            "p" => key = Some(value.split_whitespace().collect::<String>()),
            _ => {}
        }
    }
    let key = key?;
    if key.is_empty() {
        return Some(Key::Revoked);
    }
    let Some(bytes) = base64(&key) else { return Some(Key::Broken("the key is no base64")) };
    Some(match kind {
        "rsa" => modulus_bits(&bytes).map_or(Key::Broken("the key is no RSA key"), Key::Rsa),
        "ed25519" if bytes.len() == 32 => Key::Ed25519,
        "ed25519" => Key::Broken("the key is no Ed25519 key"),
        _ => Key::Broken("an unknown kind of key"),
    })
}

/// Size of the modulus of a SubjectPublicKeyInfo, or of a bare RSAPublicKey as some publish.
fn modulus_bits(der: &[u8]) -> Option<u32> {
    let (_, outer) = element(der, 0x30)?;
    let inner = match element(outer, 0x30) {
        Some((after, _)) => {
            let (_, bits) = element(after, 0x03)?;
            // The first byte counts unused bits.
            element(bits.get(1..)?, 0x30)?.1
        }
        None => outer,
    };
    let (_, modulus) = element(inner, 0x02)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let top = modulus.get(zeros)?;
    u32::try_from((modulus.len() - zeros) * 8).ok().map(|bits| bits - top.leading_zeros())
}

/// One DER element of this tag: what follows it, and its content.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    (length <= rest.len()).then(|| (&rest[length..], &rest[..length]))
}

/// MAIL-15: keys under widespread selectors are long enough. Selectors cannot be listed, so none found says nothing.
pub(in crate::posture) fn dkim(case: &Case<'_>) -> Judged {
    if role(case)? == Role::Parked {
        return Err(Skip::NotApplicable);
    }
    let suffix = format!("._domainkey.{}", case.domain());
    let (mut found, mut weakest, mut broken) = (Vec::new(), u32::MAX, false);
    for lookup in case.seen.dns.lookups.iter().filter(|lookup| lookup.kind.as_str() == "TXT") {
        let Some(selector) = lookup.name.strip_suffix(suffix.as_str()) else { continue };
        let Ok(records) = case.records(&lookup.name, "TXT") else { continue };
        for key in records.iter().filter_map(|record| read(&txt(record))) {
            found.push(match key {
                Key::Rsa(bits) => {
                    weakest = weakest.min(bits);
                    json!({ "selector": selector, "rsa_bits": bits })
                }
                Key::Ed25519 => json!({ "selector": selector, "key": "ed25519" }),
                Key::Revoked => json!({ "selector": selector, "key": "revoked" }),
                Key::Broken(why) => {
                    broken = true;
                    json!({ "selector": selector, "broken": why })
                }
            });
        }
    }
    if found.is_empty() {
        return unknown("no key stands under the selectors that are known");
    }
    let evidence = json!({ "keys": found });
    let rules = &case.config.mail;
    Ok(if broken || weakest < rules.dkim_bits_fail {
        Verdict::fail(evidence)
    } else if weakest < rules.dkim_bits_warn {
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
        let rsa_512 = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALqbHeRLCyOdykC5SDLqI49ArYGYG1mqaH9/GnWjGavZM02fos4lc2w6tCchcUBNtJvGqKwhC5JEnx3RYoSX2ucCAwEAAQ==";
        let check = |text: &str, want: Option<Key>| assert_eq!(read(text), want, "{text}");
        check(&format!("v=DKIM1; k=rsa; p={rsa_512}"), Some(Key::Rsa(512)));
        check(&format!("p={rsa_512}; t=s"), Some(Key::Rsa(512)));
        check("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Some(Key::Ed25519));
        check("v=DKIM1; p=", Some(Key::Revoked));
        check("v=DKIM1; p=AAAA", Some(Key::Broken("the key is no RSA key")));
        check("v=DKIM1; k=ed25519; p=AAAA", Some(Key::Broken("the key is no Ed25519 key")));
        check("v=DKIM1; p=!", Some(Key::Broken("the key is no base64")));
        check("v=DKIM2; p=AAAA", None);
        check("v=spf1 -all", None);
        check("v=DKIM1; k=rsa", None);
    }
}
