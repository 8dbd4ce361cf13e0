//! The product on a small internet of its own: what `riskgraph demo` runs.

pub mod containment;
pub mod shipper;
pub mod summary;
