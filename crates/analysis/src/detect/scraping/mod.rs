//! Scraping, by the shape of a population or by one client: pages read like a list, not like a shop.
//!
//! **Method.** A client is an address with a fingerprint (TLS fingerprint, else user agent without versions). It turns
//! *robotic* once it asked for three items of one template with no assets, no referrer, no other page and no login:
//! browsers do not. Robotic clients are grouped by fingerprint and template, however many and slow they are; the
//! group's distinct items are compared with the catalogue learned from everybody (HyperLogLog). Evidence: coverage of
//! the catalogue, few repeats, many addresses, all clients of the fingerprint robotic, ids in order, no assets or
//! referrers where the others have them. A single client is compared with how many distinct pages clients usually read
//! (98th percentile). Search engines whose reverse DNS (checked forward by the sender, `labels.rdns`) is theirs are left
//! out; a client that only claims to be one is LOW at most, and only while it is polite. Partners with a key are judged by the
//! integration baseline.
//!
//! **Sources.** Scenario S7; OWASP Automated Threats OAT-011; crawler verification by forward-confirmed reverse DNS as
//! documented by the search engines.
//!
//! **Memory.** A client 250 bytes, 900 at most; a group 1.8 kB; a template 600 bytes; a fingerprint 1.2 kB. Capacities
//! are in the configuration.
//!
//! Must *not* know log formats, nor decide what is slowed down.

use riskgraph_domain::Timestamp;
use riskgraph_domain::event::Event;
use riskgraph_domain::signal::Signal;
use serde::{Deserialize, Serialize};

use super::keys::mix;
use super::telling::{SCORE_MAX, worth_telling};
use super::{Context, Detector};
use crate::baseline::Counted;
use crate::baseline::Powers;
use crate::keyed::Keyed;

mod bots;
mod client;
mod config;
mod group;
mod page;
mod report;

use bots::Identity;
use client::{Client, Turn};
pub use config::ScrapingConfig;
use group::{Group, Print};
use page::{Asked, Known, Page};

/// The detector's name in signals.
pub const NAME: &str = "scraping";

/// Clients, groups of them, and what everybody reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scraping {
    config: ScrapingConfig,
    clients: Keyed<Client>,
    groups: Keyed<Group>,
    prints: Keyed<Print>,
    /// Distinct items ever read, by template.
    catalogue: Keyed<Counted>,
    known: Known,
    pages_of_clients: Powers,
    everybody: Everybody,
}

/// Shares of assets and referrers among all requests, so that their absence can mean something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Everybody {
    pages: u64,
    assets: u64,
    referred: u64,
}

/// Requests after which the counts are halved, to follow a changing site.
const EVERYBODY_MAX: u64 = 1_000_000;
/// Requests before shares mean something.
const EVERYBODY_MIN: u64 = 500;

impl Everybody {
    fn count(&mut self, page: &Page) {
        match page.asked {
            Asked::Asset => self.assets += 1,
            _ => {
                self.pages += 1;
                self.referred += u64::from(page.referred);
            }
        }
        if self.pages + self.assets >= EVERYBODY_MAX {
            self.pages /= 2;
            self.assets /= 2;
            self.referred /= 2;
        }
    }

    /// Whether at least `share` of all requests are for assets.
    fn load_assets(&self, share: f64) -> bool {
        let n = self.pages + self.assets;
        n >= EVERYBODY_MIN && self.assets as f64 >= share * n as f64
    }

    /// Whether at least `share` of all pages come by a link.
    fn follow_links(&self, share: f64) -> bool {
        self.pages >= EVERYBODY_MIN && self.referred as f64 >= share * self.pages as f64
    }
}

impl Scraping {
    #[must_use]
    pub fn new(config: &ScrapingConfig) -> Self {
        Self {
            clients: Keyed::new(config.clients_max),
            groups: Keyed::new(config.groups_max),
            prints: Keyed::new(config.prints_max),
            catalogue: Keyed::new(config.templates_max),
            known: Known::new(config),
            pages_of_clients: Powers::default(),
            everybody: Everybody::default(),
            config: config.clone(),
        }
    }

    /// A robotic client's items join those of its kind; some when the group is worth a signal.
    fn crowd(&mut self, page: &Page, items: &[u64], event: &Event, context: &Context) -> Option<Signal> {
        let config = &self.config;
        let group = self.groups.touch(mix(page.print ^ page.template.rotate_left(9)), event.time);
        group.roll(event.time, config);
        items.iter().for_each(|&item| group.add(item, page, event.time));
        if group.items.count() < config.items_min {
            return None;
        }
        let print = self.prints.get(mix(page.print))?;
        let catalogue = self.catalogue.get(page.template).map_or(0, Counted::count).max(group.items.count());
        let surroundings = group::Surroundings {
            catalogue,
            robotic_share: print.robotic_share(),
            assets_usual: self.everybody.load_assets(config.usual_share),
            links_usual: self.everybody.follow_links(config.usual_share),
        };
        let shares = group.weigh(&surroundings, config);
        let score = page.identity.limit(shares.sum(), group.networks.count()).min(SCORE_MAX);
        if !worth_telling(group.told, score) {
            return None;
        }
        group.told = score;
        Some(report::crowd(group, &shares, score, catalogue, page, event, context))
    }

    /// One client against how much clients usually read.
    fn alone(&mut self, page: &Page, event: &Event, context: &Context) -> Option<Signal> {
        let config = &self.config;
        let client = self.clients.get_mut(page.client)?;
        if client.items.count() < config.alone_min {
            return None;
        }
        let usual = self.pages_of_clients.usual_max().unwrap_or(0.0);
        let surroundings = client::Surroundings {
            usual: (2.0 * usual).max(config.alone_min as f64),
            assets_usual: self.everybody.load_assets(config.usual_share),
            links_usual: self.everybody.follow_links(config.usual_share),
        };
        let shares = client.weigh(&surroundings, config);
        let score = page.identity.limit(shares.sum(), 1).min(SCORE_MAX);
        if !worth_telling(client.told, score) {
            return None;
        }
        client.told = score;
        Some(report::alone(client, &shares, score, surroundings.usual, page, event, context))
    }
}

impl Detector for Scraping {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        let Some(page) = Page::of(event, &mut self.known, &self.config) else { return };
        if page.identity == Identity::Confirmed {
            return;
        }
        self.everybody.count(&page);
        if page.found && page.asked == Asked::Item {
            self.catalogue.touch(page.template, event.time).insert(page.item);
        }
        let client = self.clients.touch(page.client, event.time);
        client.roll(event.time, &self.config);
        let before = client.items.count();
        let turn = client.add(&page, event.time);
        let after = client.items.count();
        self.pages_of_clients.count(before, after);
        let mut items = [page.item; client::FIRST];
        let n_items = match turn {
            Turn::Robotic(first) => {
                items = first;
                self.prints.touch(mix(page.print), event.time).robotic.insert(page.client);
                client::FIRST
            }
            Turn::Still if page.asked == Asked::Item && page.found => 1,
            Turn::Human => {
                self.prints.touch(mix(page.print), event.time).human.insert(page.client);
                0
            }
            Turn::Still | Turn::Open => 0,
        };
        if n_items > 0 {
            let crowd = self.crowd(&page, &items[..n_items], event, context);
            signals.extend(crowd);
        }
        if after > before {
            let alone = self.alone(&page, event, context);
            signals.extend(alone);
        }
    }

    fn n_keys(&self) -> usize {
        let counts =
            [self.clients.len(), self.groups.len(), self.prints.len(), self.catalogue.len(), self.known.folders.len()];
        counts.iter().sum()
    }
}

/// Whether a window that began at `start` is over; late events before its start belong to it.
fn over(start: Timestamp, time: Timestamp, window_ms: i64) -> bool {
    time - start >= window_ms
}

#[cfg(test)]
mod tests;
