//! The API over real sockets, with in-memory makers of the ports behind it.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]
#![expect(clippy::disallowed_methods, reason = "the server whose answers are read whole is ours")]

mod access;
mod audit;
mod documents;
mod events;
mod graphql;
mod limits;
mod pages;
mod reports;
mod serving;
mod session;
mod sse;
mod support;
mod triage;
mod websocket;
