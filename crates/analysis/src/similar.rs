//! Past alerts that are like one: what they share, how much that says, and in which words.
//!
//! A pure function over candidates; whoever has the rows says which past alerts are worth comparing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use riskgraph_domain::alert::Alert;
use riskgraph_domain::triage::Similar;
use riskgraph_domain::{EntityKey, EntityKind, VendorId};

/// Below this two alerts have too little in common to learn from one about the other.
const SIMILARITY_MIN: f64 = 0.2;
/// Things named of each kind.
const NAMED_MAX: usize = 3;
/// Share of the similarity that each kind of thing can give. What was done (detectors, techniques) says most about what it
/// was; the same entity or network again is the next best; kinds of entities only tell alike from unlike.
const WEIGHTS: Weights =
    Weights { detectors: 0.30, techniques: 0.20, entities: 0.20, networks: 0.10, vendors: 0.10, kinds: 0.10 };
/// Prefixes by which two addresses are of one network: what an attacker moves within.
const NETWORK_BITS_V4: u32 = 24;
const NETWORK_BITS_V6: u32 = 48;

struct Weights {
    detectors: f64,
    techniques: f64,
    entities: f64,
    networks: f64,
    vendors: f64,
    kinds: f64,
}

/// The candidates that are like the alert, most similar first, then newest; at most `max`.
#[must_use]
pub fn similar(alert: &Alert, candidates: Vec<Alert>, max: usize) -> Vec<Similar> {
    let own = Traits::of(alert);
    let mut found: Vec<Similar> = candidates
        .into_iter()
        .filter(|candidate| candidate.id != alert.id)
        .map(|candidate| {
            let (similarity, shared) = own.compare(&Traits::of(&candidate));
            Similar { similarity, shared, alert: candidate }
        })
        .filter(|found| found.similarity >= SIMILARITY_MIN)
        .collect();
    found.sort_by(|a, b| {
        let by_similarity = b.similarity.total_cmp(&a.similarity);
        by_similarity.then(b.alert.opened_at.cmp(&a.alert.opened_at)).then(a.alert.id.cmp(&b.alert.id))
    });
    found.truncate(max);
    found
}

/// What two alerts are compared by.
struct Traits {
    detectors: BTreeSet<String>,
    techniques: BTreeSet<String>,
    entities: BTreeSet<EntityKey>,
    networks: BTreeSet<String>,
    vendors: BTreeSet<VendorId>,
    kinds: BTreeSet<EntityKind>,
}

impl Traits {
    fn of(alert: &Alert) -> Self {
        Self {
            detectors: alert.detectors.iter().map(ToString::to_string).collect(),
            techniques: alert.techniques.iter().map(ToString::to_string).collect(),
            entities: alert.entities.iter().cloned().collect(),
            networks: alert.entities.iter().filter_map(network).collect(),
            vendors: alert.vendors.iter().copied().collect(),
            kinds: alert.entities.iter().map(|entity| entity.kind).collect(),
        }
    }

    /// What either side has not, says nothing: its weight goes to the other kinds.
    fn compare(&self, other: &Self) -> (f64, Vec<String>) {
        let mut points = 0.0;
        let mut whole = 0.0;
        let mut shared = Vec::new();
        let mut weigh = |weight: f64, overlap: Option<f64>| {
            if let Some(overlap) = overlap {
                points += weight * overlap;
                whole += weight;
            }
        };
        weigh(WEIGHTS.detectors, overlap(&self.detectors, &other.detectors));
        weigh(WEIGHTS.techniques, overlap(&self.techniques, &other.techniques));
        weigh(WEIGHTS.entities, overlap(&self.entities, &other.entities));
        weigh(WEIGHTS.networks, overlap(&self.networks, &other.networks));
        weigh(WEIGHTS.vendors, overlap(&self.vendors, &other.vendors));
        weigh(WEIGHTS.kinds, overlap(&self.kinds, &other.kinds));
        name(&mut shared, ["detector", "detectors"], self.detectors.intersection(&other.detectors));
        let entities = self.entities.intersection(&other.entities).map(|entity| &entity.key);
        name(&mut shared, ["entity", "entities"], entities);
        name(&mut shared, ["technique", "techniques"], self.techniques.intersection(&other.techniques));
        let new_networks = self.networks.intersection(&other.networks).filter(|network| {
            // An address that both have says it already.
            !self
                .entities
                .intersection(&other.entities)
                .any(|entity| crate::similar::network(entity).as_ref() == Some(*network))
        });
        name(&mut shared, ["network", "networks"], new_networks);
        let n_vendors = self.vendors.intersection(&other.vendors).count();
        if n_vendors > 0 {
            shared.push(if n_vendors == 1 { "the same vendor".to_owned() } else { format!("{n_vendors} vendors") });
        }
        // Alike only by the kinds of their entities is not alike.
        let similarity = if shared.is_empty() || whole <= 0.0 { 0.0 } else { points / whole };
        ((similarity * 100.0).round() / 100.0, shared)
    }
}

/// Shared things as a share of the smaller side; `None` when one side has none.
fn overlap<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> Option<f64> {
    let smaller = a.len().min(b.len());
    (smaller > 0).then(|| a.intersection(b).count() as f64 / smaller as f64)
}

fn name<T: std::fmt::Display>(shared: &mut Vec<String>, [one, many]: [&str; 2], items: impl Iterator<Item = T>) {
    let names: Vec<String> = items.map(|item| item.to_string()).collect();
    if names.is_empty() {
        return;
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    let listed = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    shared.push(format!("{} {listed}{tail}", if names.len() == 1 { one } else { many }));
}

/// The network of an address or of a network, in words.
fn network(entity: &EntityKey) -> Option<String> {
    match entity.kind {
        EntityKind::Network => Some(entity.key.to_string()),
        EntityKind::Address => match entity.key.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => {
                let bits = u32::from(address) & (u32::MAX << (32 - NETWORK_BITS_V4));
                Some(format!("{}/{NETWORK_BITS_V4}", std::net::Ipv4Addr::from(bits)))
            }
            IpAddr::V6(address) => {
                let bits = u128::from(address) & (u128::MAX << (128 - NETWORK_BITS_V6));
                Some(format!("{}/{NETWORK_BITS_V6}", std::net::Ipv6Addr::from(bits)))
            }
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::{AlertId, Text, Timestamp};

    use super::*;

    fn alert(name: &str, at: i64, detectors: &[&str], techniques: &[&str], entities: &[(EntityKind, &str)]) -> Alert {
        let texts = |list: &[&str]| list.iter().map(|&text| Text::from(text)).collect();
        Alert {
            detectors: texts(detectors),
            techniques: texts(techniques),
            entities: entities.iter().map(|&(kind, key)| EntityKey::new(kind, key)).collect(),
            ..Alert::new(AlertId::of(&[name]), name, Timestamp(at))
        }
    }

    #[test]
    fn what_is_alike_and_what_is_not() {
        use EntityKind::{Address, ApiKey, User};
        let new = alert("new", 9, &["scraping"], &["T1595"], &[(Address, "192.0.2.7"), (User, "u1")]);
        let check = |old: Alert, similarity: f64, shared: &[&str]| {
            let found = similar(&new, vec![old], 5);
            let got: Vec<(f64, Vec<String>)> =
                found.into_iter().map(|found| (found.similarity, found.shared)).collect();
            if shared.is_empty() {
                assert_eq!(got, [], "{shared:?}");
            } else {
                assert_eq!(got, [(similarity, shared.iter().map(|&text| text.to_owned()).collect())]);
            }
        };
        let same = [(Address, "192.0.2.7"), (User, "u1")];
        check(
            alert("same", 1, &["scraping"], &["T1595"], &same),
            1.0,
            &["detector scraping", "entities 192.0.2.7, u1", "technique T1595"],
        );
        // Itself is not a past alert.
        check(alert("new", 1, &["scraping"], &["T1595"], &same), 1.0, &[]);
        check(
            alert("near", 1, &["scraping"], &["T1595"], &[(Address, "192.0.2.9")]),
            0.78,
            &["detector scraping", "technique T1595", "network 192.0.2.0/24"],
        );
        check(alert("kinds only", 1, &["stuffing"], &["T1110"], &[(User, "u2")]), 0.0, &[]);
        check(alert("nothing", 1, &["leak_match"], &["T1078"], &[(ApiKey, "k")]), 0.0, &[]);
        check(alert("empty", 1, &[], &[], &[]), 0.0, &[]);
        check(alert("one weak", 1, &["a"], &["b"], &[(User, "u1"), (User, "u2"), (User, "u3")]), 0.25, &["entity u1"]);
    }

    #[test]
    fn the_most_similar_and_newest_come_first() {
        let entities = [(EntityKind::User, "u1")];
        let new = alert("new", 9, &["a", "b"], &["T1"], &entities);
        let past = vec![
            alert("old", 1, &["a"], &["T1"], &entities),
            alert("newer", 2, &["a"], &["T1"], &entities),
            alert("weaker", 3, &["a", "c"], &["T2"], &entities),
        ];
        let titles =
            |max| similar(&new, past.clone(), max).into_iter().map(|found| found.alert.title).collect::<Vec<_>>();
        assert_eq!(titles(5), ["newer", "old", "weaker"]);
        assert_eq!(titles(1), ["newer"]);
        assert!(similar(&new, past.clone(), 5).iter().all(|found| (0.0..=1.0).contains(&found.similarity)));
    }

    #[test]
    fn addresses_of_one_network() {
        let check = |a: &str, b: &str, same: bool| {
            let network = |key: &str| network(&EntityKey::new(EntityKind::Address, key));
            assert_eq!(network(a).is_some() && network(a) == network(b), same, "{a} {b}");
        };
        check("192.0.2.1", "192.0.2.255", true);
        check("192.0.2.1", "192.0.3.1", false);
        check("2001:db8:1::1", "2001:db8:1:ffff::9", true);
        check("2001:db8:1::1", "2001:db8:2::1", false);
        check("no address", "no address", false);
    }
}
