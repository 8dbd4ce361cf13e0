//! riskgraph-connectors
