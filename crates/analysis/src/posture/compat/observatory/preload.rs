//! The list of hosts that browsers reach by https alone, as the operator supplies it. It must *not* know any test.
//!
//! Two forms are read: Chromium's `transport_security_state_static.json` (`entries` of `name`, `mode`,
//! `include_subdomains`; comment lines are skipped) and the map that Observatory keeps (`host` to `mode`,
//! `includeSubDomains`). Nothing is built in: the list has 150,000 names and changes weekly.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Longest file read; the list has some 15 MiB.
const BYTES_MAX: usize = 64 << 20;

/// Why a file is no preload list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPreloadList {
    #[error("it has {0} bytes; at most {BYTES_MAX} are read")]
    TooLarge(usize),
    #[error("it is neither Chromium's nor Observatory's form: {0}")]
    Unreadable(String),
}

/// Hosts that browsers reach by https alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreloadList {
    /// Whether subdomains are meant too, by host.
    hosts: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct Chromium {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    include_subdomains: bool,
}

#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    mode: Option<String>,
    #[serde(default, rename = "includeSubDomains")]
    include_subdomains: bool,
}

impl PreloadList {
    /// Reads a list.
    ///
    /// # Errors
    /// When it is too large or in no known form.
    pub fn read(text: &str) -> Result<Self, BadPreloadList> {
        if text.len() > BYTES_MAX {
            return Err(BadPreloadList::TooLarge(text.len()));
        }
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let hosts = match serde_json::from_str::<Chromium>(&text) {
            Ok(list) => list
                .entries
                .into_iter()
                .filter(|entry| entry.mode == "force-https")
                .map(|entry| (entry.name.to_ascii_lowercase(), entry.include_subdomains))
                .collect(),
            Err(_) => serde_json::from_str::<BTreeMap<String, Kept>>(&text)
                .map_err(|error| BadPreloadList::Unreadable(error.to_string()))?
                .into_iter()
                .filter(|(_, kept)| kept.mode.as_deref() == Some("force-https"))
                .map(|(host, kept)| (host.to_ascii_lowercase(), kept.include_subdomains))
                .collect(),
        };
        Ok(Self { hosts })
    }

    /// Whether a host is on the list, itself or by a parent that means its subdomains.
    #[must_use]
    pub fn holds(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        if self.hosts.contains_key(&host) {
            return true;
        }
        let mut parent = host.as_str();
        while let Some((_, rest)) = parent.split_once('.') {
            if self.hosts.get(rest) == Some(&true) {
                return true;
            }
            parent = rest;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let chromium = "{ // a comment on the first line is none\n";
        assert!(matches!(PreloadList::read(chromium), Err(BadPreloadList::Unreadable(_))));
        let texts = [
            "// comment\n{\"entries\":[\n// another\n{\"name\":\"a.example\",\"mode\":\"force-https\",\"include_subdomains\":true},
             {\"name\":\"b.example\",\"mode\":\"force-https\"},{\"name\":\"pin.example\",\"include_subdomains\":true}]}",
            "{\"a.example\":{\"mode\":\"force-https\",\"includeSubDomains\":true},
              \"b.example\":{\"mode\":\"force-https\"},\"pin.example\":{\"includeSubDomains\":true}}",
        ];
        for text in texts {
            let list = PreloadList::read(text).expect("a list");
            let check = |host: &str, want: bool| assert_eq!(list.holds(host), want, "{host}");
            check("a.example", true);
            check("x.y.A.example", true);
            check("b.example", true);
            check("x.b.example", false);
            check("pin.example", false);
            check("example", false);
        }
    }
}
