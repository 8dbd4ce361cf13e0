//! From the configuration's words to the crawler's options.

use std::net::SocketAddr;
use std::sync::Arc;

use riskgraph_connectors::crawl::CrawlerOptions;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_pages::retire::Repository;

use crate::config::CrawlerConfig;

/// The crawler's options as configured.
///
/// # Errors
/// When an address, a network or the authority file is wrong; the message names the key.
pub fn of(config: &CrawlerConfig) -> Result<CrawlerOptions, Fault> {
    let mut options = CrawlerOptions::default();
    if !config.resolver.is_empty() {
        options.resolver = Some(address("crawler.resolver", &config.resolver)?);
    }
    if !config.ca_file.as_os_str().is_empty() {
        let pem = std::fs::read(&config.ca_file).map_err(|error| {
            wrong("crawler.ca_file", format!("{} cannot be read: {error}", config.ca_file.display()))
        })?;
        options.extra_ca_pem = Some(pem);
    }
    if !config.dnssec_anchors.as_os_str().is_empty() {
        options.dnssec_anchors = Some(config.dnssec_anchors.clone());
    }
    if !config.retire_file.as_os_str().is_empty() {
        let unusable =
            |error: String| wrong("crawler.retire_file", format!("{}: {error}", config.retire_file.display()));
        let text = std::fs::read_to_string(&config.retire_file).map_err(|error| unusable(error.to_string()))?;
        let repository = Repository::read(&text).map_err(|error| unusable(error.to_string()))?;
        options.repository = Some(Arc::new(repository));
    }
    options.scripts_max = config.scripts_max;
    options.authorised.clone_from(&config.authorised);
    for entry in &config.connect {
        let rule = entry.parse().map_err(|problem| wrong("crawler.connect", format!("'{entry}': {problem}")))?;
        options.connect.push(rule);
    }
    for network in &config.allow_networks {
        let network = network
            .parse()
            .map_err(|_| wrong("crawler.allow_networks", format!("'{network}' is no network such as 10.20.0.0/16")))?;
        options.allow_networks.push(network);
    }
    if !config.rdap.is_empty() {
        let url = config.rdap.parse().map_err(|_| wrong("crawler.rdap", format!("'{}' is no URL", config.rdap)))?;
        options.rdap = Some(url);
    }
    if !config.asn_table.as_os_str().is_empty() {
        options.asn_table = Some(config.asn_table.clone());
    }
    Ok(options)
}

fn address(key: &str, text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| wrong(key, format!("'{text}' is not ADDRESS:PORT such as 192.0.2.53:53")))
}

fn wrong(key: &str, problem: String) -> Fault {
    Fault::new(FaultCode::Configuration, format!("{key}: {problem}"))
}
