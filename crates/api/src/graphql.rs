//! The GraphQL schema: `contract/riskgraph.graphql` and the few fields beyond it. One noun a file.
//!
//! Must not know HTTP. A resolver gets a capability object, calls a port and wraps the result; [`Fault`]s go out as they
//! are and get their `extensions` in [`crate::fault`].

pub(crate) mod alert;
pub(crate) mod audit;
pub(crate) mod delivery;
pub(crate) mod entity;
pub(crate) mod import;
pub(crate) mod integration;
pub(crate) mod loader;
pub(crate) mod me;
pub(crate) mod mutation;
pub(crate) mod node;
pub(crate) mod page;
pub(crate) mod playbook;
pub(crate) mod posture;
pub(crate) mod query;
pub(crate) mod report;
pub(crate) mod report_schedule;
pub(crate) mod risk;
pub(crate) mod run;
pub(crate) mod score;
mod signal;
pub(crate) mod subscription;
pub(crate) mod token;
pub(crate) mod triage;
pub(crate) mod vendor;
pub(crate) mod words;

use async_graphql::{SDLExportOptions, Schema};

use mutation::Mutation;
use query::Query;
use subscription::Subscription;

pub(crate) type ApiSchema = Schema<Query, Mutation, Subscription>;

/// The library's own limits lie behind ours ([`crate::limits`]), which count fragments without expanding them; should
/// the two ever disagree, these still hold.
const LIBRARY_DEPTH_MAX: usize = 24;
const LIBRARY_COMPLEXITY_MAX: usize = 20_000;
const LIBRARY_RECURSION_MAX: usize = 32;

pub(crate) fn schema() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_depth(LIBRARY_DEPTH_MAX)
        .limit_complexity(LIBRARY_COMPLEXITY_MAX)
        .limit_recursive_depth(LIBRARY_RECURSION_MAX)
        .finish()
}

/// The schema in the schema definition language, as `schema/riskgraph.graphql` keeps it.
#[must_use]
pub fn sdl() -> String {
    schema().sdl_with_options(SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident())
}
