//! Attack stories and their benign twins. Counts, rates, addresses and fingerprints follow the seed and the scale.

use riskgraph_domain::event::Client;
use riskgraph_domain::{Text, Timestamp};

use crate::device::ja4;
use crate::dice::Dice;
use crate::emit::{Emitter, sort};
use crate::label::{Label, Labelled, Role, ScenarioId};
use crate::mix::merge;
use crate::shop::{DayFlavour, Shop};
use crate::world::{Network, NetworkKind};

mod s1;
mod s11;
mod s2;
mod s4;
mod s5;
mod s7;

/// Hosting networks kept for search engines and monitors: attackers rent elsewhere.
const HOSTING_KEPT: usize = 3;

/// A story at an hour of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Act {
    pub id: ScenarioId,
    /// The attack, or anything else for its twin.
    pub role: Role,
    /// When it begins, since midnight UTC.
    pub after_ms: i64,
    pub scale: f64,
}

impl Shop {
    /// A day with stories played into it, in time order. What a story does after midnight comes last.
    pub fn day_with(&mut self, day: u32, flavour: DayFlavour, acts: &[Act]) -> impl Iterator<Item = Labelled> {
        let midnight = self.midnight(day);
        let mut played: Vec<Labelled> = Vec::new();
        for act in acts {
            let at = midnight + act.after_ms;
            played.extend(match act.role {
                Role::Attack => self.scenario(act.id, at, act.scale),
                Role::Twin | Role::Normal => self.twin(act.id, at, act.scale),
            });
        }
        sort(&mut played);
        merge(self.day(day, flavour), played)
    }

    /// The attack, its first event at `at`; `scale` 1 is its full size.
    #[must_use]
    pub fn scenario(&self, id: ScenarioId, at: Timestamp, scale: f64) -> Vec<Labelled> {
        let mut stage = Stage::new(self, id, Role::Attack, at, scale);
        match id {
            ScenarioId::S1 => s1::attack(&mut stage),
            ScenarioId::S2 => s2::attack(&mut stage),
            ScenarioId::S4 => s4::attack(&mut stage),
            ScenarioId::S5 => s5::attack(&mut stage),
            ScenarioId::S7 => s7::attack(&mut stage),
            ScenarioId::S11 => s11::attack(&mut stage),
        }
        stage.out.finish()
    }

    /// What looks like the attack and is none.
    #[must_use]
    pub fn twin(&self, id: ScenarioId, at: Timestamp, scale: f64) -> Vec<Labelled> {
        let mut stage = Stage::new(self, id, Role::Twin, at, scale);
        match id {
            ScenarioId::S1 => s1::twin(&mut stage),
            ScenarioId::S2 => s2::twin(&mut stage),
            ScenarioId::S4 => s4::twin(&mut stage),
            ScenarioId::S5 => s5::twin(&mut stage),
            ScenarioId::S7 => s7::twin(&mut stage),
            ScenarioId::S11 => s11::twin(&mut stage),
        }
        stage.out.finish()
    }
}

/// Where a story is played.
struct Stage<'a> {
    shop: &'a Shop,
    out: Emitter,
    dice: Dice,
    at: Timestamp,
    scale: f64,
}

impl<'a> Stage<'a> {
    fn new(shop: &'a Shop, id: ScenarioId, role: Role, at: Timestamp, scale: f64) -> Self {
        let (seed, begin) = (shop.options.seed, at.0.to_string());
        let part = if role == Role::Twin { "twin" } else { "attack" };
        let path = [id.as_str(), part, &begin];
        let label = Label { scenario: Some(id), role, step: 1 };
        let out = Emitter::new(seed, &path, shop.options.detail, label);
        Self { shop, out, dice: Dice::of(seed, &["story", id.as_str(), part, &begin]), at, scale: scale.max(0.0) }
    }

    /// Events from here on belong to this step.
    fn step(&mut self, step: u8) {
        self.out.label.step = step;
    }

    /// A count of the story at this scale, varied by a third, never below `least`.
    fn count(&mut self, full: f64, least: usize) -> usize {
        let varied = full * self.scale * self.dice.uniform(0.67, 1.33);
        (varied.round() as usize).max(least)
    }

    /// The day of the shop's calendar the story begins on.
    fn day(&self) -> u32 {
        (self.at - self.shop.options.start).div_euclid(86_400_000).max(0) as u32
    }

    fn networks(&mut self, kind: NetworkKind, n: usize) -> Vec<Network> {
        let mut all = self.shop.world.of_kind(kind, None);
        if kind == NetworkKind::Hosting {
            all.truncate(all.len().saturating_sub(HOSTING_KEPT));
            all.retain(|&at| self.shop.partners.iter().all(|partner| partner.network != at));
        }
        self.dice.shuffle(&mut all);
        all.truncate(n.max(1));
        all.into_iter().map(|at| self.shop.world.networks[at].clone()).collect()
    }

    /// A fingerprint nobody else has.
    fn tool(&mut self) -> Text {
        let name = self.dice.hex(8);
        ja4(self.shop.options.seed, &name)
    }

    /// A client in this network.
    fn client(&self, network: &Network, ip: Text, agent: &Text, ja4: &Text) -> Client {
        Client {
            ip: Some(ip),
            user_agent: Some(agent.clone()),
            ja4: Some(ja4.clone()),
            asn: Some(network.asn),
            country: Some(Text::from(self.shop.world.country_code(network))),
            ..Client::default()
        }
    }
}
