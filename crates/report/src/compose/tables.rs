//! Tables that several reports have in common.

use std::cmp::Reverse;

use riskgraph_domain::posture::Grade;

use super::parts::{Links, grade_of, open_findings, overdue_days};
use super::stale;
use crate::facts::{AlertFacts, Facts, VendorFacts};
use crate::model::{Cell, Chart, ChartKind, Column, Row, Series, Table};
use crate::words;

/// Rows of a table; a portfolio of 500 vendors fits.
pub(super) const ROWS_MAX: usize = 600;
/// Characters of names and of longer texts.
pub(super) const NAME_MAX: usize = 80;
pub(super) const TEXT_MAX: usize = 240;

/// Cuts the rows to the bound and says so.
pub(super) fn bounded(table: Table, max: usize) -> Table {
    let n = table.rows.len();
    if n <= max {
        return table;
    }
    let note = format!("The first {max} of {n}; the console has them all.");
    Table { rows: table.rows.into_iter().take(max).collect(), note: Some(note), ..table }
}

/// Findings that should have been fixed by now, most overdue of the worst first.
pub(super) fn overdue(facts: &Facts, max: usize) -> (usize, Table) {
    let links = Links(facts);
    let mut found: Vec<_> = facts
        .vendors
        .iter()
        .flat_map(|vendor| open_findings(vendor).map(move |finding| (vendor, finding)))
        .filter_map(|(vendor, finding)| Some((overdue_days(facts, finding)?, vendor, finding)))
        .collect();
    found.sort_by_key(|(days, _, finding)| (Reverse(finding.outcome.severity), Reverse(*days), finding.id));
    let rows = found
        .iter()
        .map(|(days, vendor, finding)| {
            let severity = finding.outcome.severity;
            Row {
                cells: vec![
                    Cell::text(words::cut(&vendor.vendor.name, NAME_MAX)).to(links.vendor(vendor)),
                    Cell::text(words::finding(&finding.outcome, TEXT_MAX))
                        .with(words::cut(&finding.outcome.recommendation, TEXT_MAX)),
                    Cell::badge(words::severity(severity), words::severity_tone(severity)),
                    Cell::text(words::date(finding.first_seen)),
                    Cell::text(words::count(*days, "day")),
                ],
                stale: stale::of_vendor(facts, vendor),
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "overdue-findings".to_owned(),
        title: "Overdue findings".to_owned(),
        columns: vec![
            Column::words("Vendor", 18.0),
            Column::words("What was found, and what to ask for", 44.0),
            Column::words("How bad", 11.0),
            Column::words("Open since", 15.0),
            Column::numbers("Overdue", 12.0),
        ],
        rows,
        empty: "Nothing is overdue.".to_owned(),
        note: None,
    };
    (found.len(), bounded(table, max))
}

/// Every vendor with its grade, worst first.
pub(super) fn portfolio(facts: &Facts) -> Table {
    let links = Links(facts);
    let mut vendors: Vec<&VendorFacts> = facts.vendors.iter().collect();
    // Worst grades first; what is not rated stands last, for nothing is known of it.
    let badness = |vendor: &VendorFacts| match grade_of(vendor) {
        Grade::NR => 0,
        grade => 1 + Grade::ALL.iter().position(|known| *known == grade).unwrap_or(0),
    };
    vendors.sort_by(|a, b| {
        let order = |vendor: &VendorFacts| (Reverse(badness(vendor)), vendor.vendor.tier);
        order(a).cmp(&order(b)).then_with(|| (&a.vendor.name, a.vendor.id).cmp(&(&b.vendor.name, b.vendor.id)))
    });
    let rows = vendors.into_iter().map(|vendor| portfolio_row(facts, &links, vendor)).collect();
    let table = Table {
        id: "portfolio".to_owned(),
        title: "All vendors".to_owned(),
        columns: vec![
            Column::words("Vendor", 30.0),
            Column::words("How much we depend on it", 14.0),
            Column::words("Grade", 12.0),
            Column::words("Before", 10.0),
            Column::numbers("Open findings", 12.0),
            Column::words("Assessed", 22.0),
        ],
        rows,
        empty: "No vendor is registered yet.".to_owned(),
        note: None,
    };
    bounded(table, ROWS_MAX)
}

fn portfolio_row(facts: &Facts, links: &Links<'_>, vendor: &VendorFacts) -> Row {
    let grade = grade_of(vendor);
    let score = vendor.posture.as_ref().and_then(|posture| posture.score);
    let before = match vendor.grade_before {
        Some(before) if before != grade => Cell::badge(words::grade(before), words::grade_tone(before)),
        Some(_) => Cell::text("same"),
        None => Cell::text("new"),
    };
    let n_open = open_findings(vendor).count();
    let n_serious = open_findings(vendor).filter(|f| f.outcome.severity >= riskgraph_domain::Severity::High).count();
    let serious = if n_serious > 0 { format!("{n_serious} high or critical") } else { String::new() };
    let assessed =
        vendor.posture.as_ref().map_or_else(|| "never".to_owned(), |posture| words::date(posture.assessed_at));
    Row {
        cells: vec![
            Cell::text(words::cut(&vendor.vendor.name, NAME_MAX))
                .to(links.vendor(vendor))
                .with(vendor.vendor.domains.first().map_or_else(String::new, |domain| words::cut(domain, NAME_MAX))),
            Cell::text(words::tier(vendor.vendor.tier)),
            Cell::badge(words::grade(grade), words::grade_tone(grade))
                .with(score.map_or_else(String::new, |score| format!("{} of 100", words::score(score)))),
            before,
            Cell::text(words::thousands(i64::try_from(n_open).unwrap_or(i64::MAX))).with(serious),
            Cell::text(assessed),
        ],
        stale: stale::of_vendor(facts, vendor),
        ..Row::default()
    }
}

/// Incidents reported at vendors.
pub(super) fn incidents(facts: &Facts, alerts: &[&AlertFacts]) -> Table {
    let links = Links(facts);
    let rows = alerts
        .iter()
        .map(|alert| {
            let names: Vec<String> = facts
                .vendors
                .iter()
                .filter(|vendor| alert.alert.vendors.contains(&vendor.vendor.id))
                .map(|vendor| words::cut(&vendor.vendor.name, NAME_MAX))
                .collect();
            Row {
                cells: vec![
                    Cell::text(words::date(alert.raised_at)),
                    Cell::text(names.join(", ")),
                    Cell::text(words::cut(&alert.alert.title, TEXT_MAX))
                        .to(links.alert(alert))
                        .with(words::cut(&alert.alert.summary, TEXT_MAX)),
                    Cell::text(words::alert_status(alert.alert.status)),
                ],
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "incident-list".to_owned(),
        title: "Incidents at vendors".to_owned(),
        columns: vec![
            Column::words("When", 16.0),
            Column::words("Vendor", 20.0),
            Column::words("What happened", 48.0),
            Column::words("State", 16.0),
        ],
        rows,
        empty: "No incident was reported at a vendor.".to_owned(),
        note: None,
    };
    bounded(table, ROWS_MAX)
}

/// How many vendors have which grade.
pub(super) fn grades_chart(facts: &Facts) -> Chart {
    let count = |grade: Grade| facts.vendors.iter().filter(|vendor| grade_of(vendor) == grade).count();
    let said: Vec<String> = Grade::ALL
        .iter()
        .filter(|grade| count(**grade) > 0)
        .map(|grade| format!("{} {}", count(*grade), words::grade(*grade)))
        .collect();
    let categories = Grade::ALL.iter().map(|grade| words::grade(*grade).to_owned()).collect();
    let series = Grade::ALL
        .iter()
        .enumerate()
        .map(|(place, grade)| Series {
            name: words::grade(*grade).to_owned(),
            tone: words::grade_tone(*grade),
            values: (0..Grade::ALL.len()).map(|at| (at == place).then(|| count(*grade) as f64)).collect(),
        })
        .collect();
    Chart {
        id: "grades".to_owned(),
        title: "Vendors by grade".to_owned(),
        description: format!("Number of vendors with each grade: {}.", said.join(", ")),
        kind: ChartKind::Stacked,
        unit: "vendors".to_owned(),
        categories,
        series,
        max: None,
        evidence: Some(crate::model::Link { url: Links(facts).to("/vendors"), text: "All vendors".to_owned() }),
    }
}
