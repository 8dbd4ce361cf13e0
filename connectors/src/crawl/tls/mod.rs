//! A prober of TLS: writes its own hellos and reads what servers answer in clear.
//!
//! It sees SSLv2 to TLS 1.3, every suite and group, chains and their faults, and what the hello gives away. It never sends
//! what a good client could not send by mistake: no exploit, no malformed message. Connections are short, few at a time and
//! counted ([`talk`]). Must *not* judge what it sees.

mod certificate;
mod der;
mod features;
mod flight;
mod groups;
pub(crate) mod handshake;
mod hello;
mod ocsp;
mod primes;
mod profile;
mod revocation;
mod ssl2;
mod suites;
mod survey;
mod talk;
pub(crate) mod trust;
mod versions;
mod wire;

pub(super) use survey::observe;
