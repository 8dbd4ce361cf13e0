//! For the one who looks after the vendors: what changed, what is late, and the whole portfolio.

use riskgraph_domain::Severity;
use riskgraph_domain::posture::Grade;

use super::parts::{Links, counted, fixed_findings, grade_of, is_incident, is_new, method, new_findings};
use super::tables::{NAME_MAX, ROWS_MAX, TEXT_MAX, bounded};
use super::{frame, section, stale, tables};
use crate::facts::{AlertFacts, Facts, VendorFacts};
use crate::model::{Block, Cell, Column, Figure, ReportModel, Row, Table, Tone};
use crate::words;

/// What is counted once and said in several places.
struct Counts {
    worse: usize,
    better: usize,
    new: usize,
    new_serious: usize,
    fixed: usize,
    fourth: usize,
    overdue: usize,
    incidents: usize,
}

pub(super) fn compose(facts: &Facts) -> ReportModel {
    let staleness = stale::of_all(facts);
    let incidents: Vec<&AlertFacts> =
        facts.alerts.iter().filter(|alert| is_incident(alert) && is_new(facts, alert)).collect();
    let (n_overdue, overdue) = tables::overdue(facts, ROWS_MAX);
    let counts = Counts {
        worse: facts.vendors.iter().filter(|vendor| change(vendor).is_some_and(|(_, worse)| worse)).count(),
        better: facts.vendors.iter().filter(|vendor| change(vendor).is_some_and(|(_, worse)| !worse)).count(),
        new: facts.vendors.iter().map(|vendor| new_findings(vendor).count()).sum(),
        new_serious: facts.vendors.iter().map(|vendor| serious(vendor).count()).sum(),
        fixed: facts.vendors.iter().map(|vendor| fixed_findings(vendor).count()).sum(),
        fourth: facts.vendors.iter().map(|vendor| vendor.new_fourth_parties.len()).sum(),
        overdue: n_overdue,
        incidents: incidents.len(),
    };
    let mut model = frame(facts, "Vendor portfolio", "For the vendor manager");
    model.lead = lead(facts, &counts);
    model.sections = vec![
        section(
            "changes",
            "What changed",
            vec![
                Block::Figures { figures: figures(facts, &counts, &staleness) },
                Block::Table(grade_changes(facts)),
                Block::Table(news(facts)),
            ],
        ),
        section("incidents-reported", "Incidents", vec![Block::Table(tables::incidents(facts, &incidents))]),
        section("overdue", "What is overdue", vec![Block::Table(overdue)]),
        section("fourth-parties", "Who our vendors newly depend on", vec![Block::Table(fourth_parties(facts))]),
        section(
            "all-vendors",
            "The portfolio",
            vec![Block::Chart(tables::grades_chart(facts)), Block::Table(tables::portfolio(facts))],
        ),
    ];
    model.method = method(facts);
    model.method.push(rule(facts));
    staleness.tell(&mut model);
    model
}

/// The time each kind of finding may take, in words.
fn rule(facts: &Facts) -> String {
    let within = |severity: Severity| {
        let days = facts.quantities.fixed_within_days(severity);
        format!("{} {}", words::severity(severity).to_lowercase(), words::count(days, "day"))
    };
    let times: Vec<String> =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].into_iter().map(within).collect();
    format!("A finding is overdue when it stays open longer than its severity allows: {}.", times.join(", "))
}

/// The grade a vendor had, and whether it became worse; none when nothing changed or nothing is comparable.
fn change(vendor: &VendorFacts) -> Option<(Grade, bool)> {
    let before = vendor.grade_before?;
    let now = grade_of(vendor);
    (before != now && before != Grade::NR && now != Grade::NR).then_some((before, now > before))
}

fn serious(vendor: &VendorFacts) -> impl Iterator<Item = &riskgraph_domain::posture::Finding> {
    new_findings(vendor).filter(|finding| finding.outcome.severity >= Severity::High)
}

fn lead(facts: &Facts, counts: &Counts) -> Vec<String> {
    let n = words::count(facts.vendors.len(), "vendor");
    let since = words::date(facts.since);
    let grades = match (counts.worse, counts.better) {
        (0, 0) => format!("Since {since} no grade of our {n} changed."),
        (worse, better) => {
            format!(
                "Since {since} the grade of {} became worse and of {better} better, of {n}.",
                words::count(worse, "vendor")
            )
        }
    };
    let serious = match counts.new_serious {
        0 => String::new(),
        n => format!(", {n} of them high or critical"),
    };
    let findings = format!(
        "{} came up{serious}; {} fixed.",
        words::count(counts.new, "new finding"),
        match counts.fixed {
            1 => "1 was".to_owned(),
            n => format!("{n} were"),
        }
    );
    let overdue = match counts.overdue {
        0 => "No finding is past due.".to_owned(),
        1 => "1 finding is past due: ask the vendor for a date.".to_owned(),
        n => format!("{n} findings are past due: ask the vendors for dates."),
    };
    let incidents = match counts.incidents {
        0 => "No incident was reported at a vendor.".to_owned(),
        n => format!("{} reported at vendors.", words::count(n, "incident")),
    };
    vec![grades, findings, overdue, incidents]
}

fn figures(facts: &Facts, counts: &Counts, staleness: &stale::Staleness) -> Vec<Figure> {
    let links = Links(facts);
    let old = staleness.vendors.as_ref();
    let n_poor = facts.vendors.iter().filter(|vendor| matches!(grade_of(vendor), Grade::D | Grade::F)).count();
    let new_note = format!("{} high or critical", counts.new_serious);
    vec![
        counted("grades-worse", "Grades that became worse", counts.worse)
            .bad_when_any(Tone::Bad)
            .noted(format!("{} became better", counts.better))
            .from(links.to("/vendors?changed=grade"), "Vendors whose grade changed")
            .stale(old),
        counted("findings-new", "New findings", counts.new)
            .noted(new_note)
            .toned(if counts.new_serious > 0 { Tone::Bad } else { Tone::Plain })
            .from(links.to("/findings?status=OPEN"), "Open findings")
            .stale(old),
        counted("findings-fixed", "Findings fixed", counts.fixed)
            .from(links.to("/findings?status=RESOLVED"), "Fixed findings")
            .stale(old),
        counted("findings-overdue", "Findings overdue", counts.overdue)
            .bad_when_any(Tone::Bad)
            .from(links.to("/findings?status=OPEN&overdue=true"), "Overdue findings")
            .stale(old),
        counted("fourth-parties-new", "New parties behind our vendors", counts.fourth)
            .from(links.to("/graph?view=fourth-parties"), "Parties behind our vendors")
            .stale(old),
        counted("incidents", "Incidents at vendors", counts.incidents)
            .bad_when_any(Tone::Worst)
            .from(links.to("/alerts?detector=vendor_incident"), "Alerts about incidents")
            .stale(staleness.alerts.as_ref()),
        counted("vendors-poor", "Vendors with grade D or F", n_poor)
            .bad_when_any(Tone::Bad)
            .noted(format!("of {}", words::count(facts.vendors.len(), "vendor")))
            .from(links.to("/vendors?maxGrade=D"), "Vendors with these grades")
            .stale(old),
    ]
}

fn grade_changes(facts: &Facts) -> Table {
    let links = Links(facts);
    let mut changed: Vec<_> =
        facts.vendors.iter().filter_map(|vendor| change(vendor).map(|change| (vendor, change))).collect();
    changed.sort_by_key(|(vendor, (_, worse))| (!worse, vendor.vendor.tier, vendor.vendor.name.clone()));
    let rows = changed
        .into_iter()
        .map(|(vendor, (before, worse))| {
            let now = grade_of(vendor);
            let cause = vendor.posture.as_ref().and_then(|posture| {
                let top = posture.waterfall.iter().max_by(|a, b| a.points.total_cmp(&b.points))?;
                Some(format!("Costs most: {} ({} points)", words::cut(&top.reason, TEXT_MAX), words::score(top.points)))
            });
            Row {
                cells: vec![
                    Cell::text(words::cut(&vendor.vendor.name, NAME_MAX)).to(links.vendor(vendor)),
                    Cell::text(words::tier(vendor.vendor.tier)),
                    Cell::badge(words::grade(before), words::grade_tone(before)),
                    Cell::badge(words::grade(now), words::grade_tone(now)),
                    Cell::text(if worse { "Worse" } else { "Better" }).with(cause.unwrap_or_default()),
                ],
                stale: stale::of_vendor(facts, vendor),
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "grade-changes".to_owned(),
        title: "Grades that changed".to_owned(),
        columns: vec![
            Column::words("Vendor", 26.0),
            Column::words("How much we depend on it", 16.0),
            Column::words("Before", 10.0),
            Column::words("Now", 10.0),
            Column::words("Why", 38.0),
        ],
        rows,
        empty: "No grade changed.".to_owned(),
        note: None,
    };
    bounded(table, ROWS_MAX)
}

/// New findings that matter: high and critical ones.
fn news(facts: &Facts) -> Table {
    let links = Links(facts);
    let mut found: Vec<_> =
        facts.vendors.iter().flat_map(|vendor| serious(vendor).map(move |finding| (vendor, finding))).collect();
    found.sort_by_key(|(_, finding)| (std::cmp::Reverse(finding.outcome.severity), finding.first_seen, finding.id));
    let rows = found
        .into_iter()
        .map(|(vendor, finding)| {
            let severity = finding.outcome.severity;
            Row {
                cells: vec![
                    Cell::text(words::cut(&vendor.vendor.name, NAME_MAX)).to(links.vendor(vendor)),
                    Cell::text(words::finding(&finding.outcome, TEXT_MAX))
                        .with(words::cut(&finding.outcome.asset, NAME_MAX)),
                    Cell::badge(words::severity(severity), words::severity_tone(severity)),
                    Cell::text(words::date(finding.first_seen)),
                ],
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        id: "new-findings".to_owned(),
        title: "New high and critical findings".to_owned(),
        columns: vec![
            Column::words("Vendor", 24.0),
            Column::words("What was found", 46.0),
            Column::words("How bad", 12.0),
            Column::words("Since", 18.0),
        ],
        rows,
        empty: "No new finding is high or critical.".to_owned(),
        note: None,
    };
    bounded(table, ROWS_MAX)
}

fn fourth_parties(facts: &Facts) -> Table {
    let links = Links(facts);
    let rows = facts
        .vendors
        .iter()
        .flat_map(|vendor| vendor.new_fourth_parties.iter().map(move |(name, at)| (vendor, name, at)))
        .map(|(vendor, name, at)| Row {
            cells: vec![
                Cell::text(words::cut(&vendor.vendor.name, NAME_MAX)).to(links.vendor(vendor)),
                Cell::text(words::cut(name, TEXT_MAX)),
                Cell::text(words::date(*at)),
            ],
            ..Row::default()
        })
        .collect();
    let table = Table {
        id: "new-fourth-parties".to_owned(),
        title: "New parties behind our vendors".to_owned(),
        columns: vec![
            Column::words("Vendor", 34.0),
            Column::words("Newly depends on", 44.0),
            Column::words("First seen", 22.0),
        ],
        rows,
        empty: "No vendor was seen to depend on somebody new.".to_owned(),
        note: None,
    };
    bounded(table, ROWS_MAX)
}
