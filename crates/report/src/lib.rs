//! Reports: one model of what a report says, and its renderings as HTML, PDF, CSV and JSON, signed.
//!
//! Facts go in, a [`ReportModel`] comes out ([`compose`]), and each rendering reads that model and nothing else, so the four
//! files of a report cannot disagree. All of it is pure: the same facts give the same bytes. It must *not* know stores,
//! clocks, networks or where the facts come from.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

mod compose;
mod csv;
mod draw;
mod facts;
mod html;
mod json;
mod model;
mod palette;
mod pdf;
pub mod sign;

#[cfg(test)]
mod tests;
mod words;

use riskgraph_domain::report::ReportFormat;

pub use compose::compose;
pub use facts::{AlertFacts, Facts, Quantities, Silence, SilenceKind, VendorFacts};
pub use model::{
    Block, Cell, Chart, ChartKind, Column, Figure, Link, ReportModel, Row, SCHEMA, Section, Series, Stale, Table, Tone,
};

/// A report cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The built-in font does not read: a fault of the build.
    #[error("the built-in font cannot be read")]
    Font,
    /// The PDF writer refused.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
    /// The model cannot be written as JSON or CSV.
    #[error("the {0} cannot be written")]
    Text(&'static str),
}

/// The report in this format.
///
/// # Errors
/// When the writer of the format refuses; no content of a report makes it do so.
pub fn render(model: &ReportModel, format: ReportFormat) -> Result<Vec<u8>, RenderError> {
    match format {
        ReportFormat::Html => Ok(html::render(model).into_bytes()),
        ReportFormat::Pdf => pdf::render(model),
        ReportFormat::Csv => csv::render(model),
        ReportFormat::Json => json::render(model),
    }
}
