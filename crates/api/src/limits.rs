//! What a GraphQL document may cost, judged before it is executed. Must not know the schema's resolvers.
//!
//! The library has limits of depth and complexity too, but it measures by expanding every fragment where it is used: a
//! document of thirty fragments that use each other twice would keep it busy for hours. Here each fragment is measured
//! once, in time linear in the document, with sums that saturate. Tokens and brackets are counted before parsing, since
//! the parser recurses.
//!
//! Cost is the number of objects the answer may hold: a field with a selection costs 1, a leaf nothing; below a
//! connection everything counts once for each row of `first` ([`ROWS_UNASKED`] when not given: most lists are short, and
//! [`crate::services::GraphqlLimits::nodes_max`] counts what is really loaded).

mod measure;
mod scan;

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::services::GraphqlLimits;

/// Rows a connection is taken to have when `first` is not given.
const ROWS_UNASKED: u64 = 10;
/// Levels of an introspection query; the standard one has 15.
const INTROSPECTION_DEPTH_MAX: usize = 20;
/// Lists inside lists of an introspection query (as graphql-js counts them); each multiplies the answer.
const INTROSPECTION_LISTS_MAX: usize = 2;
/// Fields after expanding fragments, which is what the library's validation walks.
const FIELDS_MAX: u64 = 5_000;
/// Open brackets inside each other; the parser recurses once or more for each.
const BRACKETS_MAX: usize = 64;

/// A document within its limits.
pub(crate) struct Checked {
    pub(crate) document: ExecutableDocument,
    /// Kind of the operation that would run.
    pub(crate) operation: OperationType,
}

/// Parses the document when it is within the limits.
pub(crate) fn check(
    query: &str,
    operation_name: Option<&str>,
    variables: &Variables,
    limits: &GraphqlLimits,
) -> Result<Checked, Fault> {
    let scanned = scan::scan(query);
    let cost = |message: String| Fault::new(FaultCode::CostExceeded, message);
    if scanned.brackets > BRACKETS_MAX {
        return Err(too_deep(limits));
    }
    if scanned.tokens > limits.tokens_max {
        return Err(cost(format!("the document has more than {} tokens; split it", limits.tokens_max)));
    }
    if scanned.directives > limits.directives_max {
        return Err(cost(format!("the document has more than {} directives", limits.directives_max)));
    }
    let document = parse_query(query)
        .map_err(|error| Fault::new(FaultCode::BadInput, format!("the document does not parse: {error}")))?;
    let measured = measure::measure(&document, variables)?;
    if measured.fields > FIELDS_MAX {
        return Err(cost(format!("the document has more than {FIELDS_MAX} fields with its fragments expanded")));
    }
    if measured.depth > limits.depth_max
        || measured.introspection_depth > INTROSPECTION_DEPTH_MAX
        || measured.introspection_lists > INTROSPECTION_LISTS_MAX
    {
        return Err(too_deep(limits));
    }
    if measured.root_fields > limits.root_fields_max {
        return Err(cost(format!("more than {} root fields; send several requests", limits.root_fields_max)));
    }
    if measured.aliases > limits.aliases_max {
        let message = format!("more than {} aliases; send several requests", limits.aliases_max);
        return Err(Fault::new(FaultCode::TooManyAliases, message));
    }
    if measured.cost > limits.cost_max {
        let message = format!(
            "the query costs {} and {} are allowed; ask for fewer rows with 'first' or for fewer nested lists",
            measured.cost, limits.cost_max
        );
        return Err(cost(message));
    }
    let operation = operation_kind(&document, operation_name)?;
    Ok(Checked { document, operation })
}

fn too_deep(limits: &GraphqlLimits) -> Fault {
    let message = format!("the query is deeper than {} levels; ask for the inner part by its id", limits.depth_max);
    Fault::new(FaultCode::DepthExceeded, message)
}

fn operation_kind(document: &ExecutableDocument, name: Option<&str>) -> Result<OperationType, Fault> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(wanted) => operations.find(|(name, _)| name.is_none_or(|name| name.as_str() == wanted)),
        None if operations.len() > 1 => {
            let message = "the document has several operations; name one in operationName";
            return Err(Fault::new(FaultCode::BadInput, message));
        }
        None => operations.next(),
    };
    let (_, operation) =
        found.ok_or_else(|| Fault::new(FaultCode::BadInput, "the document has no operation of that name"))?;
    Ok(operation.node.ty)
}

#[cfg(test)]
mod tests;
