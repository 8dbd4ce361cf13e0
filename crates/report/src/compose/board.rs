//! For the board: one page. Few figures, the trend, the three largest risks and what is being done.

use riskgraph_domain::Severity;
use riskgraph_domain::alert::AlertStatus;
use riskgraph_domain::posture::Grade;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::vendor::VendorTier;

use super::parts::{
    Links, against, counted, figure, grade_of, is_from_before, is_new, is_serious, method, open_findings, overdue_days,
    steps,
};
use super::tables::{NAME_MAX, TEXT_MAX};
use super::times::{spread, took};
use super::{frame, section, stale};
use crate::facts::{AlertFacts, Facts, VendorFacts};
use crate::model::{Block, Cell, Chart, ChartKind, Column, Figure, Link, ReportModel, Row, Series, Table, Tone};
use crate::words;

/// Weeks of the trend.
const WEEKS: i64 = 12;
/// Risks that are named.
const RISKS: usize = 3;

pub(super) fn compose(facts: &Facts) -> ReportModel {
    let staleness = stale::of_all(facts);
    let risks = risks(facts);
    let figures = figures(facts, &staleness);
    let mut model = frame(facts, "Risk from outside: one page", "For the board");
    model.lead = lead(facts, &risks);
    model.sections = vec![
        section("figures", "Where we stand", vec![Block::Figures { figures }]),
        section("risks", "The largest risks, and what is being done", vec![Block::Table(risk_table(risks))]),
        section("trend", "Trend", vec![Block::Chart(trend(facts))]),
    ];
    model.method = method(facts);
    staleness.tell(&mut model);
    model
}

fn period_alerts(facts: &Facts) -> Vec<&AlertFacts> {
    facts.alerts.iter().filter(|alert| is_serious(alert) && is_new(facts, alert)).collect()
}

fn lead(facts: &Facts, risks: &[Risk]) -> Vec<String> {
    let serious = period_alerts(facts);
    let n_open = facts.alerts.iter().filter(|a| is_serious(a) && a.alert.status != AlertStatus::Resolved).count();
    let n_poor = facts.vendors.iter().filter(|vendor| is_exposed(vendor)).count();
    let attacks = match (serious.len(), n_open) {
        (0, 0) => format!("No serious alert was raised since {}, and none is open.", words::date(facts.since)),
        (raised, open) => format!(
            "{} raised since {}; {} today.",
            match raised {
                0 => "No serious alert was".to_owned(),
                1 => "1 serious alert was".to_owned(),
                n => format!("{n} serious alerts were"),
            },
            words::date(facts.since),
            match open {
                0 => "none is open".to_owned(),
                1 => "1 is open".to_owned(),
                n => format!("{n} are open"),
            }
        ),
    };
    let vendors = match n_poor {
        0 => "No vendor we depend on strongly is rated D or F.".to_owned(),
        1 => "1 vendor we depend on strongly is rated D or F.".to_owned(),
        n => format!("{n} vendors we depend on strongly are rated D or F."),
    };
    let top = risks.first().map(|risk| format!("The largest risk now: {}.", risk.what.trim_end_matches('.')));
    [attacks, vendors].into_iter().chain(top).collect()
}

/// A vendor the shop depends on strongly whose outside stands badly.
fn is_exposed(vendor: &VendorFacts) -> bool {
    matches!(vendor.vendor.tier, VendorTier::Critical | VendorTier::High)
        && matches!(grade_of(vendor), Grade::D | Grade::F)
}

fn figures(facts: &Facts, staleness: &stale::Staleness) -> Vec<Figure> {
    let links = Links(facts);
    let (old, gaps) = (staleness.vendors.as_ref(), staleness.alerts.as_ref());
    let serious = period_alerts(facts);
    let n_before = facts.alerts.iter().filter(|a| is_serious(a) && is_from_before(facts, a)).count();
    let n_open = facts.alerts.iter().filter(|a| is_serious(a) && a.alert.status != AlertStatus::Resolved).count();
    let since = facts.since.to_rfc3339();
    vec![
        counted("serious-alerts", "Serious alerts in the period", serious.len())
            .noted(against(serious.len(), n_before, facts.as_of - facts.since))
            .toned(if serious.len() > n_before { Tone::Bad } else { Tone::Plain })
            .from(links.to(&format!("/alerts?severity=HIGH&since={since}")), "High and critical alerts")
            .stale(gaps),
        counted("serious-open", "Serious alerts open today", n_open)
            .bad_when_any(Tone::Bad)
            .from(links.to("/alerts?severity=HIGH&status=OPEN,ACKNOWLEDGED"), "Open high and critical alerts")
            .stale(gaps),
        contain_figure(&links, &serious).stale(gaps),
        rated_figure(facts, &links).stale(old),
        counted(
            "exposed-vendors",
            "Vendors we depend on strongly, rated D or F",
            facts.vendors.iter().filter(|v| is_exposed(v)).count(),
        )
        .bad_when_any(Tone::Worst)
        .from(links.to("/vendors?tier=CRITICAL,HIGH&maxGrade=D"), "These vendors")
        .stale(old),
        overdue_figure(facts, &links).stale(old),
    ]
}

fn contain_figure(links: &Links<'_>, serious: &[&AlertFacts]) -> Figure {
    let times: Vec<i64> = serious.iter().filter_map(|alert| took(alert, alert.alert.contained_at)).collect();
    let contained = spread(times);
    let shown = contained.map_or_else(|| "–".to_owned(), |spread| words::duration(spread.median_ms));
    let note = match contained {
        Some(spread) => format!("half of {} were contained faster", spread.n),
        None => "no serious alert of the period is contained yet".to_owned(),
    };
    let value = contained.map(|spread| spread.median_ms as f64 / 1e3);
    figure("time-to-contain", "Time to contain a serious alert", shown, value)
        .unit("seconds")
        .noted(note)
        .from(links.to("/alerts?severity=HIGH&contained=true"), "Contained alerts")
}

fn rated_figure(facts: &Facts, links: &Links<'_>) -> Figure {
    let rated = facts.vendors.iter().map(grade_of).filter(|grade| *grade != Grade::NR);
    let (n_well, n_rated) = rated.fold((0_usize, 0_usize), |(well, all), grade| {
        (well + usize::from(matches!(grade, Grade::A | Grade::B)), all + 1)
    });
    let share = (n_rated > 0).then(|| n_well as f64 / n_rated as f64);
    let shown = share.map_or_else(|| "–".to_owned(), words::percent);
    let n_unrated = facts.vendors.len() - n_rated;
    let unrated = if n_unrated > 0 { format!("; {n_unrated} not rated") } else { String::new() };
    figure("rated-well", "Vendors rated A or B", shown, share.map(|share| share * 100.0))
        .unit("percent")
        .noted(format!("{n_well} of {n_rated} rated{unrated}"))
        .from(links.to("/vendors"), "All vendors")
}

fn overdue_figure(facts: &Facts, links: &Links<'_>) -> Figure {
    let overdue = facts
        .vendors
        .iter()
        .flat_map(open_findings)
        .filter(|finding| finding.outcome.severity >= Severity::High && overdue_days(facts, finding).is_some());
    counted("overdue-serious", "Serious weaknesses at vendors, overdue", overdue.count())
        .bad_when_any(Tone::Bad)
        .from(links.to("/findings?status=OPEN&severity=HIGH&overdue=true"), "Overdue findings")
}

/// One risk, before it is a row.
struct Risk {
    weight: f64,
    what: String,
    detail: String,
    done: String,
    next: String,
    url: String,
    tone: Tone,
    level: &'static str,
    stale: Option<String>,
}

/// The largest open alerts and the worst vendors the shop depends on, on one scale of 0 to 100.
fn risks(facts: &Facts) -> Vec<Risk> {
    let links = Links(facts);
    let open = facts.alerts.iter().filter(|alert| alert.alert.status != AlertStatus::Resolved);
    let alerts = open.filter(|alert| alert.alert.severity >= Severity::Medium).map(|alert| alert_risk(&links, alert));
    let vendors = facts.vendors.iter().filter_map(|vendor| vendor_risk(facts, &links, vendor));
    let mut all: Vec<Risk> = alerts.chain(vendors).collect();
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.url.cmp(&b.url)));
    all.truncate(RISKS);
    all
}

fn alert_risk(links: &Links<'_>, alert: &AlertFacts) -> Risk {
    let owner = alert.alert.assignee.as_deref().map(|name| words::cut(name, NAME_MAX));
    let mut done = match (alert.alert.status, owner) {
        (AlertStatus::Open, None) => "Nobody has taken it up yet".to_owned(),
        (AlertStatus::Open, Some(owner)) => format!("Given to {owner}"),
        (_, None) => "Being looked at".to_owned(),
        (_, Some(owner)) => format!("{owner} is working on it"),
    };
    if let Some(at) = alert.alert.contained_at {
        done = format!("Contained on {}. {done}", words::moment(at));
    }
    Risk {
        weight: alert.alert.score,
        what: words::cut(&alert.alert.title, TEXT_MAX),
        detail: format!("Alert, open since {}", words::date(alert.raised_at)),
        done,
        next: alert.alert.recommendations.first().map_or_else(String::new, |next| words::cut(next, TEXT_MAX)),
        url: links.alert(alert),
        tone: words::severity_tone(alert.alert.severity),
        level: words::severity(alert.alert.severity),
        stale: None,
    }
}

fn vendor_risk(facts: &Facts, links: &Links<'_>, vendor: &VendorFacts) -> Option<Risk> {
    /// Share of a vendor's missing points that count, by how much the shop depends on it.
    const WEIGHTS: [(VendorTier, f64); 4] =
        [(VendorTier::Critical, 1.0), (VendorTier::High, 0.8), (VendorTier::Medium, 0.5), (VendorTier::Low, 0.3)];
    let posture = vendor.posture.as_ref()?;
    if !matches!(posture.grade, Grade::D | Grade::F) {
        return None;
    }
    let share = WEIGHTS.iter().find(|(tier, _)| *tier == vendor.vendor.tier).map_or(0.5, |(_, share)| *share);
    let worst = open_findings(vendor).max_by_key(|finding| (finding.outcome.severity, std::cmp::Reverse(finding.id)));
    let n_overdue = open_findings(vendor).filter(|finding| overdue_days(facts, finding).is_some()).count();
    let owner = vendor.vendor.owner.as_deref().map_or_else(
        || "Nobody in the company is named as its owner".to_owned(),
        |owner| format!("{} asks the vendor to fix it", words::cut(owner, NAME_MAX)),
    );
    let overdue = match n_overdue {
        0 => String::new(),
        n => format!("; {} overdue", words::count(n, "finding")),
    };
    Some(Risk {
        weight: (100.0 - posture.score?) * share,
        what: format!("{} is rated {}", words::cut(&vendor.vendor.name, NAME_MAX), posture.grade.as_str()),
        detail: worst.map_or_else(String::new, |finding| words::finding(&finding.outcome, TEXT_MAX)),
        done: format!("{owner}{overdue}"),
        next: worst.map_or_else(String::new, |finding| words::cut(&finding.outcome.recommendation, TEXT_MAX)),
        url: links.vendor(vendor),
        tone: words::grade_tone(posture.grade),
        level: if posture.grade == Grade::F { "Critical" } else { "High" },
        stale: stale::of_vendor(facts, vendor),
    })
}

fn risk_table(risks: Vec<Risk>) -> Table {
    let rows = risks
        .into_iter()
        .map(|risk| Row {
            cells: vec![
                Cell::text(risk.what).to(risk.url).with(risk.detail),
                Cell::badge(risk.level, risk.tone),
                Cell::text(risk.done),
                Cell::text(if risk.next.is_empty() { "–".to_owned() } else { risk.next }),
            ],
            stale: risk.stale,
            ..Row::default()
        })
        .collect();
    Table {
        id: "top-risks".to_owned(),
        title: "Top three risks".to_owned(),
        columns: vec![
            Column::words("Risk", 34.0),
            Column::words("Level", 11.0),
            Column::words("What is being done", 27.0),
            Column::words("Next step", 28.0),
        ],
        rows,
        empty: "No open alert and no badly rated vendor: nothing to decide.".to_owned(),
        note: None,
    }
}

/// Serious alerts by week.
fn trend(facts: &Facts) -> Chart {
    let weeks = steps(facts.as_of, 7 * DAY_MS, WEEKS);
    let of = |severity: Severity| -> Vec<Option<f64>> {
        let alerts = || facts.alerts.iter().filter(move |alert| alert.alert.severity == severity);
        weeks
            .iter()
            .map(|(from, until)| alerts().filter(|a| a.raised_at > *from && a.raised_at <= *until).count() as f64)
            .map(Some)
            .collect()
    };
    let (high, critical) = (of(Severity::High), of(Severity::Critical));
    let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
    let half = WEEKS as usize / 2;
    let (old, new) = (sum(&high[..half]) + sum(&critical[..half]), sum(&high[half..]) + sum(&critical[half..]));
    let description = format!(
        "Serious alerts in each of the last {WEEKS} weeks: {old:.0} in the first {half} weeks, {new:.0} in the last {half}."
    );
    Chart {
        id: "alerts-by-week".to_owned(),
        title: format!("Serious alerts by week, last {WEEKS} weeks"),
        description,
        kind: ChartKind::Stacked,
        unit: "alerts".to_owned(),
        categories: weeks.iter().map(|(from, _)| words::day(*from)).collect(),
        series: vec![
            Series { name: "Critical".to_owned(), tone: Tone::Worst, values: critical },
            Series { name: "High".to_owned(), tone: Tone::Bad, values: high },
        ],
        max: None,
        evidence: Some(Link { url: Links(facts).to("/alerts?severity=HIGH"), text: "All serious alerts".to_owned() }),
    }
}
