//! The record of what is asked for past GraphQL: files that are downloaded, shares that are opened, sign-ins.
//!
//! A route is recorded unless it is listed here as one that shows nobody's data or records itself.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::audit::{Outcome, ROLE_NONE, Record};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::session::SignedIn;
use riskgraph_domain::text::Text;
use serde_json::json;

use super::arrival::Arrival;
use super::caller::{Caller, Via};
use super::door::request_id;
use crate::app::App;
use crate::audit::{of_caller, outcome_of_fault, told};
use crate::fault::{RequestId, Shape, http_response};
use crate::surface::Endpoint;

/// Who nobody knows.
const UNKNOWN: &str = "unknown";
/// Characters of a path that are kept.
const PATH_LENGTH_MAX: usize = 200;

/// Whether a route needs no record here.
pub(super) const fn is_quiet(endpoint: Endpoint) -> bool {
    use Endpoint as E;
    // Programs send events by the thousand, and what they send is in the journal; queries, changes and sign-ins are
    // recorded by what is asked; the rest of these shows nobody's data.
    matches!(
        endpoint,
        E::Events
            | E::EventsIn
            | E::GraphqlPost
            | E::GraphqlGet
            | E::SignIn
            | E::SignOut
            | E::Graphiql
            | E::GraphiqlScript
            | E::GraphiqlStyle
            | E::HealthLive
            | E::HealthReady
            | E::Metrics
    )
}

/// The middleware of a recorded route: its record is durable before the answer goes out.
pub(super) async fn record(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request_id(&app, &request);
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_default();
    let caller = request.extensions().get::<Caller>().cloned();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let action = format!("{} {route}", request.method());
    let target = shown(&route, request.uri().path());
    let response = next.run(request).await;
    let record = match &caller {
        Some(caller) => of_caller(&app.services.audit, caller, &id, &action),
        None => of_nobody(&app, &id, &arrival, &action),
    };
    let status = response.status();
    let outcome = match status.as_u16() {
        401 | 403 | 429 => Outcome::Refused,
        _ if status.is_success() || status.is_redirection() => Outcome::Done,
        _ => Outcome::Failed,
    };
    let mut detail = record.detail.clone();
    detail["status"] = json!(status.as_u16());
    let record = Record { outcome, target: Some(Text::from(target)), detail, ..record };
    match app.services.audit.recorder.record(record).await {
        Ok(_) => response,
        Err(fault) => http_response(&fault, &id, Shape::Plain),
    }
}

/// The path, unless its parameter is a secret: of a share's, a hash.
fn shown(route: &str, path: &str) -> String {
    if route.contains("secret") || route.starts_with("/shared") {
        let secret = path.rsplit('/').next().unwrap_or_default();
        return format!("sha256:{}", Sum::of(&[secret.as_bytes()]).short());
    }
    path.chars().take(PATH_LENGTH_MAX).collect()
}

fn of_nobody(app: &App, id: &RequestId, arrival: &Arrival, action: &str) -> Record {
    Record {
        role: Text::from(ROLE_NONE),
        address: arrival.address.map(|address| Text::from(address.to_string())),
        request: Some(Text::from(id.to_string())),
        ..Record::of_system(app.services.audit.clock.now(), UNKNOWN, action)
    }
}

/// Records a sign-in, also one that failed; those who have to wait are counted, and told with the next that does not.
pub(super) async fn sign_in(
    app: &App,
    (id, arrival): (&RequestId, &Arrival),
    kind: &'static str,
    outcome: Result<&SignedIn, &Fault>,
) -> Result<(), Fault> {
    const ACTION: &str = "signIn";
    let record = match outcome {
        Ok(signed_in) => {
            let via = Via::Session(signed_in.key);
            let caller = Caller { viewer: signed_in.viewer.clone(), via, address: arrival.address };
            of_caller(&app.services.audit, &caller, id, ACTION)
        }
        Err(fault) if fault.code == FaultCode::RateLimited => {
            app.sent_away.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return Ok(());
        }
        Err(fault) => {
            Record { outcome: outcome_of_fault(fault.code), detail: told(fault), ..of_nobody(app, id, arrival, ACTION) }
        }
    };
    let mut detail = record.detail.clone();
    detail["by"] = json!(kind);
    let n_sent_away = app.sent_away.swap(0, std::sync::atomic::Ordering::Relaxed);
    if n_sent_away > 0 {
        detail["sentAwayBefore"] = json!(n_sent_away);
    }
    app.services.audit.recorder.record(Record { detail, ..record }).await.map(drop)
}

/// Records a sign-out.
pub(super) async fn sign_out(app: &App, id: &RequestId, arrival: &Arrival, by: (Sum, Viewer)) -> Result<(), Fault> {
    let caller = Caller { viewer: by.1, via: Via::Session(by.0), address: arrival.address };
    let record = of_caller(&app.services.audit, &caller, id, "signOut");
    app.services.audit.recorder.record(record).await.map(drop)
}
