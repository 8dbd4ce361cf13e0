//! For a vendor: its own result, with evidence and how to fix it. What the shop knows of others, what it thinks of the
//! vendor (tier, owner, notes) and where its console is have no place here.

use riskgraph_domain::Severity;
use riskgraph_domain::posture::{Finding, FindingStatus, Posture};

use super::parts::{counted, figure, fixed_findings, new_findings};
use super::tables::{NAME_MAX, TEXT_MAX, bounded};
use super::{frame, section, stale};
use crate::facts::{Facts, VendorFacts};
use crate::model::{Block, Cell, Chart, ChartKind, Column, Figure, ReportModel, Row, Series, Stale, Table, Tone};
use crate::words;

/// Findings and lost points listed, and facts of one finding's evidence.
const FINDINGS_MAX: usize = 300;
const POINTS_MAX: usize = 10;
const EVIDENCE_MAX: usize = 8;
/// Points of the line.
const HISTORY_MAX: usize = 60;

pub(super) fn compose(facts: &Facts) -> ReportModel {
    let mut model = frame(facts, "Security result", "For the vendor");
    let Some(vendor) = facts.vendors.first() else {
        model.lead = vec!["The vendor is not known.".to_owned()];
        return model;
    };
    let name = words::cut(&vendor.vendor.name, NAME_MAX);
    model.title = format!("Security result of {name}");
    model.vendor = Some(name);
    let old = stale::of_vendor(facts, vendor);
    let mut open: Vec<&Finding> =
        vendor.findings.iter().filter(|finding| finding.status != FindingStatus::Resolved).collect();
    open.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.outcome.severity), finding.outcome.check.clone(), finding.id)
    });
    model.lead = lead(vendor, &open);
    let mut first = vec![Block::Figures { figures: figures(vendor, &open, old.as_ref()) }];
    first.extend(vendor.posture.as_ref().map(|posture| Block::Chart(factors(posture))));
    first.extend(history(vendor).map(Block::Chart));
    model.sections = vec![section("result", "The result", first)];
    if let Some(posture) = &vendor.posture {
        let points = section("points", "What would help most", vec![Block::Table(points(posture, &open))]);
        model.sections.push(points);
    }
    model.sections.push(section("findings", "Findings, and how to fix them", vec![Block::Table(findings(&open))]));
    let fixed: Vec<String> =
        fixed_findings(vendor).map(|finding| words::cut(&finding.outcome.title, TEXT_MAX)).collect();
    if !fixed.is_empty() {
        let text = format!("Since {} this was fixed:", words::date(facts.since));
        model.sections.push(section("fixed", "Fixed", vec![Block::Text { text }, Block::List { items: fixed }]));
    }
    model.method = method(facts, vendor);
    if let Some(why) = old {
        let affects = vec!["grade".to_owned(), "findings-open".to_owned(), "findings-new".to_owned()];
        model.stale.push(Stale { text: format!("The result is old: {why}."), affects });
    }
    model
}

fn lead(vendor: &VendorFacts, open: &[&Finding]) -> Vec<String> {
    let domains: Vec<String> =
        vendor.vendor.domains.iter().take(5).map(|domain| words::cut(domain, NAME_MAX)).collect();
    let looked = match domains.is_empty() {
        true => "No domain is known, so nothing could be looked at.".to_owned(),
        false => format!("We looked at {} from outside, as any visitor can.", domains.join(", ")),
    };
    let result = match vendor.posture.as_ref().map(|posture| (posture, posture.score)) {
        Some((posture, Some(score))) => format!(
            "The result on {} is grade {} ({} of 100 points).",
            words::date(posture.assessed_at),
            posture.grade.as_str(),
            words::score(score)
        ),
        Some((posture, None)) => {
            format!("On {} too little could be seen for a grade.", words::date(posture.assessed_at))
        }
        None => "There is no result yet.".to_owned(),
    };
    let n_serious = open.iter().filter(|finding| finding.outcome.severity >= Severity::High).count();
    let todo = match (open.len(), n_serious) {
        (0, _) => "Nothing is open.".to_owned(),
        (n, 0) => format!("{} open, none of them high or critical.", are(n)),
        (n, serious) => format!("{} open, {serious} of them high or critical: please begin with these.", are(n)),
    };
    vec![looked, result, todo]
}

fn are(n: usize) -> String {
    if n == 1 { "1 finding is".to_owned() } else { format!("{n} findings are") }
}

fn figures(vendor: &VendorFacts, open: &[&Finding], old: Option<&String>) -> Vec<Figure> {
    let posture = vendor.posture.as_ref();
    let grade = posture.map_or(riskgraph_domain::posture::Grade::NR, |posture| posture.grade);
    let score = posture.and_then(|posture| posture.score);
    let before = match vendor.grade_before {
        Some(before) if before != grade => format!("before: {}", words::grade(before)),
        Some(_) => "as before".to_owned(),
        None => "first result".to_owned(),
    };
    let n_serious = open.iter().filter(|finding| finding.outcome.severity >= Severity::High).count();
    let coverage = posture.map(|posture| posture.coverage);
    vec![
        figure("grade", "Grade", words::grade(grade).to_owned(), score)
            .unit("points of 100")
            .noted(before)
            .toned(words::grade_tone(grade))
            .from("#points".to_owned(), "What the points were lost for")
            .stale(old),
        counted("findings-open", "Open findings", open.len())
            .noted(format!("{n_serious} high or critical"))
            .toned(if n_serious > 0 { Tone::Bad } else { Tone::Plain })
            .from("#findings".to_owned(), "The findings")
            .stale(old),
        counted("findings-new", "New in the period", new_findings(vendor).count())
            .from("#findings".to_owned(), "The findings")
            .stale(old),
        counted("findings-fixed", "Fixed in the period", fixed_findings(vendor).count())
            .toned(Tone::Plain)
            .from("#fixed".to_owned(), "What was fixed")
            .stale(old),
        figure(
            "coverage",
            "Could be judged",
            coverage.map_or_else(|| "–".to_owned(), words::percent),
            coverage.map(|share| share * 100.0),
        )
        .unit("percent")
        .noted("of what we look at; the rest did not answer")
        .from("#method".to_owned(), "How we look")
        .stale(old),
    ]
}

fn factors(posture: &Posture) -> Chart {
    let judged: Vec<_> = posture.factors.iter().filter_map(|factor| Some((factor, factor.score?))).collect();
    let said: Vec<String> =
        judged.iter().map(|(factor, score)| format!("{} {score:.0}", words::factor(&factor.name))).collect();
    Chart {
        id: "areas".to_owned(),
        title: "Points by area (100 is best)".to_owned(),
        description: format!("Points of each area, of 100: {}.", said.join(", ")),
        kind: ChartKind::Bars,
        unit: "points".to_owned(),
        categories: judged.iter().map(|(factor, _)| words::factor(&factor.name)).collect(),
        series: vec![Series {
            name: "Points".to_owned(),
            tone: Tone::Plain,
            values: judged.iter().map(|(_, score)| Some((score * 10.0).round() / 10.0)).collect(),
        }],
        max: Some(100.0),
        evidence: None,
    }
}

/// The score over time; nothing when there is no line to draw.
fn history(vendor: &VendorFacts) -> Option<Chart> {
    if vendor.history.len() < 2 {
        return None;
    }
    let step = vendor.history.len().div_ceil(HISTORY_MAX);
    // The newest is always a point of the line.
    let mut points: Vec<&Posture> = vendor.history.iter().rev().step_by(step).collect();
    points.reverse();
    let first = points.first()?;
    let last = points.last()?;
    let said = |posture: &Posture| posture.score.map_or_else(|| "not rated".to_owned(), words::score);
    Some(Chart {
        id: "history".to_owned(),
        title: "Points over time".to_owned(),
        description: format!(
            "Points of 100, from {} on {} to {} on {}.",
            said(first),
            words::date(first.assessed_at),
            said(last),
            words::date(last.assessed_at)
        ),
        kind: ChartKind::Lines,
        unit: "points".to_owned(),
        categories: points.iter().map(|posture| words::day(posture.assessed_at)).collect(),
        series: vec![Series {
            name: "Points".to_owned(),
            tone: Tone::Plain,
            values: points.iter().map(|posture| posture.score.map(|score| (score * 10.0).round() / 10.0)).collect(),
        }],
        max: Some(100.0),
        evidence: None,
    })
}

/// What cost the most points, each with its finding.
fn points(posture: &Posture, open: &[&Finding]) -> Table {
    let mut lost: Vec<_> = posture.waterfall.iter().filter(|points| points.points > 0.0).collect();
    lost.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.reason.cmp(&b.reason)));
    let rows = lost
        .into_iter()
        .map(|points| {
            let finding = open.iter().find(|finding| {
                Some(&finding.outcome.check) == points.check.as_ref()
                    && Some(&finding.outcome.asset) == points.asset.as_ref()
            });
            let reason = Cell::text(words::cut(&points.reason, TEXT_MAX));
            let reason = match finding {
                Some(finding) => reason.to(format!("#{}", anchor(finding))),
                None => reason,
            };
            let asset = points.asset.as_deref().unwrap_or_default();
            Row {
                cells: vec![reason, Cell::text(words::cut(asset, NAME_MAX)), Cell::text(words::score(points.points))],
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "points-lost".to_owned(),
        title: "Points lost".to_owned(),
        columns: vec![Column::words("For", 60.0), Column::words("Where", 26.0), Column::numbers("Points", 14.0)],
        rows,
        empty: "No point was lost.".to_owned(),
        note: None,
    };
    let n = table.rows.len();
    let table = bounded(table, POINTS_MAX);
    let note = (n > POINTS_MAX).then(|| format!("The {POINTS_MAX} largest of {n}."));
    Table { note, ..table }
}

fn anchor(finding: &Finding) -> String {
    finding.id.to_string().to_lowercase().replace('_', "-")
}

fn findings(open: &[&Finding]) -> Table {
    let rows = open
        .iter()
        .map(|finding| {
            let outcome = &finding.outcome;
            let status = match finding.status {
                FindingStatus::Open => String::new(),
                status => words::finding_status(status).to_lowercase(),
            };
            Row {
                id: Some(anchor(finding)),
                cells: vec![
                    Cell::badge(words::severity(outcome.severity), words::severity_tone(outcome.severity)).with(status),
                    Cell::text(words::finding(outcome, TEXT_MAX)).with(format!(
                        "{} · {} · since {}",
                        words::cut(&outcome.asset, NAME_MAX),
                        outcome.check,
                        words::date(finding.first_seen)
                    )),
                    Cell::text(evidence(&outcome.evidence)),
                    Cell::text(words::cut(&outcome.recommendation, 2 * TEXT_MAX))
                        .with(words::cut(&outcome.reference, TEXT_MAX)),
                ],
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "findings-list".to_owned(),
        title: "Findings, worst first".to_owned(),
        columns: vec![
            Column::words("How bad", 12.0),
            Column::words("What we found", 28.0),
            Column::words("What we saw", 28.0),
            Column::words("How to fix it", 32.0),
        ],
        rows,
        empty: "Nothing is open. Well done.".to_owned(),
        note: None,
    };
    let n = table.rows.len();
    let table = bounded(table, FINDINGS_MAX);
    let note = (n > FINDINGS_MAX).then(|| format!("The {FINDINGS_MAX} worst of {n}."));
    Table { note, ..table }
}

/// Evidence as words: `name: value`, one after the other.
fn evidence(evidence: &serde_json::Value) -> String {
    let serde_json::Value::Object(known) = evidence else { return plain(evidence) };
    let said: Vec<String> = known
        .iter()
        .filter(|(_, value)| !value.is_null())
        .take(EVIDENCE_MAX)
        .map(|(name, value)| format!("{}: {}", name.replace('_', " "), plain(value)))
        .collect();
    words::cut(&said.join("; "), 2 * TEXT_MAX)
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        serde_json::Value::String(text) => words::cut(text, TEXT_MAX),
        serde_json::Value::Array(items) => {
            let said: Vec<String> = items.iter().take(EVIDENCE_MAX).map(plain).collect();
            let more = if items.len() > EVIDENCE_MAX { ", …" } else { "" };
            format!("{}{more}", said.join(", "))
        }
        other => words::cut(&other.to_string(), TEXT_MAX),
    }
}

fn method(facts: &Facts, vendor: &VendorFacts) -> Vec<String> {
    let model = vendor.posture.as_ref().map_or("", |posture| posture.model.as_str());
    vec![
        format!(
            "Everything in this report was known on {}. Made again for the same instant it is the same, byte for byte.",
            words::moment(facts.as_of)
        ),
        "We look only at what is public: names, certificates, encryption, mail settings, headers and pages. Nothing was \
         attacked, guessed or scanned."
            .to_owned(),
        format!("Points and grades follow the published method {model}; each finding names the standard it rests on."),
        "If a finding is wrong, answer with what we should look at: it will be looked at again.".to_owned(),
    ]
}
