//! The journal and the state on SQLite (default) and PostgreSQL.
//!
//! [`Store::open`] gives the makers of the domain's ports. It must *not* know how anything is judged, fetched or served.
//! SQL and row types never leave this crate; `docs/store.md` tells the tables and what is durable when.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

mod audit;
mod codec;
mod db;
mod deliveries;
mod documents;
mod error;
mod insert;
mod jobs;
mod journal;
mod options;
mod records;
mod reports;
mod rows;
mod runs;
mod sessions;
mod state;
mod store;
mod tokens;
mod unnest;

pub use error::StoreError;
pub use options::StoreOptions;
pub use store::Store;
