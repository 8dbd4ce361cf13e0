//! riskgraph-analysis
