//! riskgraph-api
