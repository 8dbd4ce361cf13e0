//! Card testing: generated or stolen card numbers tried in the shop to find those that work.
//!
//! **Method.** Each payment counts in clusters: its BIN, its cart shape (amount, currency, object), its device, its
//! address, its client software, and all payments. Only declines that testing causes count (wrong number, CVC or expiry,
//! in full; unclear refusals, half) and only for cards and people the shop does not know: an issuer's outage
//! (`issuer_unavailable`), empty accounts and known customers are left out. A cluster is tested when such declines
//! exceed by a wide margin what its *approvals* let expect, over many cards with few tries each. Big banks and sale days
//! bring approvals with their declines and stay quiet. The first cluster in the order above speaks; clusters that share
//! events share the campaign, so an attack over several BINs is one story.
//!
//! An approval of a stranger within a tested cluster is a card found: CRITICAL, when strangers' approvals there are about
//! as few as testing finds.
//!
//! **Sources.** OWASP Automated Threats OAT-001 (carding) and OAT-010 (card cracking); Visa, "Anti-enumeration and
//! account testing best practices" (2021); ATT&CK T1657, T1583.005.
//!
//! **Memory.** Cluster: up to 6 KiB, typically 0.6; card or source: 50 bytes. It must *not* know whether an order follows.

use riskgraph_domain::event::{Event, EventKind, Outcome};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::{Severity, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::accounts::Case;
use super::config::CardTestingConfig;
use crate::keyed::{Key, Keyed, key};
use crate::window::Shape;

mod cluster;
mod report;
#[cfg(test)]
mod tests;

use cluster::{Attack, Cluster, Counts, DIMENSIONS, Dimension};

/// Name in signals and configuration.
pub const NAME: &str = "card_testing";
/// Clusters attacked at once that wider ones leave out.
const HOT_MAX: usize = 16;
/// Parts of decline reasons that say the card's data are wrong: what a tester meets.
const WRONG_DATA: &[&str] =
    &["number", "cvc", "cvv", "expir", "security_code", "luhn", "no_such", "avs", "zip", "postal"];
/// Parts of decline reasons that speak of the issuer, the account's money or our own side.
const NOT_TESTING: &[&str] = &[
    "unavailable",
    "timeout",
    "processing",
    "issuer_",
    "insufficient",
    "limit",
    "funds",
    "authentication",
    "3ds",
    "duplicate",
];

/// What is known of one card.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct CardFacts {
    first_approved: Option<Timestamp>,
    last_declined: Option<Timestamp>,
}

/// Declines of unknown cards from one device or address, within an hour of each other.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Source {
    last: Timestamp,
    n_cards: u16,
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CardTesting {
    config: CardTestingConfig,
    clusters: Keyed<Cluster>,
    cards: Keyed<CardFacts>,
    sources: Keyed<Source>,
    hot: Vec<Key>,
}

/// The clusters of one payment, in the order of [`DIMENSIONS`].
type Clusters = [Option<Key>; 6];

/// A payment with what was looked up for it.
struct Payment<'a> {
    case: &'a Case<'a>,
    clusters: Clusters,
    card: Option<Key>,
}

/// A window of a cluster that shows testing.
struct Excess {
    dimension: Dimension,
    key: Key,
    counts: Counts,
    expected: f64,
    excess: f64,
    span_s: i64,
}

/// What a decline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decline {
    WrongData,
    Unclear,
    NotTesting,
}

impl CardTesting {
    #[must_use]
    pub fn new(config: &CardTestingConfig) -> Self {
        Self {
            config: config.clone(),
            clusters: Keyed::new(config.clusters_max),
            cards: Keyed::new(config.cards_max),
            sources: Keyed::new(config.sources_max),
            hot: Vec::new(),
        }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.clusters.len() + self.cards.len() + self.sources.len()
    }

    /// Takes a payment.
    pub fn observe(&mut self, case: &Case<'_>, signals: &mut Vec<Signal>) {
        if case.event.kind != EventKind::PaymentAttempt || case.event.card.is_none() {
            return;
        }
        let clusters = DIMENSIONS.map(|dimension| dimension.key(case.event, &case.keys));
        let card =
            case.event.card.as_ref().and_then(|card| card.fingerprint.as_deref()).map(|card| key(&["card", card]));
        let is_known = self.is_known(case, card);
        let payment = Payment { case, clusters, card };
        match case.event.outcome {
            Outcome::Success => self.approval(&payment, is_known, signals),
            Outcome::Failure | Outcome::Denied if is_known || decline(case.event) == Decline::NotTesting => {
                for key in clusters.into_iter().flatten() {
                    let (shape, time) = (self.shape(), case.event.time);
                    self.clusters.touch(key, time).count(shape, time, |counts| counts.others += 1);
                }
            }
            Outcome::Failure | Outcome::Denied => self.decline(&payment, signals),
            Outcome::Unknown => {}
        }
    }

    fn shape(&self) -> Shape {
        Shape { step_ms: self.config.step_s * 1_000, n_max: self.config.buckets_max }
    }

    fn half_life_ms(&self) -> f64 {
        self.config.normal_half_life_h * 3_600_000.0
    }

    /// Whether the shop knows the card (approved some time ago) or the person on this device.
    fn is_known(&self, case: &Case<'_>, card: Option<Key>) -> bool {
        let approved = card.and_then(|card| self.cards.get(card)).and_then(|card| card.first_approved);
        let is_old = approved.is_some_and(|first| case.event.time - first >= self.config.known_card_s * 1_000);
        is_old || case.habit.is_long_familiar()
    }

    fn approval(&mut self, payment: &Payment<'_>, is_known: bool, signals: &mut Vec<Signal>) {
        let Payment { case, clusters, card } = payment;
        let (shape, time, half_life) = (self.shape(), case.event.time, self.half_life_ms());
        for key in clusters.iter().flatten() {
            let cluster = self.clusters.touch(*key, time);
            cluster.count(shape, time, |counts| {
                counts.approvals += 1;
                counts.strange_approvals += u32::from(!is_known);
            });
            cluster.learn(time, half_life, 1.0, 0.0);
        }
        if !is_known && self.found(payment, signals) {
            return; // not learned as a known card
        }
        if let Some(card) = *card {
            let facts = self.cards.touch(card, time);
            facts.first_approved = Some(facts.first_approved.map_or(time, |first| first.min(time)));
        }
    }

    /// Tells of a stranger's approval within a tested cluster.
    fn found(&mut self, payment: &Payment<'_>, signals: &mut Vec<Signal>) -> bool {
        let Payment { case, clusters, .. } = payment;
        let time = case.event.time;
        let sharpened = self.cards_of_source(case);
        let best = DIMENSIONS.into_iter().zip(clusters).filter_map(|(dimension, key)| {
            let key = (*key)?;
            let cluster = self.clusters.get(key).filter(|cluster| cluster.is_hot(time, self.config.found_s * 1_000))?;
            Some((dimension, key, self.likelihood(payment, cluster, sharpened)))
        });
        let Some((dimension, key, likelihood)) = best.max_by(|a, b| a.2.total_cmp(&b.2)) else { return false };
        let Some(attack) = self.clusters.get_mut(key).and_then(|cluster| cluster.attack.as_mut()) else { return false };
        if likelihood < self.config.likelihood_min {
            return false;
        }
        attack.n_approvals = attack.n_approvals.saturating_add(1);
        let draft =
            report::found(case, &dimension.name(case.event), attack, report::Odds { likelihood, n_cards: sharpened });
        signals.push(draft.finish(case.event, case.context));
        true
    }

    /// How many unknown cards were declined from this device or address within the hour.
    fn cards_of_source(&self, case: &Case<'_>) -> u16 {
        let sources = [case.keys.address, case.keys.device].into_iter().flatten();
        let recent = sources
            .filter_map(|key| self.sources.get(key))
            .filter(|source| (case.event.time - source.last).abs() <= self.config.slow_s * 1_000);
        recent.map(|source| source.n_cards).max().unwrap_or(0)
    }

    /// How likely the approval is the tester's: how many cards testing finds against how many strangers are approved,
    /// sharpened by the amount that is tested and by cards declined from the same source.
    fn likelihood(&self, payment: &Payment<'_>, cluster: &Cluster, n_cards: u16) -> f64 {
        let Payment { case, clusters, .. } = payment;
        let (shape, time, span_ms) = (self.shape(), case.event.time, self.config.slow_s * 1_000);
        let counts = cluster.window(shape, time, span_ms);
        let open = counts.weighed();
        let theirs = open * self.config.found_rate + 0.7 * (open / self.config.excess_min).min(1.0);
        let mut odds = theirs / f64::from(counts.strange_approvals).max(1.0);
        let amount = case.event.money.as_ref().and_then(|money| money.amount_minor);
        if cluster.majority.lead() >= 0.5 && amount == Some(cluster.majority.amount) {
            let strangers = |key: Option<Key>| {
                let cluster = key.and_then(|key| self.clusters.get(key));
                cluster
                    .map_or(1.0, |cluster| f64::from(cluster.window(shape, time, span_ms).strange_approvals).max(1.0))
            };
            odds /= (strangers(clusters[1]) / strangers(clusters[5])).clamp(0.05, 1.0);
        }
        match n_cards {
            0 => odds.min(1.0),
            1 => (odds * self.config.source_factor).min(1.0),
            // Two cards of others declined from here already: an honest customer has no third.
            _ => (odds * self.config.source_factor).clamp(0.9, 1.0),
        }
    }

    fn decline(&mut self, payment: &Payment<'_>, signals: &mut Vec<Signal>) {
        let Payment { case, clusters, card } = payment;
        let (shape, time, half_life) = (self.shape(), case.event.time, self.half_life_ms());
        let gap_ms = self.config.gap_s * 1_000;
        let one = self.one_decline(case, *card);
        let amount = case.event.money.as_ref().and_then(|money| money.amount_minor);
        for key in clusters.iter().flatten() {
            let cluster = self.clusters.touch(*key, time);
            cluster.count(shape, time, |counts| *counts = counts.plus(&one));
            if !cluster.is_hot(time, gap_ms) {
                cluster.learn(time, half_life, 0.0, f64::from(one.half_declines) / 2.0);
            }
            if let Some(amount) = amount {
                cluster.majority.vote(amount);
            }
            let card = case.event.card.as_ref().and_then(|card| card.fingerprint.clone());
            if let (Some(card), Some(ip)) = (card, &case.event.client.ip) {
                cluster.sample(card, ip.clone());
            }
        }
        for (dimension, key) in DIMENSIONS.into_iter().zip(clusters) {
            let Some(key) = *key else { continue };
            if let Some(excess) = self.excess(dimension, key, time) {
                self.attack(payment, &excess, signals);
                return;
            }
        }
    }

    fn one_decline(&mut self, case: &Case<'_>, card: Option<Key>) -> Counts {
        let time = case.event.time;
        let memory_ms = self.config.slow_s * 1_000;
        let is_wrong_data = decline(case.event) == Decline::WrongData;
        let mut one = Counts { declines: 1, half_declines: 1 + u32::from(is_wrong_data), ..Counts::default() };
        one.wrong_data = u32::from(is_wrong_data);
        one.guests = u32::from(case.habit.n_logins == 0);
        if let Some(card) = card {
            let facts = self.cards.touch(card, time);
            one.cards = u32::from(facts.last_declined.is_none_or(|last| (time - last).abs() > memory_ms));
            facts.last_declined = Some(facts.last_declined.map_or(time, |last| last.max(time)));
        }
        for key in [case.keys.address, case.keys.device].into_iter().flatten() {
            let source = self.sources.touch(key, time);
            let is_first = source.n_cards == 0 || (time - source.last).abs() > memory_ms;
            one.sources = u32::from(is_first);
            let before = if is_first { 0 } else { source.n_cards };
            *source = Source { last: source.last.max(time), n_cards: before.saturating_add(one.cards as u16) };
        }
        one
    }

    fn excess(&self, dimension: Dimension, key: Key, time: Timestamp) -> Option<Excess> {
        let config = &self.config;
        let (shape, half_life) = (self.shape(), self.half_life_ms());
        let cluster = self.clusters.get(key)?;
        let normal = cluster
            .normal(time, half_life, config.normal_prior, config.normal_prior_weight)
            .clamp(config.normal_floor, config.normal_ceiling);
        // Everybody together, or a common browser, needs more to stand out.
        let factor = match dimension {
            Dimension::Everybody | Dimension::Client => config.wide_factor,
            _ => 1.0,
        };
        [config.fast_s, config.slow_s].into_iter().find_map(|span_s| {
            let mut counts = cluster.window(shape, time, span_s * 1_000);
            for hot in self.hot.iter().filter(|hot| **hot != key).filter_map(|hot| self.clusters.get(*hot)) {
                counts = counts.less(&hot.window(shape, time, span_s * 1_000));
            }
            let weighed = counts.weighed();
            let expected = f64::from(counts.approvals) * normal;
            let excess = weighed - expected;
            let is_testing = excess >= config.excess_min * factor
                && excess / (config.overdispersion * expected + 2.0).sqrt() >= config.deviations_min
                && f64::from(counts.cards) >= config.cards_min * factor
                && f64::from(counts.declines) / f64::from(counts.cards).max(1.0) <= config.tries_per_card_max;
            is_testing.then_some(Excess { dimension, key, counts, expected, excess, span_s })
        })
    }

    fn attack(&mut self, payment: &Payment<'_>, excess: &Excess, signals: &mut Vec<Signal>) {
        let Payment { case, clusters, .. } = payment;
        let (dimension, key) = (excess.dimension, excess.key);
        let time = case.event.time;
        let gap_ms = self.config.gap_s * 1_000;
        let name = dimension.name(case.event);
        let campaign = self.shared_campaign(clusters, time).unwrap_or_else(|| Text::from(name.as_str()));
        for key in clusters[1..5].iter().flatten() {
            if let Some(cluster) = self.clusters.get_mut(*key) {
                cluster.campaign = Some((campaign.clone(), time));
            }
        }
        let Some(cluster) = self.clusters.get_mut(key) else { return };
        let is_new = !cluster.is_hot(time, gap_ms);
        let mut attack = cluster.attack.take().filter(|_| !is_new).unwrap_or_else(|| Attack {
            campaign: campaign.clone(),
            started: time - excess.span_s * 1_000,
            last: time,
            ..Attack::default()
        });
        attack.n_declines = if is_new { excess.counts.declines } else { attack.n_declines.saturating_add(1) };
        attack.last = attack.last.max(time);
        let draft = report::attack(case, excess, cluster, &attack);
        let rises = Severity::of_score(draft.score()) > Severity::of_score(attack.reported);
        if attack.n_next == 0 || attack.n_declines >= attack.n_next || rises {
            attack.n_next = (f64::from(attack.n_declines) * self.config.report_growth) as u32;
            attack.reported = draft.score().max(attack.reported);
            signals.push(draft.finish(case.event, case.context));
        }
        cluster.attack = Some(attack);
        if is_new {
            let clusters = &self.clusters;
            self.hot.retain(|hot| *hot != key && clusters.get(*hot).is_some_and(|hot| hot.is_hot(time, gap_ms)));
            if self.hot.len() >= HOT_MAX {
                self.hot.remove(0);
            }
            self.hot.push(key);
        }
    }

    /// The story that one of the event's clusters is already part of.
    fn shared_campaign(&self, clusters: &Clusters, time: Timestamp) -> Option<Text> {
        let gap_ms = self.config.gap_s * 1_000;
        clusters.iter().take(5).flatten().find_map(|key| {
            let cluster = self.clusters.get(*key)?;
            let own =
                cluster.attack.as_ref().filter(|_| cluster.is_hot(time, gap_ms)).map(|attack| attack.campaign.clone());
            own.or_else(|| {
                let (campaign, at) = cluster.campaign.as_ref()?;
                ((time - *at).abs() <= gap_ms).then(|| campaign.clone())
            })
        })
    }
}

fn decline(event: &Event) -> Decline {
    let Some(reason) = event.reason.as_deref() else { return Decline::Unclear };
    if NOT_TESTING.iter().any(|word| reason.contains(word)) {
        Decline::NotTesting
    } else if WRONG_DATA.iter().any(|word| reason.contains(word)) {
        Decline::WrongData
    } else {
        Decline::Unclear
    }
}
