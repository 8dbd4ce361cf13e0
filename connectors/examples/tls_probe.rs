//! Examines TLS of hosts at given addresses and prints the facts, one JSON document a line.
//!
//! `tls_probe [--ca FILE] [--at-once N] HOST=ADDRESS:PORT ...`

use std::net::SocketAddr;
use std::time::Instant;

use futures::StreamExt;
use riskgraph_connectors::crawl::{ConnectRule, CrawlerOptions, HttpCrawler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = CrawlerOptions { resolver: Some(([127, 0, 0, 1], 53).into()), ..CrawlerOptions::default() };
    let mut hosts: Vec<String> = Vec::new();
    let mut at_once = 1;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--ca" => options.extra_ca_pem = Some(std::fs::read(arguments.next().ok_or("--ca needs a file")?)?),
            "--at-once" => at_once = arguments.next().ok_or("--at-once needs a number")?.parse()?,
            other => {
                let (host, address) = other.split_once('=').ok_or("HOST=ADDRESS:PORT")?;
                let to: SocketAddr = address.parse()?;
                options.connect.push(ConnectRule { host: host.to_owned(), port: 443, to });
                hosts.push(host.to_owned());
            }
        }
    }
    options.limits.host_rate_per_s = 1_000;
    options.limits.host_burst = 1_000;
    let crawler = HttpCrawler::new(options).map_err(|fault| fault.to_string())?;
    let crawler = &crawler;
    let examined = futures::stream::iter(hosts).map(|host| async move {
        let began = Instant::now();
        let facts = crawler.observe_tls(&host, 443).await;
        (facts, began.elapsed())
    });
    let mut examined = examined.buffer_unordered(at_once);
    while let Some((facts, took)) = examined.next().await {
        eprintln!("{} {} ms, {} connections", facts.host, took.as_millis(), facts.features.n_connections);
        println!("{}", serde_json::to_string(&facts)?);
    }
    Ok(())
}
