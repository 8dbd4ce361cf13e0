//! riskgraph-domain
