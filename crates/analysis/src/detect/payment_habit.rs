//! A payment that does not fit this payer: too large, too many, too much in a day.
//!
//! **Method.** For each payer (the customer, else the card) the last amounts are kept on a logarithmic scale; a payment's
//! distance is robust (median and median absolute deviation, Rousseeuw and Croux 1993) and drawn towards everybody's
//! as long as there are few. How many in an hour and in a day is compared with the payer's own rate by the log-likelihood
//! of a Poisson law; the day's sum counts only together with that. The four parts pass through smooth steps, so that
//! every payment has a score to rank by, reported or not.
//!
//! **Sources.** Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection" (2022), chapter 3, for
//! the features; Bolton and Hand, "Unsupervised profiling methods for fraud detection" (2001).
//!
//! **Memory.** Payer: 220 bytes. It must *not* know devices, cards tried or accounts: other detectors do.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{EntityKind, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use super::accounts::Case;
use super::config::PaymentHabitConfig;
use super::draft::Draft;
use super::keys::person_key;
use crate::keyed::{Key, Keyed, key};
use crate::window::Fading;

mod amounts;
#[cfg(test)]
mod tests;

use amounts::{Amounts, Everybody};

/// Name in signals and configuration.
pub const NAME: &str = "payment_habit";

const HOUR_MS: f64 = 3_600_000.0;
const DAY_MS: f64 = 24.0 * HOUR_MS;

/// What one payer does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Payer {
    amounts: Amounts,
    n: u32,
    first: Timestamp,
    /// Payments that fade within an hour, within a day, within a month; and amounts within a day.
    hour: Fading,
    day: Fading,
    month: Fading,
    day_sum: Fading,
    told_at: Option<Timestamp>,
    told: f64,
}

/// The parts of a payment's score, each 0 ..= 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Parts {
    amount: f64,
    tail: f64,
    hour: f64,
    day: f64,
    sum: f64,
    /// For the reader.
    typical: f64,
    in_hour: f64,
    in_day: f64,
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentHabit {
    config: PaymentHabitConfig,
    payers: Keyed<Payer>,
    everybody: Everybody,
}

impl PaymentHabit {
    #[must_use]
    pub fn new(config: &PaymentHabitConfig) -> Self {
        Self { config: config.clone(), payers: Keyed::new(config.payers_max), everybody: Everybody::default() }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.payers.len()
    }

    /// How unusual the payment is, 0 ..= 1, before it is learned; 0 for what is no payment.
    #[must_use]
    pub fn score(&self, event: &Event) -> f64 {
        let payer = payer_key(event).and_then(|key| self.payers.get(key));
        self.parts(payer, event).map_or(0.0, |parts| self.weigh(&parts))
    }

    /// Takes a payment.
    pub fn observe(&mut self, case: &Case<'_>, signals: &mut Vec<Signal>) {
        let event = case.event;
        let Some(key) = payer_key(event) else { return };
        let Some(parts) = self.parts(self.payers.get(key), event) else { return };
        let score = self.weigh(&parts);
        let quiet_ms = self.config.quiet_s * 1_000;
        let (report_min, step_min) = (self.config.report_min, self.config.report_step);
        let payer = self.payers.touch(key, event.time);
        let was_told = payer.told_at.filter(|at| (event.time - *at).abs() <= quiet_ms).map_or(0.0, |_| payer.told);
        payer.learn(event);
        if let Some(amount) = amount(event) {
            self.everybody.learn(amount);
        }
        let rises = Severity::of_score(score) > Severity::of_score(was_told);
        if score >= report_min && (rises || score >= was_told + step_min) {
            (payer.told_at, payer.told) = (Some(event.time), score);
            signals.push(self.draft(case, &parts).finish(event, case.context));
        }
    }

    fn parts(&self, payer: Option<&Payer>, event: &Event) -> Option<Parts> {
        let amount = amount(event)?;
        let time = event.time;
        let (center, spread) = self.everybody.typical();
        let (own_center, own_spread) =
            payer.map_or((center, spread), |payer| payer.amounts.typical(center, spread, self.config.prior_weight));
        let mut parts = Parts {
            amount: step((amount - own_center) / own_spread, self.config.amount_step, 1.2),
            tail: step(self.everybody.rarity(amount), self.config.tail_step, 3.0),
            typical: own_center.exp(),
            in_hour: 1.0,
            in_day: 1.0,
            ..Parts::default()
        };
        let Some(payer) = payer else { return Some(parts) };
        // A fading count with this half-life holds about as much as a window of the named length.
        let window = |half_life: f64| half_life * std::f64::consts::LN_2;
        parts.in_hour = payer.hour.at(time, window(HOUR_MS)) + 1.0;
        parts.in_day = payer.day.at(time, window(DAY_MS)) + 1.0;
        let known_days = ((time - payer.first) as f64 / DAY_MS).clamp(1.0, 30.0);
        // Own rate, drawn to one payment a week as long as little is known.
        let per_day = (payer.month.at(time, window(30.0 * DAY_MS)) + 1.0) / (known_days + 7.0);
        parts.hour = step(surprise(parts.in_hour, per_day / 8.0 + 0.4), self.config.velocity_step, 0.7);
        parts.day = step(surprise(parts.in_day, per_day + 1.0), self.config.velocity_step, 0.7);
        let sum = payer.day_sum.at(time, window(DAY_MS)) + amount.exp();
        let usual = own_center.exp() * (per_day + 1.0);
        parts.sum = step((sum / usual.max(1.0)).ln(), self.config.sum_step, 2.0) * parts.hour.max(parts.day);
        Some(parts)
    }

    fn weigh(&self, parts: &Parts) -> f64 {
        let config = &self.config;
        let sum = config.amount * parts.amount
            + config.tail * parts.tail
            + config.hour * parts.hour
            + config.day * parts.day
            + config.sum * parts.sum;
        sum.min(config.score_max)
    }

    fn draft(&self, case: &Case<'_>, parts: &Parts) -> Draft {
        let (config, event) = (&self.config, case.event);
        let who = event.actor.user.as_deref().or(event.card.as_ref().and_then(|card| card.fingerprint.as_deref()));
        let who = who.unwrap_or_default();
        let minor = event.money.as_ref().and_then(|money| money.amount_minor).unwrap_or_default();
        let mut draft = Draft::new(NAME, who, format!("Unusual payment of {who}"));
        draft
            .reason(
                config.amount * parts.amount,
                "an amount unlike this payer's others",
                format!("{minor} minor units"),
            )
            .expected(format!("about {:.0}", parts.typical))
            .reason(config.tail * parts.tail, "one of the largest amounts in the shop", format!("{minor} minor units"))
            .reason(
                config.hour * parts.hour,
                "more payments in an hour than this payer makes",
                format!("{:.1}", parts.in_hour),
            )
            .reason(
                config.day * parts.day,
                "more payments in a day than this payer makes",
                format!("{:.1}", parts.in_day),
            )
            .reason(config.sum * parts.sum, "a day's sum far above this payer's usual", format!("{minor} and more"))
            .cap(config.score_max)
            .touch_actor(event, TouchRole::Subject, TouchRole::Involved)
            .techniques(&["T1657"])
            .advice(&["Ask for a second factor (3-D Secure) or review before delivery"])
            .evidence("amount_minor", minor)
            .evidence("typical_minor", parts.typical.round());
        if let Some(card) = event.card.as_ref().and_then(|card| card.fingerprint.as_deref()) {
            let role = if event.actor.user.is_some() { TouchRole::Involved } else { TouchRole::Subject };
            draft.touch(role, EntityKind::Card, card);
        }
        draft
    }
}

impl Payer {
    fn learn(&mut self, event: &Event) {
        let Some(amount) = amount(event) else { return };
        let window = |length: f64| length * std::f64::consts::LN_2;
        self.first = if self.n == 0 { event.time } else { self.first.min(event.time) };
        self.n = self.n.saturating_add(1);
        // A burst must not become the habit it is compared with.
        if self.hour.at(event.time, window(HOUR_MS)) < 1.5 {
            self.amounts.learn(amount);
        }
        self.hour.add(event.time, 1.0, window(HOUR_MS));
        self.day.add(event.time, 1.0, window(DAY_MS));
        self.month.add(event.time, 1.0, window(30.0 * DAY_MS));
        self.day_sum.add(event.time, amount.exp(), window(DAY_MS));
    }
}

/// The customer, else the card.
fn payer_key(event: &Event) -> Option<Key> {
    if event.kind != EventKind::PaymentAttempt {
        return None;
    }
    person_key(event).or_else(|| Some(key(&["card", event.card.as_ref()?.fingerprint.as_deref()?])))
}

/// Logarithm of the amount in minor units.
fn amount(event: &Event) -> Option<f64> {
    let minor = event.money.as_ref()?.amount_minor.filter(|minor| *minor > 0)?;
    Some((minor as f64).ln())
}

/// A smooth step from 0 to 1 around `middle`.
fn step(value: f64, middle: f64, steepness: f64) -> f64 {
    1.0 / (1.0 + (-steepness * (value - middle)).exp())
}

/// Log-likelihood ratio of `n` events where `expected` were to come; 0 when there are fewer.
fn surprise(n: f64, expected: f64) -> f64 {
    if n <= expected { 0.0 } else { n * (n / expected).ln() - (n - expected) }
}
