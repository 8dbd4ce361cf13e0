//! What an SPF record costs and allows, followed through includes and redirects over recorded lookups.
//!
//! This is the worst case over all senders, not the evaluation of one: every mechanism before `all` counts. It does not
//! judge; `spf.rs` does.

use std::collections::BTreeSet;

use riskgraph_domain::observation::{DnsAnswer, DnsFacts};

use super::record::{self, Mechanism, Qualifier, Record};
use crate::posture::check::describe;
use crate::posture::mail::mx_records;
use crate::posture::names::bare;

/// Lookups counted, at most; ten times what the RFC allows is broken enough.
const LOOKUPS_MAX: usize = 100;
/// RFC 7208 4.6.4: an `mx` with more hosts is an error.
const MX_HOSTS_MAX: usize = 10;

/// What makes a record a `permerror`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpfError {
    #[error("{domain}: {error}")]
    Syntax { domain: String, error: record::SyntaxError },
    #[error("{0} has several SPF records")]
    Multiple(String),
    /// An included or redirected name without a record.
    #[error("{0} has no SPF record")]
    Missing(String),
    #[error("{0} is included or redirected to in a loop")]
    Loop(String),
    #[error("mx of {0} has more than 10 hosts")]
    TooManyMx(String),
}

/// A network that may send, and how large it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) text: String,
    pub(crate) prefix: u8,
    pub(crate) is_v6: bool,
}

/// What following a record showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    pub(crate) lookups: usize,
    pub(crate) voids: usize,
    /// Voids that came of included names without a record; checkdmarc counts them but does not stop at them.
    pub(crate) voids_of_includes: usize,
    pub(crate) errors: Vec<SpfError>,
    /// What `all` says, through redirects; `None`: nothing does, which is neutral.
    pub(crate) all: Option<Qualifier>,
    /// Included or redirected names that do not exist.
    pub(crate) nonexistent: Vec<String>,
    /// Names that `a`, `mx` or includes name and that answer nothing.
    pub(crate) void_names: Vec<String>,
    pub(crate) uses_ptr: bool,
    pub(crate) text_after_all: bool,
    /// Networks of the domain's own record and of its redirects.
    pub(crate) networks: Vec<Network>,
    /// A lookup that failed or was not made: counts are a lower bound.
    pub(crate) untold: Option<String>,
    /// Lookup of an include or redirect failed: what it holds is not known at all.
    pub(crate) unresolved: Option<String>,
    /// Names of included and redirected records, in order.
    pub(crate) included: Vec<String>,
}

/// Follows a record of a domain.
pub(crate) fn audit(domain: &str, text: &str, dns: &DnsFacts) -> Audit {
    let mut walk = Walk { dns, audit: Audit::default(), stack: Vec::new(), reported: BTreeSet::new() };
    walk.audit.all = walk.follow(&bare(domain), text, Part::Own);
    walk.audit
}

/// Whether a record speaks for the domain itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The domain's record or one it redirects to.
    Own,
    Included,
}

struct Walk<'a> {
    dns: &'a DnsFacts,
    audit: Audit,
    stack: Vec<String>,
    reported: BTreeSet<String>,
}

impl Walk<'_> {
    /// Follows one record and gives what its `all` says.
    fn follow(&mut self, domain: &str, text: &str, part: Part) -> Option<Qualifier> {
        let record = match record::parse(text) {
            Ok(record) => record,
            Err(error) => {
                self.audit.errors.push(SpfError::Syntax { domain: domain.to_owned(), error });
                return None;
            }
        };
        self.stack.push(domain.to_owned());
        if part == Part::Own {
            self.audit.text_after_all |= record.text_after_all;
        }
        for term in record.effective() {
            if self.audit.lookups >= LOOKUPS_MAX {
                break;
            }
            self.mechanism(domain, &term.mechanism, part);
        }
        let all = self.ending(&record, part);
        self.stack.pop();
        all
    }

    fn ending(&mut self, record: &Record, part: Part) -> Option<Qualifier> {
        match (record.all(), &record.redirect) {
            (Some(all), _) => Some(all),
            (None, Some(target)) if self.audit.lookups < LOOKUPS_MAX => {
                self.audit.lookups += 1;
                self.other(target, part)
            }
            _ => None,
        }
    }

    fn mechanism(&mut self, domain: &str, mechanism: &Mechanism, part: Part) {
        match mechanism {
            Mechanism::All => {}
            Mechanism::Ip4(address, prefix) => self.network(address.to_string(), *prefix, 32, part),
            Mechanism::Ip6(address, prefix) => self.network(address.to_string(), *prefix, 128, part),
            Mechanism::Include(target) => {
                self.audit.lookups += 1;
                self.other(target, Part::Included);
            }
            Mechanism::Exists(_) => self.audit.lookups += 1,
            Mechanism::Ptr(_) => {
                self.audit.lookups += 1;
                self.audit.uses_ptr = true;
            }
            Mechanism::A { target, cidr4, cidr6 } => {
                self.audit.lookups += 1;
                let name = target.as_deref().unwrap_or(domain);
                self.network(name.to_owned(), *cidr4, 32, part);
                self.network(name.to_owned(), *cidr6, 128, part);
                self.void_unless(name, &["A", "AAAA"]);
            }
            Mechanism::Mx { target, cidr4, cidr6 } => {
                self.audit.lookups += 1;
                let name = target.as_deref().unwrap_or(domain);
                self.network(name.to_owned(), *cidr4, 32, part);
                self.network(name.to_owned(), *cidr6, 128, part);
                self.void_unless(name, &["MX"]);
                if mx_records(self.dns.records(&bare(name), "MX")).len() > MX_HOSTS_MAX {
                    self.audit.errors.push(SpfError::TooManyMx(name.to_owned()));
                }
            }
        }
    }

    /// Remembers a network that is more than one address.
    fn network(&mut self, text: String, prefix: u8, whole: u8, part: Part) {
        if part == Part::Own && prefix < whole {
            self.audit.networks.push(Network { text: format!("{text}/{prefix}"), prefix, is_v6: whole == 128 });
        }
    }

    /// Counts a void lookup when the name has none of these records; names with macros depend on the sender.
    fn void_unless(&mut self, name: &str, kinds: &[&str]) {
        if name.contains('%') {
            return;
        }
        let name = bare(name);
        let mut empty = 0;
        for kind in kinds {
            match self.dns.answer(&name, kind) {
                Some(DnsAnswer::Records(records)) if !records.is_empty() => return,
                Some(DnsAnswer::Records(_) | DnsAnswer::NoData | DnsAnswer::NxDomain) => empty += 1,
                Some(DnsAnswer::Failed(failure)) => {
                    self.audit.untold = Some(format!("{kind} of {name}: {}", describe(failure)));
                }
                None => self.audit.untold = Some(format!("{kind} of {name} was not asked")),
            }
        }
        // A name without one kind that was not asked for the other may still answer; one that does not exist cannot.
        let nonexistent = kinds.iter().any(|kind| self.dns.answer(&name, kind) == Some(&DnsAnswer::NxDomain));
        if empty == kinds.len() || nonexistent {
            self.audit.voids += 1;
            self.remember_void(&name);
        }
    }

    fn remember_void(&mut self, name: &str) {
        if self.reported.insert(name.to_owned()) {
            self.audit.void_names.push(name.to_owned());
        }
    }

    /// Follows an include or redirect.
    fn other(&mut self, target: &str, part: Part) -> Option<Qualifier> {
        if target.contains('%') {
            return None;
        }
        let name = bare(target);
        if self.stack.contains(&name) {
            self.audit.errors.push(SpfError::Loop(name));
            return None;
        }
        self.audit.included.push(name.clone());
        let records = match self.dns.answer(&name, "TXT") {
            Some(DnsAnswer::Records(records)) => record::find(records.iter()),
            Some(DnsAnswer::NoData | DnsAnswer::NxDomain) => {
                self.audit.voids += 1;
                self.audit.voids_of_includes += 1;
                self.remember_void(&name);
                if self.dns.answer(&name, "TXT") == Some(&DnsAnswer::NxDomain) {
                    self.audit.nonexistent.push(name.clone());
                }
                Vec::new()
            }
            Some(DnsAnswer::Failed(failure)) => {
                self.audit.unresolved = Some(format!("TXT of {name}: {}", describe(failure)));
                return None;
            }
            None => {
                self.audit.unresolved = Some(format!("TXT of {name} was not asked"));
                return None;
            }
        };
        match records.as_slice() {
            [] => {
                self.audit.errors.push(SpfError::Missing(name));
                None
            }
            [one] => self.follow(&name, one, part),
            _ => {
                self.audit.errors.push(SpfError::Multiple(name));
                None
            }
        }
    }
}
