//! The model as one table of comma-separated values (RFC 4180), for spreadsheets.
//!
//! Every figure is a row, and so is every cell of every table: `section, item, row, column, value, unit, detail, evidence,
//! note`. A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection). It must
//! *not* know what the figures mean.

use crate::RenderError;
use crate::model::{Block, Chart, Figure, ReportModel, Section, Table};

const HEAD: [&str; 9] = ["section", "item", "row", "column", "value", "unit", "detail", "evidence", "note"];
/// What makes a spreadsheet compute. A lone minus or plus in front of a plain number is a number.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(crate) fn render(model: &ReportModel) -> Result<Vec<u8>, RenderError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut put = |fields: [&str; 9]| {
        let safe = fields.map(safe);
        writer.write_record(&safe).map_err(|_| RenderError::Text("CSV"))
    };
    put(HEAD)?;
    let (since, as_of) = (model.since.to_rfc3339(), model.as_of.to_rfc3339());
    for (name, value) in [("title", &model.title), ("since", &since), ("as of", &as_of)] {
        put(["report", name, "", "", value, "", "", "", ""])?;
    }
    for line in &model.lead {
        put(["report", "summary", "", "", line, "", "", "", ""])?;
    }
    for section in &model.sections {
        for block in &section.blocks {
            write_block(section, block, &mut put)?;
        }
    }
    for stale in &model.stale {
        put(["report", "stale input", "", "", &stale.text, "", &stale.affects.join(" "), "", ""])?;
    }
    for line in &model.method {
        put(["report", "method", "", "", line, "", "", "", ""])?;
    }
    writer.into_inner().map_err(|_| RenderError::Text("CSV"))
}

type Put<'a> = &'a mut dyn FnMut([&str; 9]) -> Result<(), RenderError>;

fn write_block(section: &Section, block: &Block, put: Put<'_>) -> Result<(), RenderError> {
    match block {
        Block::Text { text } => put([&section.id, "text", "", "", text, "", "", "", ""]),
        Block::List { items } => {
            items.iter().try_for_each(|item| put([&section.id, "text", "", "", item, "", "", "", ""]))
        }
        Block::Figures { figures } => figures.iter().try_for_each(|figure| write_figure(section, figure, put)),
        Block::Table(table) => write_table(section, table, put),
        Block::Chart(chart) => write_chart(section, chart, put),
    }
}

fn write_figure(section: &Section, figure: &Figure, put: Put<'_>) -> Result<(), RenderError> {
    let value = figure.value.map_or_else(|| figure.shown.clone(), number);
    let note = [figure.note.as_deref(), figure.stale.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("; ");
    put([&section.id, &figure.id, "", &figure.label, &value, &figure.unit, &figure.shown, &figure.evidence.url, &note])
}

fn write_table(section: &Section, table: &Table, put: Put<'_>) -> Result<(), RenderError> {
    for (number, row) in table.rows.iter().enumerate() {
        let number = (number + 1).to_string();
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            put([
                &section.id,
                &table.id,
                &number,
                &column.title,
                &cell.text,
                "",
                cell.detail.as_deref().unwrap_or_default(),
                cell.link.as_deref().unwrap_or_default(),
                row.stale.as_deref().unwrap_or_default(),
            ])?;
        }
    }
    Ok(())
}

fn write_chart(section: &Section, chart: &Chart, put: Put<'_>) -> Result<(), RenderError> {
    let evidence = chart.evidence.as_ref().map_or("", |link| link.url.as_str());
    for series in &chart.series {
        for (category, value) in chart.categories.iter().zip(&series.values) {
            let value = value.map_or_else(String::new, number);
            put([&section.id, &chart.id, category, &series.name, &value, &chart.unit, "", evidence, ""])?;
        }
    }
    Ok(())
}

/// The shortest decimal that reads back as the same number.
fn number(value: f64) -> String {
    format!("{value}")
}

/// The field, so that no spreadsheet runs it.
fn safe(field: &str) -> String {
    let clean: String = field.chars().filter(|c| *c != '\0').collect();
    let is_number = clean.parse::<f64>().is_ok_and(f64::is_finite);
    if clean.starts_with(FORMULA) && !is_number { format!("'{clean}") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_words_and_numbers_stay_numbers() {
        let check = |given: &str, want: &str| assert_eq!(safe(given), want, "{given:?}");
        check("=HYPERLINK(\"https://evil.example\")", "'=HYPERLINK(\"https://evil.example\")");
        check("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0");
        check("-2+3", "'-2+3");
        check("@SUM(1)", "'@SUM(1)");
        check("\t=1", "'\t=1");
        check("-2.5", "-2.5");
        check("Ångström, Inc", "Ångström, Inc");
    }
}
