//! The root of all changes, in one group for each noun.

mod alert;
mod case;
mod channel;
mod finding;
mod playbook;
mod report;
mod silence;
mod token;
mod vendor;

use async_graphql::MergedObject;
use riskgraph_domain::error::{Fault, FaultCode};

/// Everything that can be changed. A change answers when it is durable and judged.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    vendor::VendorMutations,
    alert::AlertMutations,
    silence::SilenceMutations,
    case::CaseMutations,
    finding::FindingMutations,
    token::TokenMutations,
    report::ReportMutations,
    channel::ChannelMutations,
    playbook::PlaybookMutations,
);

/// Characters of a note or reason, at most.
const NOTE_LENGTH_MAX: usize = 2_000;

fn note(what: &str, given: String) -> Result<String, Fault> {
    if given.chars().count() <= NOTE_LENGTH_MAX {
        return Ok(given);
    }
    Err(Fault::new(FaultCode::BadInput, format!("{what}: give at most {NOTE_LENGTH_MAX} characters")))
}

/// What a person writes on an alert or case.
fn comment(given: String) -> Result<String, Fault> {
    if given.trim().is_empty() {
        return Err(Fault::new(FaultCode::BadInput, "text: write something"));
    }
    note("text", given)
}

/// A reason a person must give.
fn reason(given: String) -> Result<String, Fault> {
    if given.trim().is_empty() {
        return Err(Fault::new(FaultCode::BadInput, "reason: say why, in a few words"));
    }
    note("reason", given)
}
