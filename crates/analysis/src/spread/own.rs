//! What an entity's own signals and findings say about it.

use std::collections::BTreeMap;

use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{AlertId, Text, Timestamp};
use serde_json::{Value, json};

use super::config::OwnConfig;
use crate::graph::NodeIx;

/// Characters of a signal's title kept for the explanation.
const TITLE_CHARS_MAX: usize = 96;
/// Scores are kept in millionths: integers come back from a row exactly as they went in.
const PPM: f64 = 1e6;
/// Points are multiples of this binary fraction, so that sums of them are exact in any order.
const POINT: f64 = 1.0 / 256.0;

/// One reason why an entity is risky in itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub source: RiskCause,
    /// The detector, or the check of a finding.
    pub detector: Text,
    pub title: Text,
    pub score_ppm: u32,
    pub role: TouchRole,
    pub at: Timestamp,
    /// The alert the signal was folded into.
    pub alert: Option<AlertId>,
}

/// The causes of all entities that have some.
#[derive(Debug, Clone, Default)]
pub struct OwnRisk {
    causes: BTreeMap<NodeIx, Vec<Cause>>,
    /// One bit for each node that ever had a cause: a walk asks this of every neighbour.
    marks: Vec<u64>,
}

/// A score in 0 ..= 1 as an integer.
#[must_use]
pub fn ppm(score: f64) -> u32 {
    (score.clamp(0.0, 1.0) * PPM).round() as u32
}

/// Rounds points down to what sums exactly.
#[must_use]
pub fn exact(points: f64) -> f64 {
    (points / POINT).floor() * POINT
}

/// The weight of the addend at this rank, from 0: `1 / (rank + 1)^1.5` (Elastic's entity risk; the sum over infinitely
/// many equal addends is 2.612 of one, so a thousand weak ones never equal one strong).
#[must_use]
pub fn rank_weight(rank: usize) -> f64 {
    ((rank + 1) as f64).powf(-1.5)
}

/// Addends, largest first, by their rank weights; scaled down together when the sum would pass 100. Each is exact.
#[must_use]
pub fn rank_damped(mut addends: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    addends.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    for (rank, addend) in addends.iter_mut().enumerate() {
        addend.1 *= rank_weight(rank);
    }
    let sum: f64 = addends.iter().map(|addend| addend.1).sum();
    let scale = if sum > 100.0 { 100.0 / sum } else { 1.0 };
    for addend in &mut addends {
        addend.1 = exact(addend.1 * scale);
    }
    addends.retain(|addend| addend.1 > 0.0);
    addends
}

impl Cause {
    fn points(&self, now: Timestamp, config: &OwnConfig) -> f64 {
        let share = match self.role {
            TouchRole::Subject => 1.0,
            TouchRole::Involved => config.involved_share,
            TouchRole::Context => 0.0,
        };
        let decay = match self.source {
            RiskCause::Finding(_) => 1.0,
            RiskCause::Signal(_) => {
                let half_life = config.half_life_h.hours_ms(&self.detector).max(1) as f64;
                (-((now - self.at).max(0) as f64) / half_life).exp2()
            }
        };
        100.0 * f64::from(self.score_ppm) / PPM * share * decay
    }
}

/// The text of a title as it is kept.
#[must_use]
pub fn short_title(title: &str) -> Text {
    match title.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => Text::from(&title[..end]),
        None => Text::from(title),
    }
}

impl OwnRisk {
    /// The causes of one entity.
    #[must_use]
    pub fn of(&self, ix: NodeIx) -> &[Cause] {
        self.causes.get(&ix).map_or(&[], Vec::as_slice)
    }

    /// Whether the entity may have causes; says yes also when it only once had some.
    #[must_use]
    pub fn may_have(&self, ix: NodeIx) -> bool {
        self.marks.get(ix as usize / 64).is_some_and(|word| word >> (ix % 64) & 1 == 1)
    }

    /// Entities that have causes, in order of their index.
    pub fn risky(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.causes.keys().copied()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.causes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    /// Adds a cause, or replaces the one from the same signal or finding. Beyond the maximum the weakest goes.
    pub fn add(&mut self, ix: NodeIx, cause: Cause, config: &OwnConfig) {
        let word = ix as usize / 64;
        if self.marks.len() <= word {
            self.marks.resize(word + 1, 0);
        }
        self.marks[word] |= 1 << (ix % 64);
        let causes = self.causes.entry(ix).or_default();
        match causes.iter_mut().find(|known| known.source == cause.source) {
            Some(known) => *known = cause,
            None => causes.push(cause),
        }
        causes.sort_by(|a, b| {
            let strength = |cause: &Cause| (cause.score_ppm, cause.at);
            strength(b).cmp(&strength(a)).then_with(|| a.source.cmp_key().cmp(&b.source.cmp_key()))
        });
        causes.truncate(config.causes_max.max(1));
    }

    /// Removes the causes for which `gone` says so; says of which entities there were some.
    pub fn remove(&mut self, mut gone: impl FnMut(NodeIx, &Cause) -> bool) -> Vec<NodeIx> {
        let mut touched = Vec::new();
        self.causes.retain(|&ix, causes| {
            let before = causes.len();
            causes.retain(|cause| !gone(ix, cause));
            if causes.len() != before {
                touched.push(ix);
            }
            !causes.is_empty()
        });
        touched
    }

    /// Removes causes of one entity; says whether there were some.
    pub fn remove_at(&mut self, ix: NodeIx, mut gone: impl FnMut(&Cause) -> bool) -> bool {
        let Some(causes) = self.causes.get_mut(&ix) else { return false };
        let before = causes.len();
        causes.retain(|cause| !gone(cause));
        let removed = causes.len() != before;
        if causes.is_empty() {
            self.causes.remove(&ix);
        }
        removed
    }

    /// Notes that what was folded into one alert now belongs to another; says whether this entity had any of it.
    pub fn move_alert(&mut self, ix: NodeIx, from: AlertId, to: AlertId) -> bool {
        let mut moved = false;
        for cause in self.causes.get_mut(&ix).into_iter().flatten().filter(|cause| cause.alert == Some(from)) {
            cause.alert = Some(to);
            moved = true;
        }
        moved
    }

    /// Points of each cause of this entity at an instant, `(place in [`Self::of`], points)`, leaving out one alert's.
    #[must_use]
    pub fn points(
        &self,
        ix: NodeIx,
        now: Timestamp,
        without: Option<AlertId>,
        config: &OwnConfig,
    ) -> Vec<(usize, f64)> {
        let addends = self
            .of(ix)
            .iter()
            .enumerate()
            .filter(|(_, cause)| without.is_none() || cause.alert != without)
            .map(|(place, cause)| (place, cause.points(now, config)))
            .collect();
        rank_damped(addends)
    }

    /// The signals among the causes as an attribute of the entity's row; findings have rows of their own.
    #[must_use]
    pub fn to_row(&self, ix: NodeIx) -> Option<Value> {
        let rows: Vec<Value> = self.of(ix).iter().filter_map(Cause::to_row).collect();
        (!rows.is_empty()).then_some(Value::Array(rows))
    }

    /// Puts back what [`Self::to_row`] wrote.
    pub fn load_row(&mut self, ix: NodeIx, row: &Value, config: &OwnConfig) {
        for cause in row.as_array().into_iter().flatten().filter_map(Cause::from_row) {
            self.add(ix, cause, config);
        }
    }
}

impl Cause {
    fn to_row(&self) -> Option<Value> {
        let RiskCause::Signal(signal) = self.source else { return None };
        let role = if self.role == TouchRole::Subject { "subject" } else { "involved" };
        Some(json!({
            "signal": signal, "detector": self.detector, "title": self.title, "score_ppm": self.score_ppm, "role": role,
            "at_ms": self.at.0, "alert": self.alert,
        }))
    }

    fn from_row(row: &Value) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        Some(Self {
            source: RiskCause::Signal(text("signal")?.parse().ok()?),
            detector: Text::from(text("detector")?),
            title: Text::from(text("title")?),
            score_ppm: u32::try_from(row.get("score_ppm")?.as_u64()?).ok()?,
            role: if text("role")? == "subject" { TouchRole::Subject } else { TouchRole::Involved },
            at: Timestamp(row.get("at_ms")?.as_i64()?),
            alert: text("alert").and_then(|id| id.parse().ok()),
        })
    }
}

/// An order of causes that does not depend on when they came.
trait CauseOrder {
    fn cmp_key(&self) -> (u8, u128);
}

impl CauseOrder for RiskCause {
    fn cmp_key(&self) -> (u8, u128) {
        match self {
            Self::Signal(id) => (0, id.0),
            Self::Finding(id) => (1, id.0),
        }
    }
}
