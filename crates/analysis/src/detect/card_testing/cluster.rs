//! One cluster of payments (a BIN, a cart shape, a device ...) in sliding windows of event time.

use riskgraph_domain::event::Event;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::keys::{Keys, mix};
use crate::keyed::{Key, key};
use crate::window::{Buckets, Fading, Shape};

/// Cards and addresses kept for the reader.
const SAMPLES_MAX: usize = 6;

/// What makes a cluster, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::detect) enum Dimension {
    Bin,
    /// The same amount for the same object.
    Cart,
    Device,
    Address,
    /// TLS fingerprint, or user agent.
    Client,
    Everybody,
}

pub(super) const DIMENSIONS: [Dimension; 6] =
    [Dimension::Bin, Dimension::Cart, Dimension::Device, Dimension::Address, Dimension::Client, Dimension::Everybody];

/// Digits of a BIN that count: six are always sent, and attackers enumerate below them.
const BIN_DIGITS: usize = 6;

impl Dimension {
    pub(super) fn key(self, event: &Event, keys: &Keys) -> Option<Key> {
        let (salt, key) = match self {
            Self::Bin => (1, key(&["bin", bin(event)?])),
            Self::Cart => (2, cart_key(event)?),
            Self::Device => (3, keys.device?),
            Self::Address => (4, keys.address?),
            Self::Client => (5, keys.ja4.or(keys.agent)?),
            Self::Everybody => (6, 0),
        };
        Some(mix(key ^ (salt << 60)))
    }

    pub(super) fn name(self, event: &Event) -> String {
        match self {
            Self::Bin => format!("bin:{}", bin(event).unwrap_or_default()),
            Self::Cart => {
                let money = event.money.as_ref();
                let amount = money.and_then(|money| money.amount_minor).unwrap_or_default();
                let currency = money.and_then(|money| money.currency.as_deref()).unwrap_or_default();
                format!("cart:{currency}{amount}")
            }
            Self::Device => format!("device:{}", event.client.device.as_deref().unwrap_or_default()),
            Self::Address => format!("address:{}", event.client.ip.as_deref().unwrap_or_default()),
            Self::Client => {
                let client = event.client.ja4.as_deref().or(event.client.user_agent.as_deref()).unwrap_or_default();
                format!("client:{}", client.chars().take(80).collect::<String>())
            }
            Self::Everybody => "payments".to_owned(),
        }
    }
}

/// The six digits of the card's BIN.
pub(super) fn bin(event: &Event) -> Option<&str> {
    let bin = event.card.as_ref()?.bin.as_deref()?;
    Some(bin.get(..BIN_DIGITS).unwrap_or(bin)).filter(|bin| !bin.is_empty())
}

/// Amount, currency and what is bought, unless that is an order (each has its own id).
fn cart_key(event: &Event) -> Option<Key> {
    let money = event.money.as_ref()?;
    let amount = money.amount_minor?;
    let object = event.object.as_ref().filter(|object| object.kind.as_deref() != Some("order"));
    let id = object.and_then(|object| object.id.as_deref()).unwrap_or_default();
    Some(mix(amount as u64) ^ key(&["cart", money.currency.as_deref().unwrap_or_default(), id]))
}

/// Counts of one bucket or one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) approvals: u32,
    /// Approvals of cards and people the shop does not know.
    pub(super) strange_approvals: u32,
    /// Declines of strangers that testing causes, in halves: a wrong number or CVC is two, an unclear one is one.
    pub(super) half_declines: u32,
    pub(super) declines: u32,
    /// Of these, for a wrong number, CVC or expiry.
    pub(super) wrong_data: u32,
    /// Of these, cards (sources) that had none in the hour before.
    pub(super) cards: u32,
    pub(super) sources: u32,
    /// Of these, without a known account.
    pub(super) guests: u32,
    /// Declines for reasons of the issuer or of known people.
    pub(super) others: u32,
}

impl Counts {
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.approvals += other.approvals;
        self.strange_approvals += other.strange_approvals;
        self.half_declines += other.half_declines;
        self.declines += other.declines;
        self.wrong_data += other.wrong_data;
        self.cards += other.cards;
        self.sources += other.sources;
        self.guests += other.guests;
        self.others += other.others;
        self
    }

    /// Without the declines of other clusters, which are explained.
    pub(super) fn less(mut self, other: &Self) -> Self {
        self.half_declines = self.half_declines.saturating_sub(other.half_declines);
        self.declines = self.declines.saturating_sub(other.declines);
        self.wrong_data = self.wrong_data.saturating_sub(other.wrong_data);
        self.cards = self.cards.saturating_sub(other.cards);
        self.sources = self.sources.saturating_sub(other.sources);
        self.guests = self.guests.saturating_sub(other.guests);
        self
    }

    /// Declines, unclear ones counted half.
    pub(super) fn weighed(&self) -> f64 {
        f64::from(self.half_declines) / 2.0
    }
}

/// The amount most of the declines had (majority vote of Boyer and Moore).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Majority {
    pub(super) amount: i64,
    votes: u32,
    n: u32,
}

impl Majority {
    pub(super) fn vote(&mut self, amount: i64) {
        self.n = self.n.saturating_add(1);
        if self.votes == 0 {
            (self.amount, self.votes) = (amount, 1);
        } else if self.amount == amount {
            self.votes = self.votes.saturating_add(1);
        } else {
            self.votes -= 1;
        }
    }

    /// At least by how much of all the amount leads, 0 ..= 1.
    pub(super) fn lead(&self) -> f64 {
        f64::from(self.votes) / f64::from(self.n).max(1.0)
    }
}

/// An attack on the cluster as far as it was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Attack {
    pub(super) campaign: Text,
    pub(super) started: Timestamp,
    pub(super) last: Timestamp,
    pub(super) n_declines: u32,
    pub(super) n_next: u32,
    pub(super) reported: f64,
    pub(super) n_approvals: u32,
}

/// State of one cluster. Memory: 350 bytes, 44 for each live bucket (at most 120), 60 for each of 6 samples.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Cluster {
    buckets: Buckets<Counts>,
    approvals: Fading,
    declines: Fading,
    pub(super) majority: Majority,
    /// The story an event shared with another cluster, and when.
    pub(super) campaign: Option<(Text, Timestamp)>,
    pub(super) attack: Option<Attack>,
    pub(super) samples: Vec<(Text, Text)>,
    n_sampled: u32,
}

impl Cluster {
    pub(super) fn count(&mut self, shape: Shape, time: Timestamp, change: impl FnOnce(&mut Counts)) {
        if let Some(bucket) = self.buckets.at(shape, time) {
            change(bucket);
        }
    }

    pub(super) fn window(&self, shape: Shape, end: Timestamp, span_ms: i64) -> Counts {
        self.buckets.within(shape, end, span_ms).fold(Counts::default(), Counts::plus)
    }

    /// Learns the normal ratio. Not called while the cluster is under attack.
    pub(super) fn learn(&mut self, time: Timestamp, half_life_ms: f64, approval: f64, decline: f64) {
        self.approvals.add(time, approval, half_life_ms);
        self.declines.add(time, decline, half_life_ms);
    }

    /// Testing-like declines for each approval in normal times.
    pub(super) fn normal(&self, time: Timestamp, half_life_ms: f64, prior: f64, prior_weight: f64) -> f64 {
        (self.declines.at(time, half_life_ms) + prior * prior_weight)
            / (self.approvals.at(time, half_life_ms) + prior_weight)
    }

    pub(super) fn is_hot(&self, time: Timestamp, gap_ms: i64) -> bool {
        self.attack.as_ref().is_some_and(|attack| time - attack.last <= gap_ms && attack.started - time <= gap_ms)
    }

    pub(super) fn sample(&mut self, card: Text, address: Text) {
        let place = self.n_sampled as usize % SAMPLES_MAX;
        self.n_sampled = self.n_sampled.wrapping_add(1);
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push((card, address));
        } else if let Some(sample) = self.samples.get_mut(place) {
            *sample = (card, address);
        }
    }
}
