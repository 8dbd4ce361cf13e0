//! What a receiver makes of one sender (RFC 7208 4): `check_host()` over answers that are given.
//!
//! The walk in `audit.rs` counts the worst case of a record; this is the result for one address. It asks nothing itself.

use std::net::IpAddr;

use riskgraph_domain::observation::DnsAnswer;

use super::expand::{self, Macros, Place};
use super::record::{self, Mechanism, Qualifier, Record};
use crate::posture::mail::{mx_records, txt};
use crate::posture::names::bare;

/// RFC 7208 4.6.4.
const LOOKUPS_MAX: usize = 10;
const VOIDS_MAX: usize = 2;
const HOSTS_MAX: usize = 10;

/// The result of an evaluation (RFC 7208 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpfResult {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl SpfResult {
    /// The word of RFC 7208.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Who sends.
#[derive(Debug, Clone)]
pub(crate) struct Sender<'a> {
    pub(crate) ip: IpAddr,
    pub(crate) helo: &'a str,
    /// The reverse path; empty for a bounce.
    pub(crate) mail_from: &'a str,
}

/// Answers the question (name in lower case without final dot, record type).
pub(crate) type Ask<'a> = &'a dyn Fn(&str, &str) -> DnsAnswer;

/// Evaluates the sender's domain; the second value is the owner's explanation of a `fail`, when there is one.
#[must_use]
pub(crate) fn spf_evaluate(sender: &Sender<'_>, ask: Ask<'_>) -> (SpfResult, Option<String>) {
    let bounce = format!("postmaster@{}", sender.helo);
    let from = if sender.mail_from.is_empty() { &bounce } else { sender.mail_from };
    let (local, domain) = from.rsplit_once('@').unwrap_or(("", from));
    let full = format!("{}@{domain}", if local.is_empty() { "postmaster" } else { local });
    // RFC 7208 5: an IPv4 address in IPv6 clothes is an IPv4 address.
    let sender = &Sender { ip: sender.ip.to_canonical(), ..sender.clone() };
    let mut run = Run { sender, from: &full, ask, lookups: 0, voids: 0 };
    match run.check(&bare(domain)) {
        Ok(result) => (result, None),
        Err(Stop::Fail(explanation)) => (SpfResult::Fail, explanation),
        Err(Stop::Result(result)) => (result, None),
    }
}

/// What ends an evaluation.
enum Stop {
    Result(SpfResult),
    /// A `fail` and the domain's explanation.
    Fail(Option<String>),
}

const PERM: Stop = Stop::Result(SpfResult::PermError);
const TEMP: Stop = Stop::Result(SpfResult::TempError);

/// One evaluation over all its records.
struct Run<'a> {
    sender: &'a Sender<'a>,
    from: &'a str,
    ask: Ask<'a>,
    lookups: usize,
    voids: usize,
}

impl Run<'_> {
    /// `check_host()` for one domain. A `fail` is an error here, for it ends the evaluation with an explanation.
    fn check(&mut self, domain: &str) -> Result<SpfResult, Stop> {
        if !is_domain(domain) || !domain.contains('.') {
            return Ok(SpfResult::None);
        }
        let texts = match (self.ask)(domain, "TXT") {
            DnsAnswer::Records(records) => records,
            DnsAnswer::NoData | DnsAnswer::NxDomain => return Ok(SpfResult::None),
            DnsAnswer::Failed(_) => return Err(TEMP),
        };
        let record = match record::find(texts.iter()).as_slice() {
            [] => return Ok(SpfResult::None),
            [one] => record::parse(one).map_err(|_| PERM)?,
            _ => return Err(PERM),
        };
        for term in &record.terms {
            if self.matches(domain, &term.mechanism)? {
                return match term.qualifier {
                    Qualifier::Pass => Ok(SpfResult::Pass),
                    Qualifier::Neutral => Ok(SpfResult::Neutral),
                    Qualifier::SoftFail => Ok(SpfResult::SoftFail),
                    Qualifier::Fail => Err(Stop::Fail(self.explanation(domain, &record))),
                };
            }
        }
        let Some(redirect) = &record.redirect else { return Ok(SpfResult::Neutral) };
        self.count()?;
        let target = self.name(domain, redirect).ok_or(PERM)?;
        match self.check(&target)? {
            SpfResult::None => Err(PERM),
            result => Ok(result),
        }
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS_MAX { Err(PERM) } else { Ok(()) }
    }

    /// Asks for a term; a void answer is counted.
    fn counted(&mut self, name: &str, kind: &str) -> Result<Vec<String>, Stop> {
        match (self.ask)(name, kind) {
            DnsAnswer::Records(records) => Ok(records),
            DnsAnswer::Failed(_) => Err(TEMP),
            DnsAnswer::NoData | DnsAnswer::NxDomain => {
                self.voids += 1;
                if self.voids > VOIDS_MAX { Err(PERM) } else { Ok(Vec::new()) }
            }
        }
    }

    fn matches(&mut self, domain: &str, mechanism: &Mechanism) -> Result<bool, Stop> {
        let ip = self.sender.ip;
        match mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip4(network, length) => return Ok(within(ip, (*network).into(), *length)),
            Mechanism::Ip6(network, length) => return Ok(within(ip, (*network).into(), *length)),
            _ => self.count()?,
        }
        let target = match mechanism {
            Mechanism::Include(target) | Mechanism::Exists(target) => Some(target),
            Mechanism::A { target, .. } | Mechanism::Mx { target, .. } | Mechanism::Ptr(target) => target.as_ref(),
            _ => None,
        };
        let name = match target {
            Some(target) => self.name(domain, target),
            None => Some(domain.to_owned()),
        };
        let Some(name) = name else {
            // A name that cannot be is a broken include, and matches nothing elsewhere (RFC 7208 4.8).
            return if matches!(mechanism, Mechanism::Include(_)) { Err(PERM) } else { Ok(false) };
        };
        match mechanism {
            Mechanism::Include(_) => self.include(&name),
            Mechanism::Exists(_) => Ok(!self.counted(&name, "A")?.is_empty()),
            Mechanism::A { cidr4, cidr6, .. } => {
                let addresses = self.counted(&name, self.kind())?;
                Ok(self.any(&addresses, (*cidr4, *cidr6)))
            }
            Mechanism::Mx { cidr4, cidr6, .. } => {
                let hosts = mx_records(&self.counted(&name, "MX")?);
                if hosts.len() > HOSTS_MAX {
                    return Err(PERM);
                }
                for mx in hosts.iter().filter(|mx| !mx.host.is_empty()) {
                    match (self.ask)(&mx.host, self.kind()) {
                        DnsAnswer::Records(addresses) if self.any(&addresses, (*cidr4, *cidr6)) => return Ok(true),
                        DnsAnswer::Failed(_) => return Err(TEMP),
                        _ => {}
                    }
                }
                Ok(false)
            }
            Mechanism::Ptr(_) => {
                let below = format!(".{name}");
                Ok(self.validated().iter().any(|host| *host == name || host.ends_with(&below)))
            }
            _ => Ok(false),
        }
    }

    fn include(&mut self, name: &str) -> Result<bool, Stop> {
        match self.check(name) {
            Ok(SpfResult::Pass) => Ok(true),
            Ok(SpfResult::None | SpfResult::PermError) => Err(PERM),
            Ok(_) | Err(Stop::Fail(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// Addresses of the sender's kind.
    fn kind(&self) -> &'static str {
        if self.sender.ip.is_ipv4() { "A" } else { "AAAA" }
    }

    fn any(&self, addresses: &[String], (four, six): (u8, u8)) -> bool {
        let length = if self.sender.ip.is_ipv4() { four } else { six };
        addresses.iter().filter_map(|text| text.parse().ok()).any(|address| within(self.sender.ip, address, length))
    }

    /// Names of the sender's address whose own addresses hold it (RFC 7208 5.5).
    fn validated(&self) -> Vec<String> {
        let DnsAnswer::Records(names) = (self.ask)(&expand::reverse(self.sender.ip), "PTR") else { return Vec::new() };
        let names = names.iter().take(HOSTS_MAX).map(|name| bare(name));
        names
            .filter(|name| match (self.ask)(name, self.kind()) {
                DnsAnswer::Records(addresses) => {
                    addresses.iter().any(|address| address.parse::<IpAddr>() == Ok(self.sender.ip))
                }
                _ => false,
            })
            .collect()
    }

    /// The host that `%{p}` stands for: the domain itself, one below it, or any.
    fn host(&self, domain: &str) -> String {
        let names = self.validated();
        let below = format!(".{domain}");
        let chosen = names
            .iter()
            .find(|name| *name == domain)
            .or_else(|| names.iter().find(|name| name.ends_with(&below)))
            .or(names.first());
        chosen.map_or("unknown", String::as_str).to_owned()
    }

    fn expanded(&self, domain: &str, text: &str, place: Place) -> Option<String> {
        let host = if expand::needs_validated(text) { self.host(domain) } else { String::new() };
        let macros = Macros {
            ip: self.sender.ip,
            sender: self.from,
            helo: self.sender.helo,
            domain,
            validated: &host,
            receiver: "unknown",
        };
        match place {
            Place::Name => expand::name(text, &macros).filter(|name| is_domain(name)),
            Place::Explanation => expand::expand(text, &macros, place),
        }
    }

    fn name(&self, domain: &str, spec: &str) -> Option<String> {
        self.expanded(domain, spec, Place::Name)
    }

    /// The text the owner gives to refused senders; whatever is wrong with it, there is none (RFC 7208 6.2).
    fn explanation(&self, domain: &str, record: &Record) -> Option<String> {
        let name = self.name(domain, record.exp.as_ref()?)?;
        let DnsAnswer::Records(texts) = (self.ask)(&name, "TXT") else { return None };
        let [text] = texts.as_slice() else { return None };
        let text = txt(text);
        text.is_ascii().then(|| self.expanded(domain, &text, Place::Explanation)).flatten()
    }
}

/// Whether a name can be asked for.
fn is_domain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

fn within(ip: IpAddr, network: IpAddr, length: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let shift = 32 - u32::from(length.min(32));
            u32::from(ip).checked_shr(shift) == u32::from(network).checked_shr(shift)
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let shift = 128 - u32::from(length.min(128));
            u128::from(ip).checked_shr(shift) == u128::from(network).checked_shr(shift)
        }
        _ => false,
    }
}
