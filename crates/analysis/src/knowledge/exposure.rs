//! Imported scans, lists of bad addresses, route origins, networks of delivery services, and storage containers.
//! Each from the form its tool writes. Knows no check.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use riskgraph_domain::Text;
use riskgraph_domain::known::{
    Bucket, BucketAccess, KNOWN_MAX, ListedAddress, OpenPort, RouteOrigin, RouteState, Scan,
};
use riskgraph_domain::observation::{DnsAnswer, DomainObservations};
use serde::Deserialize;
use serde_json::Value;

use super::lists::day_or_moment;

/// Rows read of one file.
const ROWS_MAX: usize = 5_000_000;

/// The addresses of the domain and of `www` below it.
pub(super) fn addresses(seen: &DomainObservations) -> Vec<IpAddr> {
    let names = [seen.domain.to_string(), format!("www.{}", seen.domain)];
    let mut all: Vec<IpAddr> = Vec::new();
    for lookup in &seen.dns.lookups {
        let is_own = names.iter().any(|name| lookup.name.eq_ignore_ascii_case(name));
        if let DnsAnswer::Records(records) = &lookup.answer
            && is_own
            && matches!(lookup.kind.as_str(), "A" | "AAAA")
        {
            all.extend(records.iter().filter_map(|record| record.parse::<IpAddr>().ok()));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Open ports by address, from lines of JSON: Shodan's banners (`ip_str`, `port`, `hostnames`, `product`, `timestamp`) or
/// naabu's (`ip`, `host`, `port`).
#[derive(Debug, Clone, Default)]
pub struct ScanIndex {
    by_address: BTreeMap<IpAddr, Vec<(OpenPort, Vec<String>)>>,
}

impl ScanIndex {
    /// Adds the lines of a file; returns how many could not be read.
    pub fn add(&mut self, text: &str) -> usize {
        #[derive(Deserialize)]
        struct Row {
            ip_str: Option<String>,
            ip: Option<Value>,
            port: u16,
            host: Option<String>,
            #[serde(default)]
            hostnames: Vec<String>,
            product: Option<String>,
            timestamp: Option<String>,
        }
        let mut n_bad = 0;
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(ROWS_MAX) {
            let row = serde_json::from_str::<Row>(line).ok();
            let address = row.as_ref().and_then(|row| {
                // Shodan's `ip` is a number and `ip_str` the address; naabu's `ip` is the address.
                let text = row.ip_str.as_deref().or_else(|| row.ip.as_ref().and_then(Value::as_str))?;
                text.parse::<IpAddr>().ok()
            });
            let (Some(row), Some(address)) = (row, address) else {
                n_bad += 1;
                continue;
            };
            let hosts: Vec<String> =
                row.hostnames.into_iter().chain(row.host).map(|host| host.to_ascii_lowercase()).collect();
            let port = OpenPort {
                address: Text::from(address.to_string()),
                host: hosts.first().map(|host| super::cut(host)),
                port: row.port,
                service: row.product.map(|product| super::cut(&product)),
                seen: row.timestamp.as_deref().and_then(day_or_moment),
            };
            self.by_address.entry(address).or_default().push((port, hosts));
        }
        n_bad
    }

    /// What was open on these addresses; of shared ones only what bears the domain's name. `None` when none was scanned.
    pub(super) fn of(&self, domain: &str, addresses: &[IpAddr], shared: &[Text]) -> Option<Scan> {
        let mut scan = Scan::default();
        for address in addresses {
            let Some(ports) = self.by_address.get(address) else { continue };
            scan.n_addresses += 1;
            let is_shared = shared.iter().any(|shared| shared.as_str() == address.to_string());
            let named = |hosts: &[String]| hosts.iter().any(|host| is_below(host, domain));
            let own = ports.iter().filter(|(_, hosts)| !is_shared || named(hosts)).map(|(port, _)| port.clone());
            scan.open.extend(own.take(KNOWN_MAX.saturating_sub(scan.open.len())));
        }
        (scan.n_addresses > 0).then_some(scan)
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Lists of bad addresses: one address or network a line; a number behind says on how many lists it stands (ipsum).
#[derive(Debug, Clone, Default)]
pub struct AddressLists {
    lists: Vec<AddressList>,
}

/// One list: its name, addresses and networks, each with its level.
#[derive(Debug, Clone)]
struct AddressList {
    name: Text,
    single: BTreeMap<IpAddr, u32>,
    networks: Vec<(IpNet, u32)>,
}

impl AddressLists {
    /// Adds a list under its name.
    pub fn add(&mut self, name: &str, text: &str) {
        let (mut single, mut networks) = (BTreeMap::new(), Vec::new());
        for line in text.lines().take(ROWS_MAX) {
            let mut words = line.split(['#', ';']).next().unwrap_or_default().split([' ', '\t', ',']);
            let first = words.next().unwrap_or_default();
            let level = words.find_map(|word| word.parse().ok()).unwrap_or(1);
            if let Ok(address) = first.parse::<IpAddr>() {
                single.insert(address, level);
            } else if let Ok(network) = first.parse::<IpNet>() {
                networks.push((network, level));
            }
        }
        self.lists.push(AddressList { name: Text::from(name), single, networks });
    }

    pub(super) fn of(&self, addresses: &[IpAddr], shared: &[Text]) -> Vec<ListedAddress> {
        let mut found = Vec::new();
        for address in addresses {
            let text = address.to_string();
            if shared.iter().any(|shared| shared.as_str() == text) {
                continue;
            }
            let mut entry = ListedAddress { address: Text::from(text), lists: Vec::new(), level: 0 };
            for AddressList { name, single, networks } in &self.lists {
                let network =
                    || networks.iter().find(|(network, _)| network.contains(address)).map(|&(_, level)| level);
                if let Some(level) = single.get(address).copied().or_else(network) {
                    entry.lists.push(name.clone());
                    entry.level += level;
                }
            }
            if !entry.lists.is_empty() {
                found.push(entry);
            }
        }
        found
    }
}

/// Who announces which network (pfx2as lines: network, length, AS) and who may (`roas` of rpki-client or Routinator).
#[derive(Debug, Clone, Default)]
pub struct Routes {
    announced: BTreeMap<IpNet, Vec<u32>>,
    authorised: BTreeMap<IpNet, Vec<(u32, u8)>>,
}

impl Routes {
    /// Adds announcements: `192.0.2.0<TAB>24<TAB>64500`; several origins as `64500_64501`.
    pub fn add_announced(&mut self, text: &str) {
        for line in text.lines().take(ROWS_MAX) {
            let mut fields = line.split_whitespace();
            let (Some(network), Some(length), Some(origins)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            if let Ok(network) = format!("{network}/{length}").parse::<IpNet>() {
                let origins = origins.split(['_', ',']).filter_map(|origin| origin.parse::<u32>().ok());
                self.announced.entry(network.trunc()).or_default().extend(origins);
            }
        }
    }

    /// Adds authorisations.
    ///
    /// # Errors
    /// When the file is no JSON with `roas`.
    pub fn add_authorised(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        #[derive(Deserialize)]
        struct File {
            roas: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            asn: Value,
            prefix: IpNet,
            #[serde(rename = "maxLength")]
            longest: Option<u8>,
        }
        let file: File = serde_json::from_slice(bytes)?;
        for row in file.roas.into_iter().take(ROWS_MAX) {
            let asn = match &row.asn {
                Value::String(text) => text.trim_start_matches(['A', 'S', 'a', 's']).parse().ok(),
                other => other.as_u64().and_then(|asn| u32::try_from(asn).ok()),
            };
            if let Some(asn) = asn {
                let longest = row.longest.unwrap_or(row.prefix.prefix_len());
                self.authorised.entry(row.prefix.trunc()).or_default().push((asn, longest));
            }
        }
        Ok(())
    }

    pub(super) fn of(&self, addresses: &[IpAddr]) -> Vec<RouteOrigin> {
        let mut found = Vec::new();
        for address in addresses {
            let networks: Vec<IpNet> = covering(*address);
            let Some(prefix) = networks.iter().find(|network| self.announced.contains_key(network)) else { continue };
            for &asn in self.announced.get(prefix).into_iter().flatten() {
                let state = self.validate(&networks, *prefix, asn);
                let address = Text::from(address.to_string());
                found.push(RouteOrigin { address, prefix: Text::from(prefix.to_string()), asn, state });
            }
        }
        found.truncate(KNOWN_MAX);
        found
    }

    /// Origin validation (RFC 6811 2).
    fn validate(&self, networks: &[IpNet], prefix: IpNet, asn: u32) -> RouteState {
        let above = networks.iter().filter(|network| network.prefix_len() <= prefix.prefix_len());
        let covering: Vec<(u32, u8)> =
            above.filter_map(|network| self.authorised.get(network)).flatten().copied().collect();
        if covering.is_empty() {
            return RouteState::NotFound;
        }
        let fits = |&(owner, longest): &(u32, u8)| owner == asn && asn != 0 && prefix.prefix_len() <= longest;
        if covering.iter().any(fits) { RouteState::Valid } else { RouteState::Invalid }
    }
}

/// Every network that holds an address, longest first.
fn covering(address: IpAddr) -> Vec<IpNet> {
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (0..=longest).rev().filter_map(|length| IpNet::new(address, length).ok()).map(|network| network.trunc()).collect()
}

/// Networks of delivery services, as cdncheck's `sources_data.json` has them, or one network a line.
#[derive(Debug, Clone, Default)]
pub struct DeliveryNetworks {
    networks: BTreeSet<IpNet>,
}

impl DeliveryNetworks {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut networks = BTreeSet::new();
        match serde_json::from_str::<BTreeMap<String, Value>>(text) {
            Ok(file) => {
                // Clouds rent addresses out: what stands there is the renter's own.
                let kinds = file.iter().filter(|(kind, _)| matches!(kind.as_str(), "cdn" | "waf"));
                let providers = kinds.filter_map(|(_, providers)| providers.as_object()).flat_map(|all| all.values());
                let listed = providers.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
                networks.extend(listed.filter_map(|network| network.parse::<IpNet>().ok()));
            }
            Err(_) => networks.extend(text.lines().take(ROWS_MAX).filter_map(|line| line.trim().parse::<IpNet>().ok())),
        }
        Self { networks: networks.into_iter().map(|network| network.trunc()).collect() }
    }

    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        covering(address).iter().any(|network| self.networks.contains(network))
    }

    pub(super) fn of(&self, addresses: &[IpAddr]) -> Vec<Text> {
        addresses.iter().filter(|address| self.has(**address)).map(|address| Text::from(address.to_string())).collect()
    }
}

/// What strangers may do with storage containers: lines `{"url": "https://name.s3.amazonaws.com/", "access": "list"}`.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    by_place: BTreeMap<String, BucketAccess>,
}

impl Buckets {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Row {
            url: String,
            access: BucketAccess,
        }
        let rows = text.lines().take(ROWS_MAX).filter_map(|line| serde_json::from_str::<Row>(line).ok());
        Self { by_place: rows.filter_map(|row| Some((place(&row.url)?, row.access))).collect() }
    }

    /// The containers that the domain's page loads from and the file knows.
    pub(super) fn of(&self, seen: &DomainObservations) -> Vec<Bucket> {
        let pages = [&seen.https, &seen.http].into_iter().flatten().filter_map(|web| web.page.as_ref());
        let urls = pages.flat_map(|page| {
            let scripts = page.scripts.iter().filter_map(|script| script.url.as_deref());
            scripts.chain(page.resources.iter().map(String::as_str)).chain(page.frames.iter().map(String::as_str))
        });
        let mut found: BTreeMap<String, BucketAccess> = BTreeMap::new();
        for at in urls.filter_map(place) {
            if let Some(&access) = self.by_place.get(&at) {
                found.insert(at, access);
            }
        }
        found.into_iter().take(KNOWN_MAX).map(|(url, access)| Bucket { url, access }).collect()
    }
}

/// The container a URL names, by its host or the first part of its path: S3, Google Cloud Storage, Azure Blob Storage.
fn place(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    let first = url.path_segments()?.next().unwrap_or_default();
    let by_path = (host.starts_with("s3.") || host.starts_with("s3-")) && host.ends_with(".amazonaws.com")
        || host == "storage.googleapis.com"
        || host.ends_with(".blob.core.windows.net");
    let by_host = (host.contains(".s3.") || host.contains(".s3-")) && host.ends_with(".amazonaws.com")
        || host.ends_with(".storage.googleapis.com");
    match (by_path, by_host) {
        (true, _) if !first.is_empty() => Some(format!("{host}/{first}")),
        (_, true) => Some(host),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
