//! Pages of shops: what they load, what their scripts can do, and what changed since the last look.
//!
//! HTML is read as tokens, not as a tree: what a browser may be brought to load stands in the tags, wherever a parser would
//! hang them. Scripts are read as text and never run. All of it is pure: bytes and clocks come from outside. It must *not*
//! know sockets, stores or scores.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

mod base64;
pub mod churn;
pub mod code;
pub mod csp_evaluator;
pub mod events;
pub mod evidence;
pub mod har;
pub mod headers;
pub mod html;
pub mod ledger;
pub mod retire;
pub mod script;
pub mod snapshot;
pub mod tokens;
