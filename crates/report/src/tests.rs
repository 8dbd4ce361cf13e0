//! Whole reports from made-up facts: hostile, huge, empty; and always the same.

mod facts;

use riskgraph_domain::report::{ReportFormat, ReportKind};

use self::facts::{Size, facts};
use crate::sign::sha256;
use crate::{Block, ReportModel, compose, render};

const NASTY: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "@SUM(A1:A9)",
    "\u{202e}txt.exe\u{0}\u{1b}[31m",
    "שלום עולם العربية",
    "👩‍👩‍👧‍👦 漢字 ✨",
    "{{7*7}} ${jndi:ldap://x} %s%n '; DROP TABLE vendor; --",
];

fn all(size: Size) -> Vec<ReportModel> {
    ReportKind::ALL.iter().map(|kind| compose(&facts(*kind, size, &[]))).collect()
}

fn written(model: &ReportModel, format: ReportFormat) -> Vec<u8> {
    render(model, format).expect("it is written")
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    for kind in ReportKind::ALL {
        for format in ReportFormat::ALL {
            let once = written(&compose(&facts(*kind, Size::Shop, &NASTY)), *format);
            let again = written(&compose(&facts(*kind, Size::Shop, &NASTY)), *format);
            assert_eq!(sha256(&once), sha256(&again), "{kind:?} {format:?}");
        }
    }
}

#[test]
fn names_are_text_wherever_they_stand() {
    for kind in ReportKind::ALL {
        let long = "W".repeat(3_000);
        let mut nasty: Vec<&str> = NASTY.to_vec();
        nasty.push(&long);
        let model = compose(&facts(*kind, Size::Shop, &nasty));
        let page = String::from_utf8(written(&model, ReportFormat::Html)).expect("text");
        let lower = page.to_lowercase();
        for forbidden in ["<script", "<img", "javascript:", "\u{202e}", "\u{0}", "\u{1b}"] {
            assert!(!lower.contains(forbidden), "{kind:?} has {forbidden:?}");
        }
        assert_eq!(page.matches("<h1").count(), 1);
        assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
        let csv = written(&model, ReportFormat::Csv);
        let mut rows = csv::ReaderBuilder::new().from_reader(csv.as_slice());
        for row in rows.records() {
            let row = row.expect("every row has all columns");
            for field in &row {
                let risky = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!risky || field.parse::<f64>().is_ok(), "{kind:?}: {field:?} would be run");
            }
        }
        let pdf = written(&model, ReportFormat::Pdf);
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 4 << 20, "{kind:?}: {} bytes", pdf.len());
        let json: ReportModel = serde_json::from_slice(&written(&model, ReportFormat::Json)).expect("reads back");
        assert_eq!(json, model);
    }
}

#[test]
fn five_hundred_vendors_and_none_are_no_trouble() {
    for size in [Size::Empty, Size::Huge] {
        for model in all(size) {
            for format in ReportFormat::ALL {
                let bytes = written(&model, *format);
                assert!(!bytes.is_empty() && bytes.len() < 8 << 20, "{:?} {format:?}: {}", model.kind, bytes.len());
            }
        }
    }
}

#[test]
fn the_board_reads_one_page() {
    for size in [Size::Empty, Size::Shop, Size::Huge] {
        let model = compose(&facts(ReportKind::Board, size, &[]));
        assert_eq!(crate::pdf::pages_of(&model).expect("it is laid out"), 1, "{size:?}");
    }
}

#[test]
fn every_figure_names_its_evidence_and_ids_are_unique() {
    for model in all(Size::Shop) {
        let mut ids: Vec<&str> = model.sections.iter().map(|section| section.id.as_str()).collect();
        for block in model.sections.iter().flat_map(|section| &section.blocks) {
            match block {
                Block::Figures { figures } => {
                    for figure in figures {
                        assert!(!figure.evidence.url.is_empty() && !figure.evidence.text.is_empty(), "{}", figure.id);
                    }
                    ids.extend(figures.iter().map(|figure| figure.id.as_str()));
                }
                Block::Table(table) => {
                    ids.push(&table.id);
                    assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()), "{}", table.id);
                }
                Block::Chart(chart) => {
                    ids.push(&chart.id);
                    assert!(chart.series.iter().all(|s| s.values.len() == chart.categories.len()), "{}", chart.id);
                }
                Block::Text { .. } | Block::List { .. } => {}
            }
        }
        ids.sort_unstable();
        let twice: Vec<&[&str]> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{:?}: {twice:?} stand twice", model.kind);
    }
}

#[test]
fn a_vendor_learns_of_itself_only() {
    let facts = facts(ReportKind::Vendor, Size::Shop, &[]);
    let model = compose(&facts);
    let page = String::from_utf8(written(&model, ReportFormat::Html)).expect("text");
    let json = String::from_utf8(written(&model, ReportFormat::Json)).expect("text");
    for secret in ["console.shop.example", "Olga Owner", "CRITICAL\"", "known since the audit", "http"] {
        let found = page.replace("http-equiv", "").contains(secret) || json.contains(secret);
        assert!(!found, "a vendor's report tells '{secret}'");
    }
    assert!(page.contains("Vendor 0") && page.contains("Publish a record"));
}

#[test]
fn old_input_marks_the_figures_it_touches() {
    let mut facts = facts(ReportKind::VendorManager, Size::Shop, &[]);
    assert!(compose(&facts).stale.is_empty());
    if let Some(posture) = facts.vendors.first_mut().and_then(|vendor| vendor.posture.as_mut()) {
        posture.assessed_at = facts.as_of - 30 * riskgraph_domain::time::DAY_MS;
    }
    facts.silences.push(crate::Silence {
        from: facts.as_of - 7_200_000,
        until: facts.as_of,
        kind: crate::SilenceKind::NoEvents,
    });
    let model = compose(&facts);
    let affected: Vec<&str> = model.stale.iter().flat_map(|stale| &stale.affects).map(String::as_str).collect();
    for id in ["grades-worse", "findings-overdue", "portfolio", "incidents"] {
        assert!(affected.contains(&id), "{id} is not marked: {affected:?}");
    }
    let page = String::from_utf8(written(&model, ReportFormat::Html)).expect("text");
    assert!(page.contains("Old input: 1 vendor not assessed in time") && page.contains("No event arrived from"));
}
