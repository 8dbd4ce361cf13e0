//! riskgraph-lab
