//! The words of riskgraph: types, ids, errors and ports.
//!
//! Everything else depends on this crate and this crate depends on nothing of ours. It must *not* know how anything is
//! stored, fetched, served or judged: no runtime, no database, no HTTP, no wall clock, no randomness. Time and chance
//! come in as arguments.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

pub mod access;
pub mod alert;
pub mod audit;
pub mod command;
pub mod delivery;
pub mod digest;
pub mod document;
pub mod error;
pub mod event;
pub mod graph;
pub mod id;
pub mod journal;
pub mod known;
pub mod lookalike;
pub mod observation;
pub mod page;
pub mod playbook;
pub mod ports;
pub mod posture;
pub mod report;
pub mod respond;
pub mod secret;
pub mod session;
pub mod signal;
pub mod text;
pub mod time;
pub mod triage;
pub mod vendor;

pub use error::{Fault, FaultCode, Reject};
pub use event::{Event, EventKind, Outcome};
pub use graph::{EntityKey, EntityKind, RelationKind};
pub use id::{
    AlertId, ApprovalId, CaseId, ChannelId, DeliveryId, EntityId, FindingId, IntegrationId, PlaybookId, RelationId,
    ReportId, ReportScheduleId, ReportShareId, RunId, SignalId, SilenceId, TokenId, VendorId,
};
pub use signal::{Severity, Signal};
pub use text::Text;
pub use time::Timestamp;
