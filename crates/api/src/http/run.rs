//! Runs one GraphQL request, whatever it came over.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures::stream::{BoxStream, StreamExt};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::access::Budget;
use crate::app::App;
use crate::fault::{RequestId, finish, graphql_response};
use crate::graphql::subscription::ResumeFrom;
use crate::http::caller::Caller;
use crate::limits;

/// A request within its limits, with its viewer.
pub(super) struct Prepared {
    request: Request,
    pub(super) operation: OperationType,
    pub(super) caller: Caller,
    id: RequestId,
}

/// Checks the limits and puts the viewer in.
pub(super) fn prepare(app: &App, caller: Caller, mut request: Request, id: RequestId) -> Result<Prepared, Fault> {
    let limits = &app.options.graphql;
    let name = request.operation_name.as_deref();
    let checked = limits::check(&request.query, name, &request.variables, limits)?;
    request.set_parsed_query(checked.document);
    let budget = match checked.operation {
        OperationType::Subscription => Budget::Stream,
        OperationType::Query | OperationType::Mutation => Budget::nodes(limits.nodes_max),
    };
    let request = request.data(app.session_of(caller.clone(), budget));
    Ok(Prepared { request, operation: checked.operation, caller, id })
}

impl Prepared {
    /// Goes on after this cursor, whatever the document says.
    pub(super) fn resume_from(mut self, cursor: String) -> Self {
        self.request = self.request.data(ResumeFrom(cursor));
        self
    }
}

/// Runs a query or mutation to its end, or to the timeout.
pub(super) async fn execute(app: &App, prepared: Prepared) -> Response {
    let Prepared { request, id, .. } = prepared;
    let running = async {
        // The semaphore is never closed; without a permit the query would still be right, only not bounded.
        let _permit = app.queries.acquire().await;
        app.schema.execute(request).await
    };
    match tokio::time::timeout(app.options.graphql.timeout, running).await {
        Ok(response) => finish(response, &id),
        Err(_) => {
            let seconds = app.options.graphql.timeout.as_secs();
            let message = format!("the query took longer than {seconds} s; ask for less (a change may still happen)");
            graphql_response(&Fault::new(FaultCode::QueryTimeout, message), &id)
        }
    }
}

/// Runs any operation as a stream; a query or mutation is a stream of one.
pub(super) fn stream(app: &Arc<App>, prepared: Prepared) -> BoxStream<'static, Response> {
    if prepared.operation == OperationType::Subscription {
        let Prepared { request, id, .. } = prepared;
        return app.schema.execute_stream(request).map(move |response| finish(response, &id)).boxed();
    }
    let app = Arc::clone(app);
    futures::stream::once(async move { execute(&app, prepared).await }).boxed()
}
