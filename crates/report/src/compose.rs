//! From facts to what a report says. It must *not* know how it will look, nor anything that is not in the facts.

mod board;
mod parts;
mod risk_lead;
mod stale;
mod tables;
mod times;
mod vendor;
mod vendor_manager;

use riskgraph_domain::report::ReportKind;

use crate::facts::Facts;
use crate::model::{ReportModel, SCHEMA, Section};

/// What the report says.
#[must_use]
pub fn compose(facts: &Facts) -> ReportModel {
    match facts.kind {
        ReportKind::VendorManager => vendor_manager::compose(facts),
        ReportKind::RiskLead => risk_lead::compose(facts),
        ReportKind::Board => board::compose(facts),
        ReportKind::Vendor => vendor::compose(facts),
    }
}

/// The frame all reports have.
fn frame(facts: &Facts, title: &str, audience: &str) -> ReportModel {
    ReportModel {
        schema: SCHEMA.to_owned(),
        kind: facts.kind,
        title: title.to_owned(),
        audience: audience.to_owned(),
        since: facts.since,
        as_of: facts.as_of,
        vendor: None,
        lead: Vec::new(),
        sections: Vec::new(),
        stale: Vec::new(),
        method: Vec::new(),
    }
}

fn section(id: &str, title: &str, blocks: Vec<crate::model::Block>) -> Section {
    Section { id: id.to_owned(), title: title.to_owned(), blocks }
}
