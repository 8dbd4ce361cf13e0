//! Why a score is another than it was: every point between two postures, with its cause.
//!
//! Both waterfalls are exact, so their difference, row by row, adds up to the change of the score. It must *not* know how
//! findings are kept: their standing is asked for.

use std::collections::BTreeMap;

use riskgraph_domain::Text;
use riskgraph_domain::posture::{Posture, PosturePoints, ScoreCause as Cause, ScoreStep};

/// Changes below this are rounding.
const POINTS_MIN: f64 = 1e-9;

/// How a finding stood at the two instants, as the difference asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its asset was not assessed at both instants.
    pub asset_changed: bool,
    /// It is, or was, disputed or accepted at one of the two only.
    pub set_aside: bool,
    /// Its evidence could not be renewed.
    pub stale: bool,
}

/// What lies between two postures, the greatest first; the points add up to the difference of the scores. Empty when one
/// of them is not rated.
#[must_use]
pub fn difference(before: &Posture, after: &Posture, standing: impl Fn(&str, &str) -> Standing) -> Vec<ScoreStep> {
    if before.score.is_none() || after.score.is_none() {
        return Vec::new();
    }
    let (then, now) = (rows(before), rows(after));
    let is_other_model = before.model != after.model;
    let keys: std::collections::BTreeSet<&Key> = then.keys().chain(now.keys()).collect();
    let mut steps: Vec<ScoreStep> = Vec::new();
    for key in keys {
        let (old, new) = (then.get(key), now.get(key));
        let points = old.map_or(0.0, |row| row.points) - new.map_or(0.0, |row| row.points);
        if points.abs() <= POINTS_MIN {
            continue;
        }
        let cause = if is_other_model { Cause::ModelVersion } else { cause(key, (old, new), &standing) };
        let reason = new.or(old).map_or_else(String::new, |row| row.reason.to_owned());
        let (check, asset) = match key {
            Key::Finding(check, asset) => (Some(check.clone()), Some(asset.clone())),
            Key::Other(_) => (None, None),
        };
        steps.push(ScoreStep { points, cause, reason, check, asset });
    }
    steps.sort_by(|a, b| {
        b.points.abs().total_cmp(&a.points.abs()).then_with(|| (&a.check, &a.asset).cmp(&(&b.check, &b.asset)))
    });
    steps
}

/// A row of a waterfall.
struct Row<'a> {
    points: f64,
    reason: &'a str,
    cost: Option<f64>,
}

/// What makes rows of two waterfalls the same row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Finding(Text, Text),
    /// By what stands before the first comma: its figures change.
    Other(String),
}

fn rows(posture: &Posture) -> BTreeMap<Key, Row<'_>> {
    let mut rows: BTreeMap<Key, Row<'_>> = BTreeMap::new();
    for row in &posture.waterfall {
        let slot = rows.entry(key_of(row)).or_insert(Row { points: 0.0, reason: &row.reason, cost: row.cost });
        slot.points += row.points;
    }
    rows
}

fn key_of(row: &PosturePoints) -> Key {
    match (&row.check, &row.asset) {
        (Some(check), Some(asset)) => Key::Finding(check.clone(), asset.clone()),
        _ => Key::Other(row.reason.split(',').next().unwrap_or_default().to_owned()),
    }
}

fn cause(
    key: &Key,
    (old, new): (Option<&Row<'_>>, Option<&Row<'_>>),
    standing: &impl Fn(&str, &str) -> Standing,
) -> Cause {
    let (check, asset) = match key {
        Key::Finding(check, asset) => (check, asset),
        Key::Other(reason) if reason.starts_with("incident") => return Cause::Incident,
        Key::Other(_) => return Cause::Limit,
    };
    let standing = standing(check, asset);
    let costs_as_before = |old: &Row<'_>, new: &Row<'_>| match (old.cost, new.cost) {
        (Some(old), Some(new)) => (old - new).abs() <= POINTS_MIN,
        // Postures of before costs were kept do not tell.
        _ => true,
    };
    match (old, new) {
        _ if standing.set_aside => Cause::Disputed,
        (Some(old), Some(new)) if costs_as_before(old, new) => Cause::Share,
        (Some(_), Some(_)) if standing.stale => Cause::Decayed,
        (Some(_), Some(_)) => Cause::Changed,
        _ if standing.asset_changed => Cause::AssetChanged,
        (None, _) => Cause::New,
        (Some(_), None) if standing.stale => Cause::Decayed,
        (Some(_), None) => Cause::Fixed,
    }
}
