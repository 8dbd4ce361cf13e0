//! The HTTP side: one router, built from [`crate::surface::ROUTES`] and nothing else.

mod arrival;
pub(crate) mod caller;
mod cookie;
mod door;
mod events;
mod graphiql;
mod graphql;
mod headers;
mod health;
pub(crate) mod memory;
mod recorded;
mod report;
mod run;
mod serve;
mod session;
mod site;
mod sse;
mod ws;

use std::sync::Arc;

use axum::Extension;
use axum::handler::Handler;
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use riskgraph_domain::error::Fault;

pub use arrival::Networks;
pub use serve::serve;

use crate::app::App;
use crate::fault::{RequestId, Shape, http_response};
use crate::services::{ApiOptions, Graphiql, Services};
use crate::surface::{Door, Endpoint, Method, ROUTES, Route};

/// The API over these services. The console is not in it: merge it for `/`.
pub fn router(services: Services, options: ApiOptions) -> axum::Router {
    let app = Arc::new(App::new(services, options));
    let mut router = axum::Router::new();
    for route in ROUTES {
        let hidden = app.options.graphiql == Graphiql::Hidden;
        if hidden && matches!(route.endpoint, Endpoint::Graphiql | Endpoint::GraphiqlScript | Endpoint::GraphiqlStyle) {
            continue;
        }
        router = router.route(route.path, handler(route, &app));
    }
    // A fallback of our own, so that also a router merged with this one answers a wrong path with our headers.
    let router = router.fallback(nowhere);
    headers::protect(router, &app).with_state(app)
}

async fn nowhere(Extension(id): Extension<RequestId>) -> Response {
    http_response(&Fault::not_found("page"), &id, Shape::Plain)
}

fn handler(route: &Route, app: &Arc<App>) -> MethodRouter<Arc<App>> {
    let handler = match route.endpoint {
        Endpoint::Events => on(route.method, events::native),
        Endpoint::EventsIn => on(route.method, events::foreign),
        Endpoint::GraphqlPost => on(route.method, graphql::post),
        Endpoint::GraphqlGet => on(route.method, graphql::get),
        Endpoint::Graphiql => on(route.method, graphiql::page),
        Endpoint::GraphiqlScript => on(route.method, graphiql::script),
        Endpoint::GraphiqlStyle => on(route.method, graphiql::style),
        Endpoint::HealthLive => on(route.method, health::live),
        Endpoint::HealthReady => on(route.method, health::ready),
        Endpoint::Metrics => on(route.method, health::metrics),
        Endpoint::SignIn => on(route.method, session::begin),
        Endpoint::SignOut => on(route.method, session::end),
        Endpoint::ReportKey => on(route.method, report::key),
        Endpoint::ReportFile => on(route.method, report::file),
        Endpoint::SharedReport => on(route.method, report::shared),
    };
    // Inside the door, so that the record knows who was let in.
    let handler = if recorded::is_quiet(route.endpoint) {
        handler
    } else {
        handler.layer(middleware::from_fn_with_state(Arc::clone(app), recorded::record))
    };
    match route.door {
        Door::Open | Door::Handshake(_) => handler,
        Door::Bearer(capability) => {
            let keeper = door::Keeper { app: Arc::clone(app), capability };
            handler.layer(middleware::from_fn_with_state(keeper, door::keep))
        }
    }
}

fn on<H, T>(method: Method, handler: H) -> MethodRouter<Arc<App>>
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    match method {
        Method::Get => get(handler),
        Method::Post => post(handler),
        Method::Delete => delete(handler),
    }
}
