//! The ways to and from the outside: foreign log formats, the crawler that looks at vendors, responders that act, and the
//! channels alerts are told through.
//!
//! Formats turn one line into events and do no I/O. The crawler does all of its own I/O and reports plain facts
//! ([`riskgraph_domain::observation`]). This crate must *not* know how anything is judged, stored or served.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

pub mod crawl;
pub mod decompress;
pub mod formats;
pub mod lookalike;
pub mod net;
pub mod notify;
pub mod respond;
