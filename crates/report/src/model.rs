//! What a report says, before anybody decides how it looks. It must *not* know formats.

use riskgraph_domain::Timestamp;
use riskgraph_domain::report::ReportKind;
use serde::{Deserialize, Serialize};

/// Name and version of the model as JSON; keys only come, they never go or change their meaning.
pub const SCHEMA: &str = "riskgraph-report/1";

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportModel {
    pub schema: String,
    pub kind: ReportKind,
    pub title: String,
    /// For whom it is written.
    pub audience: String,
    /// Begin and end of the period that is told; the end is also the instant of knowledge.
    pub since: Timestamp,
    pub as_of: Timestamp,
    /// The vendor it is about, when it is about one.
    pub vendor: Option<String>,
    /// What a reader in a hurry must know, in a few sentences.
    pub lead: Vec<String>,
    pub sections: Vec<Section>,
    /// Input that was old or missing.
    pub stale: Vec<Stale>,
    /// How the figures were made, and what they leave out.
    pub method: Vec<String>,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// Anchor, unique in the report: lower-case letters, digits and hyphens.
    pub id: String,
    pub title: String,
    pub blocks: Vec<Block>,
}

/// A piece of a chapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Block {
    Text { text: String },
    List { items: Vec<String> },
    Figures { figures: Vec<Figure> },
    Table(Table),
    Chart(Chart),
}

/// Whether something is good or bad news, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    Good,
    Fair,
    Warn,
    Bad,
    Worst,
    #[default]
    Plain,
}

/// Where the evidence of something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Absolute URL of the console, or an anchor of this report that begins with `#`.
    pub url: String,
    pub text: String,
}

/// One number and what it means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// Unique in the report, and the same in every report of its kind.
    pub id: String,
    pub label: String,
    /// As it is shown, such as `3 h 20 min`.
    pub shown: String,
    /// As it is computed with, in `unit`; null when there is none.
    pub value: Option<f64>,
    pub unit: String,
    pub note: Option<String>,
    pub tone: Tone,
    pub evidence: Link,
    /// Why the number may be old or incomplete.
    pub stale: Option<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    pub id: String,
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// Said instead of rows when there are none.
    pub empty: String,
    /// Said below, such as how many rows there would be more.
    pub note: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    pub title: String,
    /// Share of the width, against the other columns' shares.
    pub width: f32,
    /// Numbers stand at the right.
    pub numeric: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Anchor, when something points at it.
    pub id: Option<String>,
    pub cells: Vec<Cell>,
    pub stale: Option<String>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    pub text: String,
    /// Smaller, below.
    pub detail: Option<String>,
    /// A tone makes the text a badge.
    pub tone: Option<Tone>,
    pub link: Option<String>,
}

/// A picture of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    pub id: String,
    pub title: String,
    /// The chart in a sentence, for those who do not see it.
    pub description: String,
    pub kind: ChartKind,
    pub unit: String,
    pub categories: Vec<String>,
    pub series: Vec<Series>,
    /// Largest value of the axis, when it is given by the unit (100 for a score).
    pub max: Option<f64>,
    pub evidence: Option<Link>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChartKind {
    /// Upright bars, series on top of each other.
    Stacked,
    /// Lying bars, one series.
    Bars,
    /// One line for each series; a missing value is a gap.
    Lines,
}

/// One row of numbers of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    pub name: String,
    pub tone: Tone,
    /// One for each category.
    pub values: Vec<Option<f64>>,
}

/// Input that was old or missing, and what it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stale {
    pub text: String,
    /// Ids of figures and tables.
    pub affects: Vec<String>,
}

impl Cell {
    /// Nothing but text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A coloured word.
    #[must_use]
    pub fn badge(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone: Some(tone), ..Self::default() }
    }

    /// The same cell, leading to `url`.
    #[must_use]
    pub fn to(self, url: impl Into<String>) -> Self {
        Self { link: Some(url.into()), ..self }
    }

    /// The same cell with smaller words below.
    #[must_use]
    pub fn with(self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { detail: (!detail.is_empty()).then_some(detail), ..self }
    }
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(title: &str, width: f32) -> Self {
        Self { title: title.to_owned(), width, numeric: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn numbers(title: &str, width: f32) -> Self {
        Self { title: title.to_owned(), width, numeric: true }
    }
}
