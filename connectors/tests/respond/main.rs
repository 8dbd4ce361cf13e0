//! Responders against real servers on loopback: what they say they did is looked at from outside.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

mod any;
mod aws_waf;
mod cloudflare;
mod contain;
mod csp;
mod fake;
mod nftables;
mod nginx;
mod shop;
mod ticket;
mod world;
