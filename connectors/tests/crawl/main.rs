//! The crawler against real servers on loopback: DNS, HTTPS with an own authority, and servers that misbehave.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

mod hostile;
mod names;
mod openssl;
mod secrets;
mod servers;

mod tls;
mod unverified;
mod web;
mod world;
