//! Runs one GraphQL request, whatever it came over.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures::stream::{BoxStream, StreamExt};
use riskgraph_domain::error::{Fault, FaultCode};
use tokio::time::Instant;

use crate::access::Budget;
use crate::app::App;
use crate::audit::{Auditor, asked};
use crate::fault::{RequestId, finish, graphql_response};
use crate::graphql::subscription::ResumeFrom;
use crate::http::caller::Caller;
use crate::limits;

/// How long what a stream has shown may wait for its record, after the first.
const SHOWN_EVERY: Duration = Duration::from_secs(60);

/// A request within its limits, with its viewer.
pub(super) struct Prepared {
    request: Request,
    pub(super) operation: OperationType,
    pub(super) caller: Caller,
    id: RequestId,
    auditor: Auditor,
}

/// Checks the limits and puts the viewer in.
pub(super) fn prepare(app: &App, caller: Caller, mut request: Request, id: RequestId) -> Result<Prepared, Fault> {
    let limits = &app.options.graphql;
    let name = request.operation_name.as_deref();
    let checked = limits::check(&request.query, name, &request.variables, limits)?;
    let asked = asked::read(&checked.document, name, &request.variables)
        .ok_or_else(|| Fault::new(FaultCode::BadInput, "the document has no operation of that name"))?;
    request.set_parsed_query(checked.document);
    let budget = match checked.operation {
        OperationType::Subscription => Budget::Stream,
        OperationType::Query | OperationType::Mutation => Budget::nodes(limits.nodes_max),
    };
    let session = app.session_of(caller.clone(), budget);
    let auditor = Auditor {
        audit: app.services.audit.clone(),
        reads: app.options.reads,
        caller: caller.clone(),
        request: id.clone(),
        asked,
        trail: Arc::clone(&session.trail),
    };
    Ok(Prepared { request: request.data(session), operation: checked.operation, caller, id, auditor })
}

impl Prepared {
    /// Goes on after this cursor, whatever the document says.
    pub(super) fn resume_from(mut self, cursor: String) -> Self {
        self.request = self.request.data(ResumeFrom(cursor));
        self
    }

    /// Records that it was refused before it ran.
    pub(super) async fn refused(&self, fault: &Fault) -> Result<(), Fault> {
        self.auditor.refused(fault).await
    }
}

/// Runs a query or mutation to its end, or to the timeout. Nothing is changed and nothing told that is not recorded.
pub(super) async fn execute(app: &App, prepared: Prepared) -> Response {
    let Prepared { request, id, auditor, .. } = prepared;
    if let Err(fault) = auditor.begin().await {
        return graphql_response(&fault, &id);
    }
    let running = async {
        // The semaphore is never closed; without a permit the query would still be right, only not bounded.
        let _permit = app.queries.acquire().await;
        app.schema.execute(request).await
    };
    let response = match tokio::time::timeout(app.options.graphql.timeout, running).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = app.options.graphql.timeout.as_secs();
            let message = format!("the query took longer than {seconds} s; ask for less (a change may still happen)");
            from_fault(Fault::new(FaultCode::QueryTimeout, message))
        }
    };
    match auditor.end(&response).await {
        Ok(()) => finish(response, &id),
        Err(fault) => graphql_response(&fault, &id),
    }
}

/// Runs any operation as a stream; a query or mutation is a stream of one.
pub(super) fn stream(app: &Arc<App>, prepared: Prepared) -> BoxStream<'static, Response> {
    if prepared.operation == OperationType::Subscription {
        let Prepared { request, id, auditor, .. } = prepared;
        let results = app.schema.execute_stream(request).boxed();
        let following = Following { results, id, auditor: Some(auditor), recorded_at: None };
        return futures::stream::unfold(Some(following), |state| async move {
            let mut following = state?;
            match following.next().await? {
                Ok(response) => Some((response, Some(following))),
                Err(response) => Some((response, None)),
            }
        })
        .boxed();
    }
    let app = Arc::clone(app);
    futures::stream::once(async move { execute(&app, prepared).await }).boxed()
}

/// A subscription and the record of what it shows: of the first item before it goes out, then once a minute and at the
/// end.
struct Following {
    results: BoxStream<'static, Response>,
    id: RequestId,
    auditor: Option<Auditor>,
    recorded_at: Option<Instant>,
}

impl Following {
    /// The next result; an error is the last one.
    async fn next(&mut self) -> Option<Result<Response, Response>> {
        let response = self.results.next().await?;
        let is_due = self.recorded_at.is_none_or(|at| at.elapsed() >= SHOWN_EVERY);
        if let Some(auditor) = self.auditor.as_ref().filter(|auditor| is_due && !auditor.trail.is_empty()) {
            if let Err(fault) = auditor.shown().await {
                return Some(Err(graphql_response(&fault, &self.id)));
            }
            self.recorded_at = Some(Instant::now());
        }
        Some(Ok(finish(response, &self.id)))
    }
}

impl Drop for Following {
    /// What is left is recorded also when the peer just went away.
    fn drop(&mut self) {
        let auditor = self.auditor.take().filter(|auditor| !auditor.trail.is_empty());
        let (Some(auditor), Ok(runtime)) = (auditor, tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            if let Err(fault) = auditor.shown().await {
                tracing::error!(%fault, "what a stream has shown could not be recorded");
            }
        });
    }
}

/// A response that is nothing but a fault, not yet in the form it goes out.
fn from_fault(fault: Fault) -> Response {
    let error = async_graphql::Error::new_with_source(fault).into_server_error(Default::default());
    Response::from_errors(vec![error])
}
