//! For the one who leads the risk team: how many alerts, how fast they were handled, how right they were.

use std::collections::BTreeMap;

use riskgraph_domain::alert::{AlertStatus, Verdict};
use riskgraph_domain::graph::EntityKey;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{EntityKind, Severity, Text};

use super::parts::{Links, against, counted, figure, is_from_before, is_new, method, steps};
use super::tables::{NAME_MAX, TEXT_MAX, bounded};
use super::times::{spread, took, wilson};
use super::{frame, section, stale};
use crate::facts::{AlertFacts, Facts};
use crate::model::{Block, Cell, Chart, ChartKind, Column, Figure, Link, ReportModel, Row, Series, Table, Tone};
use crate::words;

/// Longest list of open alerts and of entities.
const OPEN_MAX: usize = 25;
const ENTITIES_MAX: usize = 15;
/// Bars of the trend.
const BARS: i64 = 14;
/// Verdicts below which a detector's share says little.
const ENOUGH: usize = 10;
/// Worst first.
const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// What happened to an alert that is timed.
type Step = fn(&AlertFacts) -> Option<riskgraph_domain::Timestamp>;
const STEPS: [(&str, &str, Step); 3] = [
    ("acknowledge", "Taken up", |alert| alert.alert.acknowledged_at),
    ("contain", "Contained", |alert| alert.alert.contained_at),
    ("resolve", "Resolved", |alert| alert.resolved_at),
];

pub(super) fn compose(facts: &Facts) -> ReportModel {
    let staleness = stale::of_all(facts);
    let new: Vec<&AlertFacts> = facts.alerts.iter().filter(|alert| is_new(facts, alert)).collect();
    let open: Vec<&AlertFacts> =
        facts.alerts.iter().filter(|alert| alert.alert.status != AlertStatus::Resolved).collect();
    let mut model = frame(facts, "Alerts and response", "For the head of risk");
    model.lead = lead(facts, &new, &open);
    let figures = figures(facts, &new, &open, staleness.alerts.as_ref());
    model.sections = vec![
        section("figures", "The period in figures", vec![Block::Figures { figures }]),
        section(
            "alerts",
            "Alerts by severity and state",
            vec![Block::Chart(trend(facts, &new)), Block::Table(by_severity(&new))],
        ),
        section("times", "How fast alerts were handled", vec![Block::Table(response_times(&new))]),
        section("open", "Open alerts", vec![Block::Table(open_alerts(facts, open))]),
        section(
            "verdicts",
            "What alerts turned out to be",
            vec![Block::Table(verdicts(facts)), Block::Table(precision(facts))],
        ),
        section("entities", "Who is concerned most", vec![Block::Table(worst_entities(facts))]),
    ];
    model.method = method(facts);
    model.method.push(
        "Times run from the moment an alert was raised to the first time somebody took it up, the first action that \
         contained it, and its end. Only alerts raised in the period count."
            .to_owned(),
    );
    model.method.push(
        "Precision counts verdicts of people: real attacks and problems against false alarms and harmless events. \
         Duplicates and undecided alerts do not count. The range is Wilson's 95 % interval: with few verdicts it is wide."
            .to_owned(),
    );
    staleness.tell(&mut model);
    model
}

fn lead(facts: &Facts, new: &[&AlertFacts], open: &[&AlertFacts]) -> Vec<String> {
    let n_serious = new.iter().filter(|alert| alert.alert.severity >= Severity::High).count();
    let untouched = open.iter().filter(|alert| alert.alert.status == AlertStatus::Open);
    let n_untouched = untouched.filter(|alert| alert.alert.severity >= Severity::High).count();
    let raised = format!(
        "{} raised since {}, {n_serious} of them high or critical. {} open.",
        match new.len() {
            1 => "1 alert was".to_owned(),
            n => format!("{} were", words::count(n, "alert")),
        },
        words::date(facts.since),
        match open.len() {
            0 => "None is".to_owned(),
            1 => "1 is".to_owned(),
            n => format!("{} are", words::thousands(i64::try_from(n).unwrap_or(i64::MAX))),
        }
    );
    let todo = match n_untouched {
        0 => "Every serious alert has been taken up.".to_owned(),
        1 => "1 serious alert has not been taken up by anybody.".to_owned(),
        n => format!("{n} serious alerts have not been taken up by anybody."),
    };
    vec![raised, todo]
}

fn figures(facts: &Facts, new: &[&AlertFacts], open: &[&AlertFacts], gaps: Option<&String>) -> Vec<Figure> {
    let links = Links(facts);
    let since = facts.since.to_rfc3339();
    let n_before = facts.alerts.iter().filter(|alert| is_from_before(facts, alert)).count();
    let n_serious = open.iter().filter(|alert| alert.alert.severity >= Severity::High).count();
    let mut figures = vec![
        counted("alerts-raised", "Alerts raised", new.len())
            .noted(against(new.len(), n_before, facts.as_of - facts.since))
            .from(links.to(&format!("/alerts?since={since}")), "Alerts of the period"),
        counted("alerts-open", "Alerts open now", open.len())
            .noted(format!("{n_serious} high or critical"))
            .toned(if n_serious > 0 { Tone::Bad } else { Tone::Plain })
            .from(links.to("/alerts?status=OPEN,ACKNOWLEDGED"), "Open alerts"),
    ];
    for (id, said, step) in STEPS {
        let times = spread(new.iter().filter_map(|alert| took(alert, step(alert))).collect());
        let shown = times.map_or_else(|| "–".to_owned(), |times| words::duration(times.median_ms));
        let note = times.map_or_else(
            || "no alert of the period yet".to_owned(),
            |times| format!("half of {}; nine of ten within {}", times.n, words::duration(times.p90_ms)),
        );
        let value = times.map(|times| times.median_ms as f64 / 1e3);
        figures.push(
            figure(&format!("time-to-{id}"), &format!("{said} within"), shown, value)
                .unit("seconds")
                .noted(note)
                .from(links.to(&format!("/alerts?since={since}&sort={id}")), "Alerts of the period"),
        );
    }
    figures.push(precision_figure(facts, &links));
    figures.into_iter().map(|figure| figure.stale(gaps)).collect()
}

fn precision_figure(facts: &Facts, links: &Links<'_>) -> Figure {
    let (hits, n) = judged(facts.alerts.iter());
    let share = wilson(hits, n);
    let shown = share.map_or_else(|| "–".to_owned(), |(share, ..)| words::percent(share));
    let note = share.map_or_else(
        || "no alert has a verdict yet".to_owned(),
        |(_, low, high)| {
            format!("{hits} of {n} verdicts; surely between {} and {}", words::percent(low), words::percent(high))
        },
    );
    figure("precision", "Alerts that were right", shown, share.map(|(share, ..)| share * 100.0))
        .unit("percent")
        .noted(note)
        .from(links.to("/alerts?status=RESOLVED&verdict=TRUE_POSITIVE,FALSE_POSITIVE,BENIGN"), "Alerts with a verdict")
}

/// Alerts that were right, of those that were right or wrong.
fn judged<'a>(alerts: impl Iterator<Item = &'a AlertFacts>) -> (usize, usize) {
    alerts.fold((0, 0), |(hits, n), alert| match alert.alert.verdict {
        Some(Verdict::TruePositive) => (hits + 1, n + 1),
        Some(Verdict::FalsePositive | Verdict::Benign) => (hits, n + 1),
        _ => (hits, n),
    })
}

fn trend(facts: &Facts, new: &[&AlertFacts]) -> Chart {
    let period = facts.as_of - facts.since;
    let n_bars = ((period + DAY_MS - 1) / DAY_MS).clamp(1, BARS);
    let bars = steps(facts.as_of, (period / n_bars).max(1), n_bars);
    let of = |severity: Severity| {
        let count = |from, until| {
            let alerts = new.iter().filter(|alert| alert.alert.severity == severity);
            alerts.filter(|alert| alert.raised_at > from && alert.raised_at <= until).count() as f64
        };
        bars.iter().map(|(from, until)| Some(count(*from, *until))).collect()
    };
    let series = SEVERITIES
        .into_iter()
        .map(|severity| Series {
            name: words::severity(severity).to_owned(),
            tone: words::severity_tone(severity),
            values: of(severity),
        })
        .collect();
    Chart {
        id: "alerts-by-day".to_owned(),
        title: "Alerts raised".to_owned(),
        description: format!(
            "{} raised between {} and {}, by severity.",
            words::count(new.len(), "alert"),
            words::date(facts.since),
            words::date(facts.as_of)
        ),
        kind: ChartKind::Stacked,
        unit: "alerts".to_owned(),
        categories: bars.iter().map(|(from, _)| words::day(*from)).collect(),
        series,
        max: None,
        evidence: Some(Link {
            url: Links(facts).to(&format!("/alerts?since={}", facts.since.to_rfc3339())),
            text: "Alerts of the period".to_owned(),
        }),
    }
}

fn by_severity(new: &[&AlertFacts]) -> Table {
    let rows = SEVERITIES
        .into_iter()
        .map(|severity| {
            let of = |status: AlertStatus| {
                new.iter().filter(|a| a.alert.severity == severity && a.alert.status == status).count()
            };
            let counts = AlertStatus::ALL.iter().map(|status| of(*status));
            let total: usize = AlertStatus::ALL.iter().map(|status| of(*status)).sum();
            let cells = [Cell::badge(words::severity(severity), words::severity_tone(severity))];
            let counts = counts.chain([total]).map(|n| Cell::text(n.to_string()));
            Row { cells: cells.into_iter().chain(counts).collect(), ..Row::default() }
        })
        .collect();
    Table {
        id: "alerts-by-severity".to_owned(),
        title: "Alerts raised in the period".to_owned(),
        columns: vec![
            Column::words("Severity", 30.0),
            Column::numbers(words::alert_status(AlertStatus::Open), 17.0),
            Column::numbers(words::alert_status(AlertStatus::Acknowledged), 19.0),
            Column::numbers(words::alert_status(AlertStatus::Resolved), 17.0),
            Column::numbers("All", 17.0),
        ],
        rows,
        empty: "No alert was raised.".to_owned(),
        note: None,
    }
}

fn response_times(new: &[&AlertFacts]) -> Table {
    let mut rows = Vec::new();
    for severity in SEVERITIES {
        let of: Vec<&&AlertFacts> = new.iter().filter(|alert| alert.alert.severity == severity).collect();
        if of.is_empty() {
            continue;
        }
        let mut cells = vec![
            Cell::badge(words::severity(severity), words::severity_tone(severity)),
            Cell::text(of.len().to_string()),
        ];
        for (_, _, step) in STEPS {
            let times = spread(of.iter().filter_map(|alert| took(alert, step(alert))).collect());
            cells.push(times.map_or_else(
                || Cell::text("–"),
                |times| {
                    Cell::text(words::duration(times.median_ms)).with(format!(
                        "{} of {}; 9 of 10 within {}",
                        times.n,
                        of.len(),
                        words::duration(times.p90_ms)
                    ))
                },
            ));
        }
        rows.push(Row { cells, ..Row::default() });
    }
    Table {
        id: "response-times".to_owned(),
        title: "Time until an alert was taken up, contained and resolved (half were faster)".to_owned(),
        columns: vec![
            Column::words("Severity", 16.0),
            Column::numbers("Alerts", 9.0),
            Column::numbers("Taken up", 25.0),
            Column::numbers("Contained", 25.0),
            Column::numbers("Resolved", 25.0),
        ],
        rows,
        empty: "No alert was raised in the period.".to_owned(),
        note: None,
    }
}

fn open_alerts(facts: &Facts, mut open: Vec<&AlertFacts>) -> Table {
    let links = Links(facts);
    open.sort_by(|a, b| {
        let order = b.alert.severity.cmp(&a.alert.severity).then_with(|| b.alert.score.total_cmp(&a.alert.score));
        order.then_with(|| a.alert.id.cmp(&b.alert.id))
    });
    let rows = open
        .iter()
        .map(|alert| Row {
            cells: vec![
                Cell::text(words::cut(&alert.alert.title, TEXT_MAX)).to(links.alert(alert)),
                Cell::badge(words::severity(alert.alert.severity), words::severity_tone(alert.alert.severity)),
                Cell::text(words::alert_status(alert.alert.status))
                    .with(alert.alert.assignee.as_deref().map_or_else(String::new, |name| words::cut(name, NAME_MAX))),
                Cell::text(words::duration(facts.as_of - alert.raised_at)),
            ],
            ..Row::default()
        })
        .collect();
    let table = Table {
        id: "open-alerts".to_owned(),
        title: "Open alerts, worst first".to_owned(),
        columns: vec![
            Column::words("Alert", 52.0),
            Column::words("Severity", 13.0),
            Column::words("State", 19.0),
            Column::numbers("Open for", 16.0),
        ],
        rows,
        empty: "No alert is open.".to_owned(),
        note: None,
    };
    bounded(table, OPEN_MAX)
}

fn verdicts(facts: &Facts) -> Table {
    let of_period = |alert: &&AlertFacts| alert.resolved_at.is_some_and(|at| at > facts.since);
    let resolved: Vec<&AlertFacts> = facts.alerts.iter().filter(of_period).collect();
    let rows = Verdict::ALL
        .iter()
        .map(|verdict| {
            let n = resolved.iter().filter(|alert| alert.alert.verdict == Some(*verdict)).count();
            let share =
                if resolved.is_empty() { "–".to_owned() } else { words::percent(n as f64 / resolved.len() as f64) };
            let url = Links(facts).to(&format!("/alerts?status=RESOLVED&verdict={}", verdict.as_str()));
            let cells =
                vec![Cell::text(words::verdict(*verdict)).to(url), Cell::text(n.to_string()), Cell::text(share)];
            Row { cells, ..Row::default() }
        })
        .collect();
    Table {
        id: "verdicts-given".to_owned(),
        title: "Alerts resolved in the period, by verdict".to_owned(),
        columns: vec![Column::words("Verdict", 60.0), Column::numbers("Alerts", 20.0), Column::numbers("Share", 20.0)],
        rows: if resolved.is_empty() { Vec::new() } else { rows },
        empty: "No alert was resolved in the period.".to_owned(),
        note: None,
    }
}

/// How right each detector was, over everything that has a verdict.
fn precision(facts: &Facts) -> Table {
    let mut by_detector: BTreeMap<&Text, Vec<&AlertFacts>> = BTreeMap::new();
    for alert in &facts.alerts {
        for detector in &alert.alert.detectors {
            by_detector.entry(detector).or_default().push(alert);
        }
    }
    let mut judged: Vec<(&Text, usize, usize)> = by_detector
        .into_iter()
        .map(|(name, alerts)| {
            let (hits, n) = judged(alerts.into_iter());
            (name, hits, n)
        })
        .filter(|(_, _, n)| *n > 0)
        .collect();
    judged.sort_by_key(|(name, _, n)| (std::cmp::Reverse(*n), (*name).clone()));
    let rows = judged
        .into_iter()
        .filter_map(|(name, hits, n)| {
            let (share, low, high) = wilson(hits, n)?;
            let url = Links(facts).to(&format!("/alerts?detector={name}&status=RESOLVED"));
            let few = if n < ENOUGH { "few verdicts" } else { "" };
            Some(Row {
                cells: vec![
                    Cell::text(words::detector(name)).to(url),
                    Cell::text(hits.to_string()),
                    Cell::text((n - hits).to_string()),
                    Cell::text(words::percent(share)),
                    Cell::text(format!("{} to {}", words::percent(low), words::percent(high))).with(few),
                ],
                ..Row::default()
            })
        })
        .collect();
    Table {
        id: "detector-precision".to_owned(),
        title: "How right each detector was, over all verdicts so far".to_owned(),
        columns: vec![
            Column::words("Detector", 36.0),
            Column::numbers("Right", 12.0),
            Column::numbers("Wrong", 12.0),
            Column::numbers("Share right", 16.0),
            Column::numbers("95 % interval", 24.0),
        ],
        rows,
        empty: "No alert has a verdict yet: resolve alerts with what they really were, and this table fills."
            .to_owned(),
        note: None,
    }
}

/// Entities by the open alerts around them. Shared ground (addresses of carriers, endpoints) is not told apart.
fn worst_entities(facts: &Facts) -> Table {
    const SKIPPED: [EntityKind; 2] = [EntityKind::Endpoint, EntityKind::Session];
    let links = Links(facts);
    let mut by_entity: BTreeMap<&EntityKey, (usize, Severity, f64)> = BTreeMap::new();
    for alert in facts.alerts.iter().filter(|alert| alert.alert.status != AlertStatus::Resolved) {
        for entity in alert.alert.entities.iter().filter(|entity| !SKIPPED.contains(&entity.kind)) {
            let entry = by_entity.entry(entity).or_insert((0, Severity::Info, 0.0));
            *entry = (entry.0 + 1, entry.1.max(alert.alert.severity), entry.2.max(alert.alert.score));
        }
    }
    let mut worst: Vec<_> = by_entity.into_iter().collect();
    worst.sort_by(|(a_key, a), (b_key, b)| {
        let order = b.1.cmp(&a.1).then_with(|| b.2.total_cmp(&a.2)).then_with(|| b.0.cmp(&a.0));
        order.then_with(|| a_key.cmp(b_key))
    });
    let rows = worst
        .into_iter()
        .map(|(key, (n, severity, _))| Row {
            cells: vec![
                Cell::text(words::cut(&key.key, NAME_MAX)).to(links.entity(key.id())),
                Cell::text(words::entity_kind(key.kind)),
                Cell::text(n.to_string()),
                Cell::badge(words::severity(severity), words::severity_tone(severity)),
            ],
            ..Row::default()
        })
        .collect();
    let table = Table {
        id: "worst-entities".to_owned(),
        title: "Accounts, addresses, partners and vendors in open alerts".to_owned(),
        columns: vec![
            Column::words("Name", 48.0),
            Column::words("What it is", 22.0),
            Column::numbers("Open alerts", 14.0),
            Column::words("Worst alert", 16.0),
        ],
        rows,
        empty: "No open alert, so nobody is concerned.".to_owned(),
        note: None,
    };
    bounded(table, ENTITIES_MAX)
}
