//! Which names were certified, from the operator's list: crt.sh's JSON (an array, or one object a line).
//!
//! Fields read: `name_value` (names, one a line), `common_name`, `not_before`, `issuer_name`. Knows no lookalike.

use std::collections::BTreeMap;

use riskgraph_domain::lookalike::LookalikeCertificate;
use riskgraph_domain::{Text, Timestamp};
use serde::Deserialize;

/// Certificates read of one list.
const ENTRIES_MAX: usize = 5_000_000;

/// The newest certificate of each name, and of the registrable domain above it.
#[derive(Debug, Clone, Default)]
pub struct CertificateIndex {
    newest: BTreeMap<String, LookalikeCertificate>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name_value: String,
    #[serde(default)]
    common_name: Option<String>,
    not_before: String,
    #[serde(default)]
    issuer_name: String,
}

impl CertificateIndex {
    /// Reads a list; entries that cannot be read are counted, not fatal.
    #[must_use]
    pub fn parse(text: &str) -> (Self, usize) {
        let mut index = Self::default();
        let mut n_bad = 0;
        let mut take = |entry: Option<Entry>| match entry.and_then(|entry| Some((moment(&entry.not_before)?, entry))) {
            Some((not_before, entry)) => index.add(&entry, not_before),
            None => n_bad += 1,
        };
        if text.trim_start().starts_with('[') {
            match serde_json::from_str::<Vec<serde_json::Value>>(text) {
                Ok(entries) => {
                    for entry in entries.into_iter().take(ENTRIES_MAX) {
                        take(serde_json::from_value(entry).ok());
                    }
                }
                Err(_) => take(None),
            }
        } else {
            for line in text.lines().filter(|line| !line.trim().is_empty()).take(ENTRIES_MAX) {
                take(serde_json::from_str(line).ok());
            }
        }
        (index, n_bad)
    }

    /// The newest certificate for this name or any below its registrable domain.
    #[must_use]
    pub fn newest(&self, domain: &str) -> Option<&LookalikeCertificate> {
        self.newest.get(domain)
    }

    fn add(&mut self, entry: &Entry, not_before: Timestamp) {
        let issuer = Text::from(entry.issuer_name.chars().take(200).collect::<String>());
        let names = entry.name_value.lines().chain(entry.common_name.as_deref());
        for name in names {
            let name = name.trim().trim_start_matches("*.").to_ascii_lowercase();
            let registrable = psl::domain_str(&name).map(str::to_owned);
            for key in [Some(name), registrable].into_iter().flatten().filter(|key| key.contains('.')) {
                let certificate = LookalikeCertificate { not_before, issuer: issuer.clone() };
                let newest = self.newest.entry(key).or_insert_with(|| certificate.clone());
                if newest.not_before < not_before {
                    *newest = certificate;
                }
            }
        }
    }
}

/// `2026-01-31T10:00:00`, with or without a zone; UTC when it has none.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let zoned = chrono::DateTime::parse_from_rfc3339(text).map(|moment| moment.timestamp_millis());
    let plain = || {
        let parsed = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(parsed.and_utc().timestamp_millis())
    };
    zoned.ok().or_else(plain).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_of_certificates() {
        let old = r#"{"issuer_name":"CN=R1","common_name":"examp1e.com","name_value":"examp1e.com\n*.examp1e.com","not_before":"2026-01-01T00:00:00"}"#;
        let new = r#"{"issuer_name":"CN=R2","name_value":"login.examp1e.com","not_before":"2026-02-01T00:00:00Z"}"#;
        let check = |text: &str, name: &str, want: Option<&str>, n_bad: usize| {
            let (index, bad) = CertificateIndex::parse(text);
            assert_eq!((index.newest(name).map(|found| found.issuer.as_str()), bad), (want, n_bad), "{text}");
        };
        check(&format!("[{old},{new}]"), "examp1e.com", Some("CN=R2"), 0);
        check(&format!("{new}\n\n{old}\nnoise\n"), "examp1e.com", Some("CN=R2"), 1);
        check(old, "www.examp1e.com", None, 0);
        check(new, "login.examp1e.com", Some("CN=R2"), 0);
        check("[", "examp1e.com", None, 1);
        check(r#"{"name_value":"a.com","not_before":"yesterday"}"#, "a.com", None, 1);
        check("", "a.com", None, 0);
    }
}
