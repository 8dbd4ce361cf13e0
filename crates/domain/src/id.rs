//! Typed ids. An id is derived from the natural key of what it names, so a replay makes the same ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32: no I, L, O, U, so an id can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 128 bits in base 32.
const ENCODED_LEN: usize = 26;

/// Hashes the parts of a natural key, each separated by a byte that is in no UTF-8 text.
#[must_use]
pub fn hash128(parts: &[&str]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0xff]);
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(bytes)
}

fn encode(prefix: &str, mut value: u128) -> String {
    let mut digits = [0_u8; ENCODED_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    let mut text = String::with_capacity(prefix.len() + 1 + ENCODED_LEN);
    text.push_str(prefix);
    text.push('_');
    text.extend(digits.iter().map(|&byte| byte as char));
    text
}

fn decode(prefix: &str, text: &str) -> Option<u128> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.len() != ENCODED_LEN {
        return None;
    }
    let mut value: u128 = 0;
    for (place, byte) in digits.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&a| a == byte.to_ascii_uppercase())? as u128;
        if place == 0 && digit > 7 {
            return None; // would not fit 128 bits
        }
        value = (value << 5) | digit;
    }
    Some(value)
}

/// The text is no id of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not an id of the form {prefix}_...")]
pub struct BadId {
    pub prefix: &'static str,
    pub given: String,
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u128);

        impl $name {
            /// What the printed id begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of the thing with this natural key.
            #[must_use]
            pub fn of(parts: &[&str]) -> Self {
                Self(hash128(parts))
            }

            /// The 16 bytes of the id, big endian, as the store keeps it.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// Reads what [`Self::to_bytes`] wrote.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                <[u8; 16]>::try_from(bytes).ok().map(|b| Self(u128::from_be_bytes(b)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($prefix, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                decode($prefix, text)
                    .map(Self)
                    .ok_or_else(|| BadId { prefix: $prefix, given: text.chars().take(40).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_u128(self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
                } else {
                    u128::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

typed_id!(
    /// A node of the risk graph; derived from its kind and natural key.
    EntityId, "ent");
typed_id!(
    /// An edge of the risk graph; derived from its kind and both ends.
    RelationId, "rel");
typed_id!(
    /// A vendor; derived from its first domain (or its name when it has none) at the moment it was added.
    VendorId, "ven");
typed_id!(
    /// A partner integration; derived from its short name.
    IntegrationId, "itg");
typed_id!(
    /// A signal; derived from the detector, the subject and the event that made it.
    SignalId, "sig");
typed_id!(
    /// An alert; derived from the signal that opened it.
    AlertId, "alr");
typed_id!(
    /// A silence; random, made outside this crate.
    SilenceId, "sil");
typed_id!(
    /// A case; random, made outside this crate.
    CaseId, "cas");
typed_id!(
    /// A finding; derived from the check, the vendor and the asset.
    FindingId, "fnd");
typed_id!(
    /// A playbook; derived from its name.
    PlaybookId, "pbk");
typed_id!(
    /// A run of a playbook; derived from the playbook and the alert, and for runs started by people from who and when.
    RunId, "run");
typed_id!(
    /// A wait of a run for people; derived from the run and the step.
    ApprovalId, "apv");
typed_id!(
    /// An access token; random, made outside this crate.
    TokenId, "tok");
typed_id!(
    /// A report; derived from its kind, vendor, period and instant, and its schedule when one made it.
    ReportId, "rep");
typed_id!(
    /// A schedule of reports; random, made outside this crate.
    ReportScheduleId, "rsc");
typed_id!(
    /// A link that opens a report; random, made outside this crate, and no secret.
    ReportShareId, "rsh");
typed_id!(
    /// A channel alerts are delivered to; random, made outside this crate.
    ChannelId, "chn");
typed_id!(
    /// A message to a channel; derived from the channel and what it tells.
    DeliveryId, "dlv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_back() {
        let id = EntityId::of(&["USER", "mia.holm"]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(EntityId::from_bytes(&id.to_bytes()), Some(id));
        assert!(id.to_string().starts_with("ent_"));
        assert!("ven_0".parse::<VendorId>().is_err());
        assert!(id.to_string().parse::<VendorId>().is_err());
        assert!(format!("ent_{}", "Z".repeat(26)).parse::<EntityId>().is_err());
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash128(&["ab", "c"]), hash128(&["a", "bc"]));
    }
}
