//! Responders against real servers on loopback: what they say they did is looked at from outside.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

mod contain;
mod nginx;
mod shop;
mod world;
