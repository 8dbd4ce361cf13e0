//! Observes a domain: what the crawler sees, its lookalikes as far as they are watched, and what the operator's files say.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_analysis::knowledge::Knowledge;
use riskgraph_connectors::crawl::HttpCrawler;
use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::ports::Crawler;
use riskgraph_domain::{Fault, Timestamp};

use crate::config::Config;
use crate::knowledge;
use crate::lookalikes::Watch;

/// The crawler with everything that is looked up besides.
pub struct Observer {
    crawler: Arc<HttpCrawler>,
    watch: Option<Watch>,
    knowledge: Knowledge,
}

impl Observer {
    /// The observer as configured.
    ///
    /// # Errors
    /// When an address, network or file of the configuration is wrong.
    pub fn new(config: &Config) -> Result<Self, Fault> {
        let crawler = Arc::new(crate::app::crawler(config)?);
        let watch = Watch::new(config, Arc::clone(&crawler))?;
        Ok(Self { crawler, watch, knowledge: knowledge::load(&config.knowledge)? })
    }
}

#[async_trait]
impl Crawler for Observer {
    async fn observe(&self, domain: &str, now: Timestamp) -> DomainObservations {
        let mut seen = self.crawler.observe(domain, now).await;
        if let Some(watch) = &self.watch {
            watch.look(&mut seen).await;
        }
        self.knowledge.enrich(&mut seen);
        seen
    }
}
