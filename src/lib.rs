//! riskgraph
