//! A small internet on loopback: name server, certificate authority, vendors' sites good and bad, the shop's own.
//!
//! Everything binds to 127.0.0.0/8 with ports of the system's choice; `connect` says which real port stands for
//! which host and port. It ends when the [`Internet`] is dropped.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use hickory_server::Server;
use riskgraph_domain::Timestamp;
use riskgraph_domain::vendor::{VendorInput, VendorTier};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::roster::{Company, VendorRole, roster};

mod authority;
mod host;
mod legacy;
mod pages;
mod profile;
mod zones;

use authority::Authority;
use host::{Host, serve};
use pages::{Scheme, Site};
pub use profile::Profile;
use zones::{Names, Zone};

/// Tries to find a port that is free for both UDP and TCP.
const PORT_TRIES: usize = 20;
/// A DNS connection that stays silent this long is closed.
const DNS_IDLE: Duration = Duration::from_secs(5);
/// Answers waiting to be written on one DNS connection.
const DNS_RESPONSES: usize = 64;
/// How long a security.txt is valid.
const SECURITY_TXT_MS: i64 = 200 * 86_400_000;
/// The shop's own domain.
const SHOP: &str = "shop.example";

/// Where nobody listens: the port of a service that died in the eighties, on an address of its own.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 53, 9, 7)), 1);

/// How to make an internet.
#[derive(Debug, Clone)]
pub struct InternetOptions {
    /// The same seed as the shop's gives the same vendors.
    pub seed: u64,
    /// Where the name server listens; port 0 takes a free one.
    pub dns: SocketAddr,
    /// The moment certificates are dated by; the system's clock when `None`.
    pub now: Option<Timestamp>,
}

impl Default for InternetOptions {
    fn default() -> Self {
        Self { seed: 1, dns: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), now: None }
    }
}

/// A vendor of the lab and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabVendor {
    pub name: String,
    pub domain: String,
    pub tier: VendorTier,
    pub integrations: Vec<String>,
    pub profile: Profile,
    /// What is wrong, in words.
    pub expected: &'static str,
    /// Grades that would be right.
    pub expected_grades: &'static [&'static str],
}

impl LabVendor {
    /// The vendor as a person would add it.
    #[must_use]
    pub fn input(&self) -> VendorInput {
        VendorInput {
            name: self.name.as_str().into(),
            domains: vec![self.domain.as_str().into()],
            tier: Some(self.tier),
            owner: None,
            integrations: Some(self.integrations.iter().map(|name| name.as_str().into()).collect()),
        }
    }
}

/// A running internet.
pub struct Internet {
    /// The name server: point a stub resolver at it.
    pub resolver: SocketAddr,
    /// The root certificate to trust.
    pub ca_pem: String,
    /// `host:port` and where connections to it really go.
    pub connect: Vec<(String, SocketAddr)>,
    /// Networks a crawler must be allowed to reach.
    pub allow_networks: [&'static str; 1],
    /// The signed root's key in zone file form, for a validating resolver.
    pub dnssec_anchor: String,
    pub vendors: Vec<LabVendor>,
    stop: CancellationToken,
    dns: Server<Names>,
}

impl Internet {
    /// Starts everything.
    ///
    /// # Errors
    /// When no port can be bound or a certificate or zone cannot be made.
    pub async fn start(options: InternetOptions) -> Result<Self> {
        let now = options.now.unwrap_or_else(wall_clock);
        let companies = roster(options.seed);
        let vendors = vendors(options.seed, &companies);
        let sites = sites(&vendors, &companies, now);
        let authority = Authority::new(now)?;
        let stop = CancellationToken::new();
        let (udp, tcp, resolver) = bind_dns(options.dns).await?;
        let mut connect = Vec::new();
        let mut addresses = Vec::new();
        for (at, site) in sites.iter().enumerate() {
            let ip = Ipv4Addr::new(127, 53, 0, 10 + at as u8);
            addresses.push(ip);
            connect.extend(open(site, ip, &authority, &stop).await?);
            for server in ["ns1", "ns2"] {
                connect.push((format!("{server}.{}:53", site.domain), resolver));
            }
            if site.profile == Profile::WeakHeaders {
                connect.push((format!("ns9.{}:53", site.domain), NOBODY));
            }
        }
        let zones: Vec<Zone<'_>> =
            sites.iter().zip(&addresses).map(|(site, &address)| Zone { site, address }).collect();
        let lookalike = vec![(LOOKALIKE.to_owned(), Ipv4Addr::new(127, 53, 9, 8))];
        let (names, dnssec_anchor) = zones::build(&zones, resolver.ip(), &lookalike)?;
        let mut dns = Server::new(names);
        dns.register_socket(udp);
        dns.register_listener(tcp, DNS_IDLE, DNS_RESPONSES);
        let ca_pem = authority.ca_pem;
        Ok(Self { resolver, ca_pem, connect, allow_networks: ["127.0.0.0/8"], dnssec_anchor, vendors, stop, dns })
    }

    /// The vendors as `vendors import` reads them; several values in a field are separated by `;`.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::from("name,domains,tier,owner,integrations\n");
        for vendor in &self.vendors {
            let (tier, integrations) = (vendor.tier.as_str(), vendor.integrations.join(";"));
            // Names of the lab have neither quotes nor line breaks; some have a comma or a point.
            let _ = writeln!(text, "\"{}\",{},{tier},,{integrations}", vendor.name, vendor.domain);
        }
        text
    }

    /// Stops serving; dropping the internet does the same.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = self.dns.shutdown_gracefully().await {
            tracing::debug!(%error, "lab name server ended");
        }
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A host that looks like the analytics vendor's and is not.
const LOOKALIKE: &str = "cdn-metrlcs.example";

/// Gives each company its way of being a vendor.
fn vendors(seed: u64, companies: &[Company]) -> Vec<LabVendor> {
    let mut profiles = Profile::ALL.to_vec();
    Dice::of(seed, &["profiles"]).shuffle(&mut profiles);
    companies
        .iter()
        .zip(profiles.into_iter().cycle())
        .map(|(company, profile)| LabVendor {
            name: company.name.clone(),
            domain: company.domain.clone(),
            tier: company.tier,
            integrations: company.integrations.clone(),
            profile,
            expected: profile.expected(),
            expected_grades: profile.expected_grades(),
        })
        .collect()
}

/// The vendors' sites and the shop's.
fn sites(vendors: &[LabVendor], companies: &[Company], now: Timestamp) -> Vec<Site> {
    let cdns: Vec<String> = companies
        .iter()
        .filter(|company| matches!(company.role, VendorRole::Analytics | VendorRole::TagManager))
        .map(|company| format!("cdn.{}", company.domain))
        .collect();
    let expires = (now + SECURITY_TXT_MS).to_rfc3339();
    let site = |domain: &str, name: &str, profile| Site {
        domain: domain.to_owned(),
        name: name.to_owned(),
        profile,
        expires: expires.clone(),
        script_hosts: match profile {
            Profile::LooseScripts => {
                cdns.iter().cloned().chain([LOOKALIKE.to_owned(), "assets.oldtag.example".to_owned()]).collect()
            }
            Profile::WeakHeaders => cdns.clone(),
            _ => Vec::new(),
        },
    };
    let mut sites: Vec<Site> =
        vendors.iter().map(|vendor| site(&vendor.domain, &vendor.name, vendor.profile)).collect();
    let mut shop = site(SHOP, "The Shop", Profile::Average);
    shop.script_hosts = cdns.clone();
    sites.push(shop);
    sites
}

/// Opens a site's ports and says what stands where.
async fn open(
    site: &Site,
    ip: Ipv4Addr,
    authority: &Authority,
    stop: &CancellationToken,
) -> Result<Vec<(String, SocketAddr)>> {
    let host = Arc::new(Host {
        site: site.clone(),
        tls: authority.server(&site.domain, site.profile)?,
        n_requests: AtomicU64::new(0),
    });
    let mut connect = Vec::new();
    for (port, scheme) in [(443, Scheme::Tls), (80, Scheme::Plain)] {
        let address = if site.profile == Profile::Dead {
            NOBODY
        } else {
            let listener = TcpListener::bind((ip, 0)).await.with_context(|| format!("a port on {ip}"))?;
            let address = listener.local_addr()?;
            tokio::spawn(serve(host.clone(), listener, scheme, stop.clone()));
            address
        };
        for name in ["", "www.", "mta-sts.", "cdn.", "api."] {
            connect.push((format!("{name}{}:{port}", site.domain), address));
        }
    }
    Ok(connect)
}

/// One port for DNS over both UDP and TCP.
async fn bind_dns(wanted: SocketAddr) -> Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut last = None;
    for _ in 0..PORT_TRIES {
        let udp = UdpSocket::bind(wanted).await.with_context(|| format!("name server on {wanted}"))?;
        let address = udp.local_addr()?;
        match TcpListener::bind(address).await {
            Ok(tcp) => return Ok((udp, tcp, address)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| anyhow::anyhow!("no port"), Into::into)).context("name server over TCP")
}

#[expect(clippy::disallowed_methods, reason = "the lab's certificates must be valid in real time")]
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}
