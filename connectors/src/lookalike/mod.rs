//! Asks DNS about thousands of names at once, and looks at the pages behind those that exist.
//!
//! A name that does not exist costs one question; only those that do are asked for the rest. Answers that every name of a
//! zone gets (wildcards) are found by asking for a name nobody has. Must *not* know how the names were made or what they
//! mean.

mod bulk;
mod pages;
mod wire;

pub use bulk::{Bulk, BulkOptions};
pub use pages::{PAGES_MAX, is_of, likeness};
