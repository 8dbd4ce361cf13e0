//! The state of one SPF record as checkdmarc keeps it: counts, warnings, limits, RFC 6652's modifiers.

use std::collections::BTreeMap;

use super::spf_syntax::REPORTING;

/// RFC 7208 4.6.4.
const LOOKUPS_MAX: usize = 10;
const VOIDS_MAX: usize = 2;

/// What kind of error ended an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lookups(usize),
    Voids(usize),
    Other,
}

/// An error, and what was noticed before it.
#[derive(Debug, Clone)]
pub(super) struct Fatal {
    pub(super) message: String,
    pub(super) kind: Kind,
    pub(super) warnings: Vec<String>,
}

impl Fatal {
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Other, warnings: Vec::new() }
    }

    /// The same error with warnings that came before its own.
    pub(super) fn after(mut self, mut warnings: Vec<String>) -> Self {
        warnings.append(&mut self.warnings);
        self.warnings = warnings;
        self
    }
}

/// A record that was followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Parsed {
    pub(super) lookups: usize,
    pub(super) voids: usize,
    pub(super) warnings: Vec<String>,
    /// A limit that was passed; only the domain's own record goes on after it.
    pub(super) error: Option<String>,
    pub(super) all: &'static str,
}

/// The state of one record.
pub(super) struct Record<'d> {
    pub(super) domain: &'d str,
    pub(super) parsed: Parsed,
    pub(super) has_all: bool,
    pub(super) redirected: bool,
    pub(super) explained: bool,
    pub(super) reporting: BTreeMap<&'static str, ()>,
}

impl Record<'_> {
    pub(super) fn count(&mut self, lookups: usize) -> Result<(), Fatal> {
        self.parsed.lookups += lookups;
        if self.parsed.lookups <= LOOKUPS_MAX {
            return Ok(());
        }
        let count = self.parsed.lookups;
        Err(Fatal {
            message: format!("Parsing the SPF record requires {count}/10 maximum DNS lookups (RFC 7208 § 4.6.4)"),
            kind: Kind::Lookups(count),
            warnings: Vec::new(),
        })
    }

    pub(super) fn count_void(&mut self, voids: usize) -> Result<(), Fatal> {
        self.parsed.voids += voids;
        if voids == 0 || self.parsed.voids <= VOIDS_MAX {
            return Ok(());
        }
        let count = self.parsed.voids;
        Err(Fatal {
            message: format!("Parsing the SPF record has {count}/2 maximum void DNS lookups (RFC 7208 § 4.6.4)"),
            kind: Kind::Voids(count),
            warnings: Vec::new(),
        })
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.parsed.warnings.push(text.into());
    }

    /// Whether checkdmarc takes the value of a modifier of RFC 6652.
    pub(super) fn reporting(&mut self, name: &str, value: &str) {
        let Some(name) = REPORTING.into_iter().find(|known| *known == name) else { return };
        if let Some(error) = reporting_error(name, value) {
            self.warn(error);
        } else if self.reporting.insert(name, ()).is_some() {
            self.warn(format!("The {name} modifier appeared more than once; only the first value is kept."));
        }
    }
}

/// What is wrong with a value of RFC 6652's modifiers.
fn reporting_error(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(format!("The {name} modifier is missing a value; it was ignored (RFC 6652 § 3)."));
    }
    match name {
        "ra" => {
            let atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
            let valid = value.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atext));
            (!valid).then(|| {
                format!(
                    "The ra modifier value {value} is not a valid local-part (RFC 5322 § 3.4.1); it was ignored (RFC \
                     6652 § 3)."
                )
            })
        }
        "rp" => {
            let short = (1..=2).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            (!short && value != "100").then(|| {
                format!(
                    "The rp modifier value {value} is not an integer from 0 to 100 (RFC 6652 § 3, erratum 6579); it was \
                     ignored."
                )
            })
        }
        _ => {
            let known = |token: &str| ["all", "e", "f", "s", "n"].iter().any(|t| token.eq_ignore_ascii_case(t));
            (!value.split(':').all(known)).then(|| {
                format!(
                    "The rr modifier value {value} is not a colon-separated list of the tokens all, e, f, s, n (RFC 6652 \
                     § 3); it was ignored."
                )
            })
        }
    }
}
