//! riskgraph-console
