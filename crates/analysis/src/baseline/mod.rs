//! Learned normal: robust seasonal levels, things seen before, recent traffic.
//!
//! Building blocks of detectors that compare a key with its own past. They know numbers and times only: *not* events,
//! signals, entities or configuration files.

mod counted;
mod hours;
mod powers;
mod seasonal;
mod seen;
mod traffic;

pub use counted::Counted;
pub use hours::{Hour, OpenHours};
pub use powers::Powers;
pub use seasonal::{Band, Seasonal};
pub use seen::{Novelty, Probation, Seen, quick_key};
pub use traffic::{Recent, Tally};
