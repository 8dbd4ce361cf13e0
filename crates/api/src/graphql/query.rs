//! The root of all queries, in one group for each noun.

mod alert;
mod audit;
mod delivery;
mod graph;
mod integration;
mod playbook;
mod report;
mod token;
mod triage;
mod vendor;

use async_graphql::MergedObject;

/// Everything that can be read.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    vendor::VendorQueries,
    graph::GraphQueries,
    integration::IntegrationQueries,
    alert::AlertQueries,
    triage::TriageQueries,
    token::TokenQueries,
    delivery::DeliveryQueries,
    playbook::PlaybookQueries,
    report::ReportQueries,
    audit::AuditQueries,
);
