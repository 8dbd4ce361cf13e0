//! The API over real sockets, with in-memory makers of the ports behind it.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

mod access;
mod events;
mod graphql;
mod limits;
mod pages;
mod serving;
mod sse;
mod support;
mod websocket;
