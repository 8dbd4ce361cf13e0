//! One request as the scraping detector sees it.

use riskgraph_domain::Timestamp;
use riskgraph_domain::event::Event;
use serde::{Deserialize, Serialize};

use super::super::keys::mix;
use super::super::paths;
use super::bots::Identity;
use super::config::ScrapingConfig;
use crate::baseline::Counted;
use crate::baseline::quick_key;
use crate::keyed::{Key, Keyed};

/// Letters of a user agent that tell one kind of client from another.
const AGENT_LETTERS_MAX: usize = 96;
/// Names of a query parameter that says which item is meant.
const ITEM_PARAMETERS: &[&str] = &["id", "pid", "sku", "product", "product_id", "item", "article", "artnr", "p"];

/// What kind of thing was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A picture, style, script or font.
    Asset,
    /// One of many pages of a template.
    Item,
    Other,
}

/// What of a request matters here, borrowed.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) ip: &'a str,
    /// Address with fingerprint.
    pub(super) client: Key,
    /// TLS fingerprint, else user agent without versions.
    pub(super) print: u64,
    pub(super) print_name: &'a str,
    /// The /16 or /32 of the address.
    pub(super) wide: Key,
    pub(super) agent: &'a str,
    pub(super) asked: Asked,
    pub(super) template: u64,
    pub(super) path: &'a str,
    pub(super) route: Option<&'a str>,
    pub(super) item: Key,
    pub(super) number: Option<u64>,
    pub(super) found: bool,
    pub(super) referred: bool,
    pub(super) known_user: bool,
    pub(super) identity: Identity,
}

/// What helps to read a request: learned folders and remembered user agents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Known {
    /// Distinct pages below a folder: from enough of them on they are items.
    pub(super) folders: Keyed<Counted>,
    /// Whether a user agent names itself a crawler.
    pub(super) claims: Keyed<Option<bool>>,
}

/// User agents remembered; 40 bytes each.
const AGENTS_MAX: usize = 8_192;

impl Known {
    pub(super) fn new(config: &ScrapingConfig) -> Self {
        Self { folders: Keyed::new(config.folders_max), claims: Keyed::new(AGENTS_MAX) }
    }
}

impl<'a> Page<'a> {
    /// Reads a request of a client without a partner's or staff's key; none for others and for writes.
    pub(super) fn of(event: &'a Event, known: &mut Known, config: &ScrapingConfig) -> Option<Self> {
        let (actor, http) = (&event.actor, event.http.as_deref()?);
        let reads = http.method.as_deref().is_none_or(|method| method == "GET" || method == "HEAD");
        if !reads || actor.integration.is_some() || actor.key.is_some() || actor.staff.is_some() {
            return None;
        }
        let ip = event.client.ip.as_deref()?;
        let path = http.path.as_deref()?;
        let agent = event.client.user_agent.as_deref().unwrap_or_default();
        let print_name = event.client.ja4.as_deref().filter(|ja4| !ja4.is_empty()).unwrap_or(agent);
        let print = event.client.ja4.as_deref().map_or_else(|| agent_key(agent), quick_key);
        let found = http.status.is_none_or(|status| status < 400);
        let id = paths::last_id(path);
        let asking = Asking { path, id, route: http.route.as_deref(), found };
        let (asked, template, item) = asking.place(event.time, &mut known.folders, config);
        Some(Self {
            ip,
            client: mix(quick_key(ip) ^ print.rotate_left(21)),
            print,
            print_name,
            wide: wide(ip),
            agent,
            asked,
            template,
            path,
            route: http.route.as_deref(),
            item,
            number: id.and_then(paths::number),
            found,
            referred: event.label("referer").or_else(|| event.label("referrer")).is_some_and(|from| from.len() > 1),
            known_user: actor.user.is_some(),
            identity: Identity::of(agent, event.label("rdns"), &mut known.claims, event.time, config),
        })
    }

    /// The template for people.
    pub(super) fn template_name(&self) -> String {
        match self.route {
            Some(route) => route.to_owned(),
            None if paths::last_id(self.path).is_some() => paths::template(self.path),
            None => format!("{}/*", folder(self.path)),
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
struct Asking<'a> {
    path: &'a str,
    /// The last segment that looks like an id.
    id: Option<&'a str>,
    route: Option<&'a str>,
    found: bool,
}

impl Asking<'_> {
    /// Kind, template and item. Pages without an id in their path are items once their folder has many.
    fn place(&self, time: Timestamp, folders: &mut Keyed<Counted>, config: &ScrapingConfig) -> (Asked, u64, Key) {
        let bare = paths::bare(self.path);
        let parameter = parameter(self.path);
        let item = mix(quick_key(bare) ^ parameter.map_or(0, quick_key));
        if is_asset(bare) {
            return (Asked::Asset, 0, item);
        }
        if let Some(route) = self.route {
            let asked = if route.contains(['{', ':', '<', '*']) { Asked::Item } else { Asked::Other };
            let route = quick_key(route);
            // One page of the site and of the app is one item.
            let item = self.id.map_or(item, |id| mix(route ^ quick_key(id).rotate_left(31)));
            return (asked, mix(route), item);
        }
        if parameter.is_some() || self.id.is_some() {
            return (Asked::Item, mix(paths::template_key(bare)), item);
        }
        let key = mix(quick_key(folder(bare)) ^ 1);
        let children = folders.touch(key, time);
        if self.found {
            children.insert(item);
        }
        let many = children.count() >= config.folder_items;
        (if many { Asked::Item } else { Asked::Other }, if many { key } else { item }, item)
    }
}

/// The path without its last segment.
fn folder(path: &str) -> &str {
    let path = paths::bare(path).trim_end_matches('/');
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The value of the query parameter that names an item.
fn parameter(path: &str) -> Option<&str> {
    paths::query(path).split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let names = ITEM_PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        Some(value).filter(|value| names && value.bytes().any(|byte| byte.is_ascii_digit()))
    })
}

/// Whether the path ends like something a page loads.
fn is_asset(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp", "woff", "woff2",
        "ttf", "otf", "eot", "mp4", "webm", "mp3", "wasm",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

fn agent_key(agent: &str) -> u64 {
    let mut letters = [0_u8; AGENT_LETTERS_MAX];
    let mut n = 0;
    for byte in agent.bytes().filter(u8::is_ascii_alphabetic).take(AGENT_LETTERS_MAX) {
        letters[n] = byte;
        n += 1;
    }
    quick_key(std::str::from_utf8(&letters[..n]).unwrap_or_default())
}

/// The wide network of an address in text: its first two parts, which is all that politeness needs.
fn wide(ip: &str) -> Key {
    let end = memchr::memchr2_iter(b':', b'.', ip.as_bytes()).nth(1).unwrap_or(ip.len());
    mix(quick_key(&ip[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_assets_and_folders() {
        let check = |path: &str, asset: bool, expected: &str| {
            assert_eq!((is_asset(path), folder(path)), (asset, expected), "{path}");
        };
        check("/img/a.PNG", true, "/img");
        check("/blog/geekery/red-shoes.html", false, "/blog/geekery");
        check("/blog/", false, "");
        check("/v1.2/about", false, "/v1.2");
        assert_eq!(parameter("/product.php?sort=a&id=77"), Some("77"));
        assert_eq!(parameter("/list?sort=a"), None);
        assert_eq!(wide("192.0.2.1"), wide("192.0.77.1"));
        assert_eq!(agent_key("Firefox/124.0"), agent_key("Firefox/125.0"));
    }
}
