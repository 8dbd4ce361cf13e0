//! riskgraph: the wiring. Pipeline shells, jobs, and the command line; judgement itself is in `riskgraph_analysis`.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod contracts;
pub mod counters;
pub mod crawl_options;
pub mod demo;
pub mod gatekeeper;
pub mod ground;
pub mod intake;
pub mod jobs;
pub mod knowledge;
pub mod live;
pub mod lookalikes;
pub mod notify;
pub mod observer;
pub mod past;
pub mod pipeline;
pub mod posture_desk;
pub mod reports;
pub mod respond;
pub mod responders;
pub mod restore;
pub mod seen;
pub mod status;
pub mod vault;
pub mod vendor_csv;
pub mod views;
