//! Rules no playbook can pass: what is never touched, and how much may be hit at once.
//!
//! They are asked when a run is planned and again right before each effect. A playbook can make the caps smaller for its
//! own runs, never larger.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use riskgraph_domain::playbook::{Blast, BlastPart, Limits, Rule};
use riskgraph_domain::{EntityKey, EntityKind, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What no run may touch, whoever started or approved it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeverTouch {
    /// Addresses and networks (CIDR). A network is refused when it only overlaps one of these.
    pub networks: Vec<String>,
    /// Accounts of customers and staff; `*` at the end stands for any rest, as in all the lists below.
    pub accounts: Vec<String>,
    /// Names of integrations; their keys are kept too.
    pub integrations: Vec<String>,
    /// Public ids of API keys.
    pub keys: Vec<String>,
    /// Names or first domains of vendors; their integrations, keys and scripts are kept too.
    pub vendors: Vec<String>,
    /// Host names; what lies below them is kept too, and scripts and domains there.
    pub hosts: Vec<String>,
}

/// How much may be hit at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Accounts of customers and staff.
    pub accounts: u32,
    /// Share of the recent successful traffic, 0 to 1.
    pub traffic_share: f64,
    /// Money held or blocked, minor units.
    pub money_minor: f64,
    /// Effects.
    pub targets: u32,
}

impl Caps {
    /// These caps, made smaller where a playbook says so.
    #[must_use]
    pub fn within(self, limits: &Limits) -> Self {
        Self {
            accounts: limits.accounts.map_or(self.accounts, |own| own.min(self.accounts)),
            traffic_share: limits.traffic_share.map_or(self.traffic_share, |own| own.min(self.traffic_share)),
            money_minor: limits.money_minor.map_or(self.money_minor, |own| own.min(self.money_minor)),
            targets: limits.targets.map_or(self.targets, |own| own.min(self.targets)),
        }
    }

    /// Why this much is too much; `whose` is `this run` or `the last hour`.
    #[must_use]
    pub fn refuses(&self, used: &Used, whose: &str) -> Option<String> {
        let accounts = used.accounts.len();
        if accounts > self.accounts as usize {
            return Some(format!("{accounts} accounts in {whose}; at most {} are allowed", self.accounts));
        }
        // Shares are sums of floating numbers: a cap of exactly what is there holds.
        if used.traffic_share > self.traffic_share + 1e-9 {
            let (share, most) = (used.traffic_share * 100.0, self.traffic_share * 100.0);
            return Some(format!(
                "{share:.1} % of the recent successful traffic in {whose}; at most {most:.1} % is allowed"
            ));
        }
        if used.money_minor > self.money_minor + 1e-6 {
            let (money, most) = (used.money_minor / 100.0, self.money_minor / 100.0);
            return Some(format!("money of {money:.2} in {whose}; at most {most:.2} is allowed"));
        }
        if used.targets > self.targets {
            return Some(format!("{} effects in {whose}; at most {} are allowed", used.targets, self.targets));
        }
        None
    }
}

/// What several effects hit together: an account hit twice counts once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Used {
    pub accounts: BTreeSet<Text>,
    pub traffic_share: f64,
    pub money_minor: f64,
    pub targets: u32,
}

impl Used {
    /// Adds one effect.
    pub fn add(&mut self, part: &BlastPart) {
        self.accounts.extend(part.accounts.iter().cloned());
        self.traffic_share += part.traffic_share;
        self.money_minor += part.money_minor;
        self.targets += 1;
    }

    /// The same with one effect more.
    #[must_use]
    pub fn with(mut self, part: &BlastPart) -> Self {
        self.add(part);
        self
    }

    /// As people read it.
    #[must_use]
    pub fn blast(&self, currency: &str) -> Blast {
        Blast {
            accounts: u32::try_from(self.accounts.len()).unwrap_or(u32::MAX),
            traffic_share: self.traffic_share.min(1.0),
            money_minor: self.money_minor,
            currency: (!currency.is_empty()).then(|| Text::from(currency)),
        }
    }
}

/// Whether an action hits anybody: a ticket or a message does not.
#[must_use]
pub fn has_blast(action: &str) -> bool {
    !matches!(action, "open_ticket" | "notify" | "ask_person")
}

/// The never-touch list, read once.
#[derive(Debug, Clone, Default)]
pub struct Untouchable {
    networks: Vec<IpNet>,
    named: NeverTouch,
}

impl Untouchable {
    /// Reads the list.
    ///
    /// # Errors
    /// The entry that is no address or network.
    pub fn new(named: &NeverTouch) -> Result<Self, String> {
        let networks = named.networks.iter().map(|text| {
            network(text).ok_or_else(|| {
                format!("never_touch.networks: '{text}' is no address or network; write it like 203.0.113.0/24")
            })
        });
        Ok(Self { networks: networks.collect::<Result<_, _>>()?, named: named.clone() })
    }

    /// Why this target may not be touched; `owners` is what it belongs to (its integration, its vendor, its network).
    #[must_use]
    pub fn refuses(&self, target: &EntityKey, owners: &[EntityKey]) -> Option<(Rule, String)> {
        if matches!(target.kind, EntityKind::Address | EntityKind::Network) && network(&target.key).is_none() {
            return Some((Rule::WrongTarget, format!("'{}' is no address or network", target.key)));
        }
        if let Some(why) = self.names(target) {
            return Some((Rule::NeverTouch, format!("{} is on the never-touch list ({why})", told(target))));
        }
        let owner = owners.iter().find_map(|owner| self.names(owner).map(|why| (owner, why)));
        owner.map(|(owner, why)| {
            let reason =
                format!("{} belongs to {}, which is on the never-touch list ({why})", told(target), told(owner));
            (Rule::NeverTouch, reason)
        })
    }

    fn names(&self, key: &EntityKey) -> Option<String> {
        let listed = |list: &[String]| list.iter().find(|pattern| matches(pattern, &key.key)).cloned();
        match key.kind {
            EntityKind::Address | EntityKind::Network => {
                let wanted = network(&key.key)?;
                let hit = self.networks.iter().find(|kept| kept.contains(&wanted) || wanted.contains(*kept));
                hit.map(ToString::to_string)
            }
            EntityKind::User | EntityKind::Staff => listed(&self.named.accounts),
            EntityKind::Integration => listed(&self.named.integrations),
            EntityKind::ApiKey => listed(&self.named.keys),
            EntityKind::Vendor => listed(&self.named.vendors).or_else(|| self.host(&key.key)),
            EntityKind::Domain | EntityKind::Host | EntityKind::Script => self.host(&key.key),
            _ => None,
        }
    }

    /// Scripts are known by URL, host and path, or name; the host is what counts.
    fn host(&self, key: &str) -> Option<String> {
        let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
        let below = |kept: &str| {
            let kept = kept.to_ascii_lowercase();
            host == kept || host.strip_suffix(&*kept).is_some_and(|rest| rest.ends_with('.'))
        };
        self.named.hosts.iter().chain(&self.named.vendors).find(|kept| below(kept)).cloned()
    }
}

fn told(key: &EntityKey) -> String {
    format!("{} {}", key.kind.as_str(), key.key)
}

/// Without case; `*` at the end stands for any rest.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}

/// An address is the network of itself; an IPv4 address in IPv6 clothes is the IPv4 one.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    if let Ok(net) = text.parse::<IpNet>() {
        let mapped = match net {
            IpNet::V6(six) if six.prefix_len() >= 96 => {
                six.addr().to_ipv4_mapped().map(|four| (four, six.prefix_len() - 96))
            }
            _ => None,
        };
        return match mapped {
            Some((four, prefix)) => IpNet::new(IpAddr::V4(four), prefix).ok(),
            None => Some(net.trunc()),
        };
    }
    text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_listed_and_what_belongs_to_it() {
        let list = NeverTouch {
            networks: vec!["192.0.2.0/24".to_owned(), "2001:db8::1".to_owned()],
            accounts: vec!["ceo@shop.example".to_owned(), "svc-*".to_owned()],
            integrations: vec!["erp".to_owned()],
            keys: Vec::new(),
            vendors: vec!["pay.example".to_owned()],
            hosts: vec!["cdn.shop.example".to_owned()],
        };
        let list = Untouchable::new(&list).expect("reads");
        let check = |kind, key: &str, owners: &[EntityKey], want: Option<Rule>| {
            let got = list.refuses(&EntityKey::new(kind, key), owners).map(|(rule, _)| rule);
            assert_eq!(got, want, "{kind:?} {key}");
        };
        use EntityKind as E;
        let never = Some(Rule::NeverTouch);
        check(E::Address, "192.0.2.77", &[], never);
        check(E::Address, "::ffff:192.0.2.77", &[], never);
        check(E::Address, "2001:db8:0::1", &[], never);
        check(E::Address, "198.51.100.7", &[], None);
        check(E::Network, "192.0.0.0/16", &[], never);
        check(E::Network, "0.0.0.0/0", &[], never);
        check(E::Network, "198.51.100.0/24", &[], None);
        check(E::Address, "not an address", &[], Some(Rule::WrongTarget));
        check(E::User, "CEO@shop.example", &[], never);
        check(E::Staff, "svc-backup", &[], never);
        check(E::User, "mia", &[], None);
        check(E::ApiKey, "ak_1", &[EntityKey::new(E::Integration, "erp")], never);
        check(E::ApiKey, "ak_1", &[EntityKey::new(E::Integration, "crm")], None);
        check(E::Script, "https://js.pay.example/v3.js", &[], never);
        check(E::Script, "cdn.shop.example/app.js", &[], never);
        check(E::Domain, "notpay.example", &[], None);
        assert!(Untouchable::new(&NeverTouch { networks: vec!["x".to_owned()], ..NeverTouch::default() }).is_err());
    }

    #[test]
    fn caps_count_an_account_once_and_hold_at_their_value() {
        let caps = Caps { accounts: 2, traffic_share: 0.3, money_minor: 500.0, targets: 10 };
        let part = |accounts: &[&str], share, money| BlastPart {
            accounts: accounts.iter().map(|account| Text::from(*account)).collect(),
            traffic_share: share,
            money_minor: money,
        };
        let used = Used::default().with(&part(&["a", "b"], 0.1, 200.0)).with(&part(&["b"], 0.2, 300.0));
        assert_eq!(caps.refuses(&used, "this run"), None);
        assert!(caps.refuses(&used.clone().with(&part(&["c"], 0.0, 0.0)), "this run").is_some());
        assert!(caps.refuses(&used.clone().with(&part(&[], 0.01, 0.0)), "this run").is_some());
        assert!(caps.refuses(&used.clone().with(&part(&[], 0.0, 1.0)), "this run").is_some());
        let own = caps.within(&Limits { accounts: Some(1), money_minor: Some(1e9), ..Limits::default() });
        assert_eq!((own.accounts, own.money_minor), (1, 500.0), "a playbook only makes caps smaller");
    }
}
