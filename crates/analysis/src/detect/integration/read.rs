//! What people may read of the learned normal: the baseline as JSON and the traffic chart.

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use riskgraph_domain::vendor::TrafficPoint;
use serde_json::{Value, json};

use super::partner::Partner;
use super::{Integration, partner_key};

/// Points of one chart.
const POINTS_MAX: i64 = 2_000;
/// Networks, endpoints and the like listed.
const LISTED_MAX: usize = 20;
/// Places of the week.
const HOURS_OF_WEEK: usize = 168;

impl Integration {
    /// What is normal for the integration: rates by hour of week, endpoints, statuses, networks, record volume.
    /// `null` when it never called.
    #[must_use]
    pub fn baseline_json(&self, integration: &str) -> Value {
        self.partner(integration).map_or(Value::Null, baseline)
    }

    /// Traffic in steps of `step_s` (at least 60 s; widened so that at most 2,000 points result) from `since` to `until`,
    /// or to the newest call. Minutes are kept two days, hours sixty; steps below an hour read as 0 before that.
    #[must_use]
    pub fn traffic(
        &self,
        integration: &str,
        since: Timestamp,
        until: Option<Timestamp>,
        step_s: u32,
    ) -> Vec<TrafficPoint> {
        let Some(partner) = self.partner(integration) else { return Vec::new() };
        let newest = partner.recent.latest().map_or(since, |latest| latest + MINUTE_MS);
        let until = until.unwrap_or(newest);
        let span = (until - since).max(0);
        let mut step = (i64::from(step_s) * 1_000).max(MINUTE_MS).max(span / POINTS_MAX + 1);
        step = step.div_euclid(MINUTE_MS) * MINUTE_MS + if step % MINUTE_MS == 0 { 0 } else { MINUTE_MS };
        if newest - since > 48 * HOUR_MS {
            step = step.max(HOUR_MS); // older than the minutes that are kept
        }
        let mut at = since.floor(step);
        let mut points = Vec::new();
        while at < until && (points.len() as i64) < POINTS_MAX {
            points.push(point(partner, at, step));
            at = at + step;
        }
        points
    }

    fn partner(&self, integration: &str) -> Option<&Partner> {
        self.partners.get(partner_key(integration))?.as_deref()
    }
}

fn point(partner: &Partner, at: Timestamp, step: i64) -> TrafficPoint {
    let tally = partner.recent.sum(at, at + step);
    let (mut expected, mut lower, mut upper) = (0.0, 0.0, 0.0);
    let piece = step.min(HOUR_MS);
    let mut from = at;
    while from < at + step {
        let band = partner.calls.scaled(from.hour_of_week(), piece as f64 / HOUR_MS as f64);
        expected += band.expected;
        lower += band.lower;
        upper += band.upper;
        from = from + piece;
    }
    let calls = f64::from(tally.calls);
    let edge = if calls >= expected { upper } else { lower };
    let room = (edge.ln_1p() - expected.ln_1p()).abs().max(1e-9);
    let anomaly = if partner.n_hours == 0 {
        0.0
    } else {
        // 0 within two thirds of the band, 1 at twice its edge: the band is three deviations wide.
        (((calls.ln_1p() - expected.ln_1p()).abs() / room * 3.0 - 2.0) / 4.0).clamp(0.0, 1.0)
    };
    TrafficPoint {
        time: at,
        calls,
        expected,
        lower,
        upper,
        errors: f64::from(tally.errors),
        records: tally.records as f64,
        anomaly,
    }
}

fn baseline(partner: &Partner) -> Value {
    let habits = &partner.habits;
    let rates: Vec<Value> = (0..HOURS_OF_WEEK)
        .map(|hour| {
            let (calls, records) = (partner.calls.band(hour), partner.records.band(hour));
            json!({ "hour": hour, "calls": round(calls.expected), "lower": round(calls.lower),
                "upper": round(calls.upper), "records": round(records.expected) })
        })
        .collect();
    let listed = |seen: &crate::baseline::Seen| -> Vec<Value> {
        seen.top(LISTED_MAX).into_iter().map(|(name, n)| json!({ "name": name, "calls": n })).collect()
    };
    let names = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
    let statuses: serde_json::Map<String, Value> = names
        .iter()
        .zip(partner.statuses)
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| ((*name).into(), n.into()))
        .collect();
    json!({
        "calls": habits.calls, "since": habits.first, "hours_learned": partner.n_hours,
        "hours_with_calls": habits.hours, "rates": rates, "endpoints": listed(&habits.endpoints),
        "statuses": statuses, "networks": listed(&habits.networks), "countries": listed(&habits.countries),
        "user_agents": listed(&habits.agents), "fields": listed(&habits.fields),
        "records": { "highest_hour": round(partner.top), "usual_hour": round(partner.records.overall()),
            "deepest_page": partner.page_max },
    })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
