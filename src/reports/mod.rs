//! Reports: what was known at an instant is gathered from history, composed, written down, signed, kept, shared and sent.
//!
//! Only instants go in and only history is read, so the same instant gives the same report. How it looks is
//! `riskgraph_report`'s; what is stored how, the store's.

pub mod changes;
pub mod clock;
pub mod desk;
pub mod gather;
mod gather_alerts;
pub mod keys;
pub mod options;
pub mod pulse;
mod schedules;
mod share;
