//! What one actor read of one type, lately and on its usual days.

use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::draft::log_ramp;
use super::access::{Access, Group};
use super::peers::Peers;
use super::{DAY, EnumerationConfig, FAMILIAR_AGE_MS, WEEK};
use crate::baseline::Counted;
use crate::baseline::{Novelty, Probation, Seen};
use crate::keyed::Key;

/// Owners an actor may be familiar with: a household and its merged accounts.
const FAMILIAR_MAX: usize = 8;
/// Names kept for the reader of the signal.
const NAMES_MAX: usize = 5;
/// Growth of an actor's own highest day that may be learned from one day.
const OWN_GROWTH: f64 = 1.5;
/// Numbered ids after which density means something.
const DENSE_MIN: u64 = 30;

/// Reads of one actor and type. 450 bytes, 4 kB at most.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reader {
    day_start: Timestamp,
    week_start: Timestamp,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    reads: u64,
    /// A partner of long standing that never read this type before.
    news: bool,
    /// Distinct objects of the running day.
    pub(super) objects: Counted,
    pub(super) refused: Counted,
    /// Distinct foreign objects and unfamiliar foreign owners of the running week.
    pub(super) foreign: Counted,
    foreign_owners: Counted,
    /// Distinct owners of the running day, whoever the actor is.
    pub(super) owners: Counted,
    familiar: Seen,
    smallest: u64,
    largest: u64,
    steps: u32,
    last_number: u64,
    pub(super) own_top: f64,
    own_top_owners: f64,
    pub(super) own_days: u32,
    pub(super) victims: Vec<Text>,
    pub(super) samples: Vec<Text>,
    pub(super) told: f64,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            day_start: Timestamp(0),
            week_start: Timestamp(0),
            first: Timestamp(0),
            last: Timestamp(0),
            reads: 0,
            news: false,
            objects: Counted::default(),
            refused: Counted::default(),
            foreign: Counted::default(),
            foreign_owners: Counted::default(),
            owners: Counted::default(),
            familiar: Seen::new(FAMILIAR_MAX),
            smallest: u64::MAX,
            largest: 0,
            steps: 0,
            last_number: 0,
            own_top: 0.0,
            own_top_owners: 0.0,
            own_days: 0,
            victims: Vec::new(),
            samples: Vec::new(),
            told: 0.0,
        }
    }
}

/// Shares of the score.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) foreign: f64,
    pub(super) owners: f64,
    pub(super) volume: f64,
    pub(super) refused: f64,
    pub(super) dense: f64,
    /// Distinct objects a day that would be usual.
    pub(super) usual: f64,
}

impl Shares {
    pub(super) fn sum(&self) -> f64 {
        self.foreign + self.owners + self.volume + self.refused + self.dense
    }
}

impl Reader {
    /// Starts a new day or week when this one is over.
    pub(super) fn roll(&mut self, time: Timestamp) {
        if self.reads == 0 {
            (self.day_start, self.week_start, self.first) = (time, time, time);
            return;
        }
        if time - self.week_start >= WEEK {
            self.week_start = time;
            self.foreign.clear();
            self.foreign_owners.clear();
            self.victims.clear();
            self.samples.clear();
            self.told = 0.0;
        }
        if time - self.day_start < DAY {
            return;
        }
        let (n_objects, n_owners) = (self.objects.count(), self.owners.count());
        // A wild day must not make the next one usual.
        let learn = |top: f64, day: u64| match self.own_days {
            0 => day as f64,
            _ => top.max((day as f64).min(top * OWN_GROWTH + 1.0)),
        };
        (self.own_top, self.own_top_owners) = (learn(self.own_top, n_objects), learn(self.own_top_owners, n_owners));
        self.own_days += 1;
        self.day_start = time;
        self.objects.clear();
        self.refused.clear();
        self.owners.clear();
        (self.smallest, self.largest, self.steps) = (u64::MAX, 0, 0);
    }

    /// Takes a read in.
    pub(super) fn add(&mut self, access: &Access, object: Key, time: Timestamp) {
        self.news |= self.reads == 0 && access.senior;
        self.reads += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        if !access.success {
            self.refused.insert(object);
            return;
        }
        let new = self.objects.insert(object);
        if let Some(number) = access.number {
            self.smallest = self.smallest.min(number);
            self.largest = self.largest.max(number);
            self.steps += u32::from(new && (1..=2).contains(&number.abs_diff(self.last_number)));
            self.last_number = number;
        }
        if let Some(owner) = access.owner {
            self.owners.insert(owner);
        }
        if access.foreign() == Some(true) {
            self.add_foreign(access, object, time);
        }
    }

    fn add_foreign(&mut self, access: &Access, object: Key, time: Timestamp) {
        let Some(owner) = access.owner else { return };
        let familiar = self.familiar.novelty(owner) == Novelty::Known;
        self.familiar.note(owner, Text::default, time, Some(Probation { days: 2, age_ms: FAMILIAR_AGE_MS }));
        if familiar {
            return;
        }
        self.foreign.insert(object);
        let new_owner = self.foreign_owners.insert(owner);
        if self.samples.len() < NAMES_MAX {
            self.samples.push(access.id.into());
        }
        if let Some(name) = access.owner_name.filter(|_| new_owner && self.victims.len() < NAMES_MAX) {
            self.victims.push(name.into());
        }
    }

    /// Foreign objects that count: as many as there are unfamiliar owners, because many of one owner is a household.
    pub(super) fn n_foreign(&self) -> u64 {
        self.foreign.count().min(self.foreign_owners.count())
    }

    pub(super) fn weigh(&self, access: &Access, peers: &Peers, config: &EnumerationConfig) -> Shares {
        let weights = &config.weights;
        let mut shares = Shares::default();
        let n_foreign = self.n_foreign() as f64;
        // One foreign owner is a gift or a household, below the floor even with a refusal.
        let part = match n_foreign {
            n if n >= config.foreign_min => {
                weights.foreign + weights.foreign_more * log_ramp(n, config.foreign_min, 100.0 * config.foreign_min)
            }
            n if n >= config.foreign_min - 2.0 => {
                0.35 * weights.foreign + 0.2 * (n + 2.0 - config.foreign_min).max(0.0) * weights.foreign
            }
            _ => 0.0,
        };
        let public = peers.across_share() >= config.public_share;
        shares.foreign = if public { part * 0.3 } else { part };
        if access.group == Group::Token && access.user.is_none() && !public {
            shares.owners = self.weigh_owners(config);
        }
        self.weigh_volume(&mut shares, access, peers, config);
        shares
    }

    /// A key or session of nobody known, whose objects belong to many.
    fn weigh_owners(&self, config: &EnumerationConfig) -> f64 {
        let n = self.owners.count() as f64;
        let usual = if self.own_days > 0 { 3.0 * self.own_top_owners } else { 0.0 };
        if n < (config.foreign_min + 1.0).max(usual) {
            return 0.0;
        }
        if n < 2.0 * config.foreign_min { config.weights.key_owners } else { config.weights.key_owners_many }
    }

    /// Distinct objects of the day against the actor's own days and its peers'.
    fn weigh_volume(&self, shares: &mut Shares, access: &Access, peers: &Peers, config: &EnumerationConfig) {
        let weights = &config.weights;
        let own = if self.own_days >= config.own_days { Some(3.0 * self.own_top) } else { None };
        let of_peers = peers.days.usual_max().map(|usual| 2.0 * usual);
        let news = self.news && self.own_days == 0;
        let floor = match access.group {
            Group::Partner if news => config.floor_new,
            Group::Customer => config.floor_customer,
            Group::Token | Group::Partner => config.floor_key,
            Group::Staff => config.floor_staff,
        };
        let known = match access.group {
            // Peers are other partners, with other jobs.
            Group::Partner => own.or(news.then_some(0.0)),
            Group::Staff => own.or(of_peers),
            // One customer may not make many reads normal by doing them daily, but peers and itself together may.
            Group::Customer | Group::Token => Some(own.unwrap_or(0.0).max(of_peers.unwrap_or(0.0))),
        };
        let Some(known) = known else { return };
        shares.usual = known.max(floor);
        let n = self.objects.count();
        let excess = n as f64 / shares.usual;
        let n_refused = self.refused.count();
        let refused_share = n_refused as f64 / (n + n_refused).max(1) as f64;
        if n_refused >= 10 && refused_share >= 0.1 && (excess >= 0.5 || refused_share >= 0.5) {
            shares.refused = weights.refused * (1.0 + log_ramp(n_refused as f64, 10.0, 200.0));
        }
        if excess < 1.0 {
            return;
        }
        shares.volume = weights.volume + weights.volume_more * log_ramp(excess, 1.0, 10.0);
        let span = self.largest.saturating_sub(self.smallest).saturating_add(1);
        let dense = n as f64 >= 0.5 * span as f64 || f64::from(self.steps) >= 0.5 * n as f64;
        if access.group == Group::Partner && !news {
            shares.volume = shares.volume.min(weights.partner_max);
        } else if n >= DENSE_MIN && self.largest > 0 && dense {
            shares.dense = weights.dense;
        }
    }
}
