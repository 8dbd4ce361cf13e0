//! One day of the shop, made hour by hour so that only an hour's events are in memory.

use riskgraph_domain::{Text, Timestamp};

use crate::checkout::Outage;
use crate::dice::Dice;
use crate::emit::{Emitter, sort};
use crate::label::{Label, Labelled, Role};
use crate::session::{self, Mood};
use crate::shop::{DayFlavour, Shop};
use crate::user::demand;
use crate::{noise, partner, staff};

pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Share of a normal day's events that are visits; the rest is partners, staff and robots.
const VISIT_SHARE: f64 = 0.74;
/// Mean number of events of a visit, measured over seeds.
const EVENTS_A_VISIT: f64 = 9.9;
/// Demand by weekday, Monday first.
const WEEK: [f64; 7] = [1.04, 1.0, 0.97, 0.98, 0.93, 0.98, 1.1];
/// How many times the usual traffic a sale brings, by hours since it began.
const SALE: [f64; 14] = [12.0, 7.0, 4.5, 3.5, 3.0, 2.6, 2.4, 2.4, 2.6, 2.8, 2.8, 2.4, 2.0, 1.6];
/// Local hour of the main market at which a sale begins.
const SALE_HOUR: i64 = 10;

/// What is special about a day, drawn once.
pub(crate) struct Plan {
    pub day: u32,
    pub flavour: DayFlavour,
    /// First hour of a sale, in hours of the day (UTC).
    pub sale_hour: i64,
    pub outage: Option<Outage>,
    /// A partner's index, first and last silent instant.
    pub maintenance: Option<(usize, Timestamp, Timestamp)>,
}

/// The events of a day in time order.
pub struct Day<'a> {
    shop: &'a mut Shop,
    plan: Plan,
    hour: i64,
    ready: std::vec::IntoIter<Labelled>,
    pending: Vec<Labelled>,
}

impl Shop {
    /// The events of this day, in time order; days are meant to be taken one after another.
    pub fn day(&mut self, day: u32, flavour: DayFlavour) -> Day<'_> {
        let pending = if self.carry_day == day { std::mem::take(&mut self.carry) } else { Vec::new() };
        if flavour == DayFlavour::AppRelease {
            self.app_release = self.app_release.saturating_add(1);
        }
        let plan = Plan::draw(self, day, flavour);
        Day { shop: self, plan, hour: 0, ready: Vec::new().into_iter(), pending }
    }
}

impl Plan {
    fn draw(shop: &Shop, day: u32, flavour: DayFlavour) -> Self {
        let mut dice = Dice::of(shop.options.seed, &["plan", &day.to_string()]);
        let midnight = shop.midnight(day);
        let outage = (flavour == DayFlavour::BankOutage).then(|| {
            let from = midnight + dice.range(9 * 60, 18 * 60) * 60_000;
            Outage { from, to: from + dice.range(50, 130) * 60_000, bins: shop.banks.large_bank(&mut dice) }
        });
        let maintenance = (flavour == DayFlavour::VendorMaintenance).then(|| {
            let from = midnight + dice.range(6 * 60, 20 * 60) * 60_000;
            (dice.index(shop.partners.len()), from, from + dice.range(60, 180) * 60_000)
        });
        let sale_hour = (SALE_HOUR - shop.world.countries[0].utc_h).rem_euclid(24);
        Self { day, flavour, sale_hour, outage, maintenance }
    }
}

impl Iterator for Day<'_> {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(event);
            }
            if self.hour >= 24 {
                return None;
            }
            self.fill();
            self.hour += 1;
        }
    }
}

impl Day<'_> {
    /// Makes the next hour.
    fn fill(&mut self) {
        let (shop, plan, hour) = (&mut *self.shop, &self.plan, self.hour);
        let name = (i64::from(plan.day) * 24 + hour).to_string();
        let label = Label { scenario: None, role: Role::Normal, step: 0 };
        let mut out = Emitter::new(shop.options.seed, &["hour", &name], shop.options.detail, label);
        out.out = std::mem::take(&mut self.pending);
        let begin = shop.midnight(plan.day) + hour * HOUR_MS;
        visits(shop, &mut out, plan, begin, hour);
        partner::hour(shop, &mut out, plan, begin);
        staff::hour(shop, &mut out, plan.day, begin);
        noise::hour(shop, &mut out, plan.day, begin);
        let mut events = out.out;
        sort(&mut events);
        let end = begin + HOUR_MS;
        let later = events.split_off(events.partition_point(|labelled| labelled.event.time < end));
        if hour == 23 {
            (shop.carry, shop.carry_day) = (later, plan.day + 1);
        } else {
            self.pending = later;
        }
        self.ready = events.into_iter();
    }
}

/// How many times the usual traffic this hour has.
fn surge(plan: &Plan, hour: i64) -> f64 {
    if plan.flavour != DayFlavour::SaleDay || hour < plan.sale_hour {
        return 1.0;
    }
    SALE.get((hour - plan.sale_hour) as usize).copied().unwrap_or(1.3)
}

fn visits(shop: &mut Shop, out: &mut Emitter, plan: &Plan, begin: Timestamp, hour: i64) {
    let mut dice = Dice::of(shop.options.seed, &["visits", &begin.0.to_string()]);
    let usual = shop.options.events_per_day as f64 * VISIT_SHARE / EVENTS_A_VISIT / 24.0;
    let week = WEEK[begin.hour_of_week() / 24];
    let surge = surge(plan, hour);
    let n = dice.poisson(usual * week * demand(hour + shop.world.countries[0].utc_h) * surge);
    for _ in 0..n {
        let hot = surge > 8.0;
        // A sale begins with a rush: most come in its first minutes.
        let share = if hot { dice.unit().powf(2.2) } else { dice.unit() };
        let at = begin + (share * HOUR_MS as f64) as i64;
        let newcomer = dice.chance(if surge > 1.0 { 0.03 } else { 0.008 });
        let user = if newcomer { shop.join(&mut dice) } else { awake(shop, &mut dice, hour, surge) };
        let mood = Mood { newcomer, sale: surge > 1.0, outage: plan.outage.as_ref() };
        session::visit(shop, out, &mut dice, &session::Arrival { user, at, day: plan.day, mood });
    }
}

/// A customer who may well be up at this hour; at a sale also those who seldom come.
fn awake(shop: &Shop, dice: &mut Dice, hour: i64, surge: f64) -> usize {
    const TRIES: usize = 6;
    let mut user = 0;
    for _ in 0..TRIES {
        user = if surge > 1.0 { dice.index(shop.users.len()) } else { shop.somebody(dice) };
        if dice.chance(shop.users[user].wakefulness(&shop.world, hour)) {
            break;
        }
    }
    user
}

/// A session cookie's hash.
pub(crate) fn session_id(dice: &mut Dice) -> Text {
    Text::from(format!("s-{}", dice.hex(12)))
}
