//! Black-box tests: the real binary, over its real interfaces.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![expect(unreachable_pub, reason = "modules of a test binary have no outside")]

mod access;
mod assess;
mod audit;
mod cli;
mod contract;
mod delivery;
mod ingest;
mod never_lost;
mod playbooks;
mod reports;
mod session;
mod story;
mod support;
mod triage;
