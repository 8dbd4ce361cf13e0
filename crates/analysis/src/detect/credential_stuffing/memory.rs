//! What the detector remembers besides its groups: recent failures, strangers' successes, the running story.

use riskgraph_domain::event::Event;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::keys::Keys;
use super::group::{Counts, Span};
use super::{Dimension, group_keys, is_leaked};
use crate::keyed::Key;

/// Recent failures of one person or one address.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Recent {
    pub(super) last: Timestamp,
    pub(super) n: u16,
    pub(super) n_successes: u16,
    /// Who was first to fail at an address, and how often others did.
    pub(super) first: Key,
    pub(super) n_others: u16,
}

impl Recent {
    /// Starts anew after a pause.
    pub(super) fn refresh(&mut self, time: Timestamp, pause_ms: i64) {
        if (time - self.last).abs() > pause_ms {
            *self = Self { last: self.last, ..Self::default() };
        }
    }
}

/// A stranger's success, kept for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) time: Timestamp,
    pub(super) person: Key,
    pub(super) address: Option<Key>,
    pub(super) groups: [Option<Key>; 4],
    pub(super) id: Text,
    pub(super) user: Option<Text>,
    pub(super) staff: Option<Text>,
    pub(super) ip: Option<Text>,
    pub(super) device: Option<Text>,
    pub(super) is_leaked: bool,
}

/// The shop-wide story: groups that turn while it lasts belong to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Episode {
    pub(super) campaign: Text,
    pub(super) started: Timestamp,
    pub(super) last: Timestamp,
}

/// A window of a group that shows an attack.
pub(super) struct Excess {
    pub(super) dimension: Dimension,
    pub(super) key: Key,
    pub(super) span: Span,
    pub(super) counts: Counts,
    pub(super) expected: f64,
    pub(super) excess: f64,
    pub(super) normal: f64,
}

impl Past {
    pub(super) fn of(event: &Event, keys: &Keys) -> Option<Self> {
        Some(Self {
            time: event.time,
            person: keys.person?,
            address: keys.address,
            groups: group_keys(keys),
            id: event.id.clone(),
            user: event.actor.user.clone(),
            staff: event.actor.staff.clone(),
            ip: event.client.ip.clone(),
            device: event.client.device.clone(),
            is_leaked: is_leaked(event),
        })
    }
}
