//! The search box: fuzzy over names and keys, or by risk.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;
use riskgraph_domain::EntityKind;
use riskgraph_domain::graph::Entity;
use riskgraph_domain::page::{Page, PageRequest};

use super::RiskGraph;
use super::arena::NodeIx;

/// Characters of a query that are used.
const QUERY_MAX: usize = 64;
/// Entities that passed the cheap test and are scored; the rest of a large graph is not. Bounds a search to some
/// ten milliseconds.
const SCORED_MAX: usize = 5_000;
/// Risky entities whose whole risk is computed for an order by risk.
const RISKY_MAX: usize = 2_000;
/// Entities listed without a query and without risk.
const LISTED_MAX: usize = 10_000;

impl RiskGraph {
    /// Fuzzy over names and keys when there is a query, best first; else by risk, highest first.
    #[must_use]
    pub fn search(
        &self,
        query: Option<&str>,
        kinds: &[EntityKind],
        min_risk: Option<f64>,
        page: &PageRequest,
    ) -> Page<Entity> {
        let query: Option<String> = query
            .map(|text| text.chars().filter(|c| !c.is_whitespace()).take(QUERY_MAX).collect::<String>().to_lowercase())
            .filter(|text| !text.is_empty());
        let mut found = match &query {
            Some(query) => self.matching(query, kinds),
            None => self.by_risk(kinds, min_risk.is_some_and(|min| min > 0.0)),
        };
        if let (Some(min), Some(_)) = (min_risk, &query) {
            found.truncate(RISKY_MAX);
            found.retain(|&ix| self.risk_at(ix).score >= min);
        } else if let Some(min) = min_risk {
            found.retain(|&ix| min <= 0.0 || self.risk_at(ix).score >= min);
        }
        let start: usize = page.after.as_ref().and_then(|cursor| cursor.parse().ok()).map_or(0, |n: usize| n + 1);
        let items: Vec<(String, Entity)> = found
            .iter()
            .enumerate()
            .skip(start)
            .take(page.first)
            .map(|(place, &ix)| (place.to_string(), self.arena.entity(ix)))
            .collect();
        let has_next = start.saturating_add(page.first) < found.len();
        Page { items, has_next, total: Some(found.len() as u64) }
    }

    fn wanted(&self, ix: NodeIx, kinds: &[EntityKind]) -> bool {
        kinds.is_empty() || kinds.contains(&self.arena.node(ix).kind)
    }

    fn matching(&self, query: &str, kinds: &[EntityKind]) -> Vec<NodeIx> {
        let matcher = SkimMatcherV2::default().ignore_case();
        // Text that holds the query as it is comes before text that holds its letters in order.
        let (mut whole, mut scattered) = (Vec::new(), Vec::new());
        for ix in 0..self.arena.n_nodes() as NodeIx {
            if !self.wanted(ix, kinds) {
                continue;
            }
            let key = self.arena.node(ix).key.as_str();
            let name = self.arena.own_name(ix).map_or("", |name| name.as_str());
            if holds(key, query) || holds(name, query) {
                whole.push(ix);
            } else if scattered.len() < SCORED_MAX && (scatters(key, query) || scatters(name, query)) {
                scattered.push(ix);
            }
            if whole.len() >= SCORED_MAX {
                break;
            }
        }
        let mut scored: Vec<(i64, NodeIx)> = whole
            .into_iter()
            .map(|ix| (ix, WHOLE_BONUS))
            .chain(scattered.into_iter().map(|ix| (ix, 0)))
            .filter_map(|(ix, bonus)| {
                let score = |text: &str| {
                    let exact = if text.eq_ignore_ascii_case(query) { WHOLE_BONUS } else { 0 };
                    matcher.fuzzy_match(text, query).map(|score| score + bonus + exact - text.len().min(200) as i64)
                };
                let best = score(&self.arena.node(ix).key).max(score(self.arena.name(ix)));
                best.map(|score| (score, ix))
            })
            .collect();
        scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| self.arena.id(a.1).cmp(&self.arena.id(b.1))));
        scored.into_iter().map(|(_, ix)| ix).collect()
    }

    fn by_risk(&self, kinds: &[EntityKind], only: bool) -> Vec<NodeIx> {
        let mut risky: Vec<NodeIx> = self.own.risky().collect();
        risky.sort_by_key(|&ix| std::cmp::Reverse(self.own.of(ix).first().map(|cause| cause.score_ppm)));
        risky.truncate(RISKY_MAX);
        // What their risk reaches at once belongs into the order too.
        let near: Vec<NodeIx> =
            risky.iter().flat_map(|&ix| self.arena.neighbours(ix).take(8).map(|(_, next, _)| next)).collect();
        risky.extend(near);
        risky.sort_unstable();
        risky.dedup();
        let mut order: Vec<(f64, NodeIx)> = risky
            .iter()
            .filter(|&&ix| self.wanted(ix, kinds))
            .map(|&ix| (self.risk_at(ix).score, ix))
            .filter(|&(score, _)| score > 0.0)
            .take(2 * RISKY_MAX)
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| self.arena.id(a.1).cmp(&self.arena.id(b.1))));
        let mut found: Vec<NodeIx> = order.into_iter().map(|(_, ix)| ix).collect();
        if !only {
            let rest = (0..self.arena.n_nodes() as NodeIx)
                .filter(|ix| risky.binary_search(ix).is_err() && self.wanted(*ix, kinds))
                .take(LISTED_MAX);
            found.extend(rest);
        }
        found
    }
}

/// Lifts text that holds the query in one piece over any scattered match.
const WHOLE_BONUS: i64 = 10_000;

/// Whether the text holds the (lower-case) query in one piece, whatever its case.
fn holds(text: &str, query: &str) -> bool {
    if text.len() < query.len() {
        return false;
    }
    if !query.is_ascii() {
        return !text.is_ascii() && text.to_lowercase().contains(query);
    }
    let (text, query) = (text.as_bytes(), query.as_bytes());
    let Some((&first, rest)) = query.split_first() else { return true };
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text)
        .any(|at| text.get(at + 1..=at + rest.len()).is_some_and(|part| part.eq_ignore_ascii_case(rest)))
}

/// Whether the letters of the (lower-case) query stand in the text in this order.
fn scatters(text: &str, query: &str) -> bool {
    if text.len() < query.len() {
        return false;
    }
    if text.is_ascii() || query.is_ascii() {
        let mut rest = text.as_bytes();
        return query.bytes().all(|wanted| match memchr::memchr2(wanted, wanted.to_ascii_uppercase(), rest) {
            Some(at) => {
                rest = &rest[at + 1..];
                true
            }
            None => false,
        });
    }
    let mut letters = text.chars().flat_map(char::to_lowercase);
    query.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_letters_whole_and_scattered() {
        let check = |text: &str, query: &str, whole: bool, scattered: bool| {
            assert_eq!((holds(text, query), scatters(text, query)), (whole, scattered), "{text} {query}");
        };
        check("Logistix GmbH", "logi", true, true);
        check("Logistix GmbH", "lgmb", false, true);
        check("Logistix GmbH", "h", true, true);
        check("Logistix GmbH", "hl", false, false);
        check("Zürich", "zür", true, true);
        check("ZÜRICH", "zch", false, true);
        check("ab", "abc", false, false);
    }
}
