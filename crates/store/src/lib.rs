//! riskgraph-store
