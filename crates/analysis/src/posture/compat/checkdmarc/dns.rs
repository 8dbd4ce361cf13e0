//! Answers as checkdmarc's resolver gives them, from recorded lookups.

use std::cell::Cell;

use riskgraph_domain::observation::{DnsAnswer, DnsFacts};

use crate::posture::mail::{Mx, mx_records};
use crate::posture::names::bare;

/// What checkdmarc makes of a TXT record that is no UTF-8.
const UNDECODABLE: &str = "Undecodable characters";

/// Why there are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    NoAnswer,
    NxDomain,
    /// The lookup failed or was not made.
    Untold,
}

/// The recorded lookups, and whether one that mattered is missing.
pub(super) struct Answers<'a> {
    facts: &'a DnsFacts,
    untold: Cell<bool>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(facts: &'a DnsFacts) -> Self {
        Self { facts, untold: Cell::new(false) }
    }

    /// Whether a lookup the verdict hangs on failed or was not made.
    pub(super) fn is_untold(&self) -> bool {
        self.untold.get()
    }

    /// Records of a kind; the verdict hangs on them.
    pub(super) fn query(&self, name: &str, kind: &str) -> Result<Vec<String>, Miss> {
        let answer = self.courtesy(name, kind);
        if answer == Err(Miss::Untold) {
            self.untold.set(true);
        }
        answer
    }

    /// Records of a kind that checkdmarc goes without when the lookup fails.
    pub(super) fn courtesy(&self, name: &str, kind: &str) -> Result<Vec<String>, Miss> {
        match self.facts.answer(name, kind) {
            Some(DnsAnswer::Records(records)) => Ok(records.iter().map(|record| decoded(record, kind)).collect()),
            Some(DnsAnswer::NoData) => Err(Miss::NoAnswer),
            Some(DnsAnswer::NxDomain) => Err(Miss::NxDomain),
            Some(DnsAnswer::Failed(_)) | None => Err(Miss::Untold),
        }
    }

    /// The texts at a name.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Miss> {
        self.query(name, "TXT")
    }

    /// How many addresses a name has; `NxDomain` as soon as one kind says so.
    pub(super) fn addresses(&self, name: &str) -> Result<usize, Miss> {
        let mut found = 0;
        for kind in ["A", "AAAA"] {
            match self.query(name, kind) {
                Ok(records) => found += records.len(),
                Err(Miss::NoAnswer) => {}
                Err(miss) => return Err(miss),
            }
        }
        Ok(found)
    }

    /// The mail exchangers, best first, without null MX records.
    pub(super) fn exchangers(&self, name: &str) -> Result<Vec<Mx>, Miss> {
        match self.query(name, "MX") {
            Ok(records) => Ok(mx_records(&records).into_iter().filter(|mx| !mx.host.is_empty()).collect()),
            Err(Miss::NoAnswer) => Ok(Vec::new()),
            Err(miss) => Err(miss),
        }
    }
}

fn decoded(record: &str, kind: &str) -> String {
    if kind == "TXT" {
        if record.contains(char::REPLACEMENT_CHARACTER) { UNDECODABLE.to_owned() } else { record.to_owned() }
    } else {
        record.trim_end_matches('.').to_owned()
    }
}

/// Whether a text stands for a record that could not be decoded.
pub(super) fn is_undecodable(record: &str) -> bool {
    record == UNDECODABLE
}

/// The domain mail policy is shared in, or the name itself.
pub(super) fn base(name: &str) -> String {
    let name = bare(name);
    psl::domain_str(&name).map_or_else(|| name.clone(), str::to_owned)
}

/// What checkdmarc says of a name that is not there.
pub(super) fn nonexistent(name: &str) -> String {
    format!("The domain {name} does not exist.")
}
