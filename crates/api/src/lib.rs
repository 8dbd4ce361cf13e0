//! The service's API: GraphQL with live subscriptions, ingest over HTTP, health and metrics.
//!
//! Works against the ports of `riskgraph-domain` alone. It must *not* know how anything is stored, judged or fetched:
//! no database, no detectors, no crawlers. What a caller may do is decided in one table, [`surface`].

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

mod access;
mod app;
mod audit;
mod fault;
mod graphql;
mod http;
mod limits;
mod live;
mod services;
mod surface;

pub use audit::Reads;
pub use graphql::sdl;
pub use http::{Networks, router, serve};
pub use services::{ApiOptions, ConnectionLimits, Graphiql, GraphqlLimits, IngestLimits, LiveLimits, Services};
pub use surface::{SurfaceItem, surface};
