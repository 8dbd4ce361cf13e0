//! riskgraph-migrations
