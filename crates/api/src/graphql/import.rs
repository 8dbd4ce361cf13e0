//! What became of an import, as GraphQL shows it.

use async_graphql::SimpleObject;
use riskgraph_domain::error::Reject;

use super::words::int;

/// What became of a table of vendors.
#[derive(SimpleObject, Default)]
pub(crate) struct VendorImport {
    pub(crate) added: i32,
    pub(crate) updated: i32,
    /// As they were already.
    pub(crate) unchanged: i32,
    pub(crate) rejected: Vec<VendorReject>,
}

/// A line that could not be used; the others went on.
#[derive(SimpleObject)]
pub(crate) struct VendorReject {
    /// Line of the text, from 1.
    line: i32,
    /// Number of the error, such as RG-0102.
    code: String,
    reason: String,
}

impl From<Reject> for VendorReject {
    fn from(reject: Reject) -> Self {
        Self { line: int(reject.line), code: reject.code, reason: reject.reason }
    }
}
