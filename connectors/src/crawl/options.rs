//! What an operator can say about the crawler.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use riskgraph_pages::retire::Repository;
use url::Url;

/// Time for one domain, all probes together. A healthy site takes 3 to 6 s; beyond half a minute it does not want us.
const DEADLINE: Duration = Duration::from_secs(30);
/// Domains looked at in one moment; each holds at most [`PARALLEL_PROBES`] sockets and a few MiB.
const CONCURRENT_DOMAINS: usize = 8;
/// Probes of one domain in one moment: polite, and far below what any server notices.
const PARALLEL_PROBES: usize = 8;
/// Connections a second to one host, and how many may come at once.
const HOST_RATE_PER_S: u32 = 12;
const HOST_BURST: u32 = 24;
/// Hellos under way to one host. A full TLS examination takes 50 to 150 short connections without a request; five at a time
/// is what public TLS scanners do, and each waits for its answer before the next comes.
const PARALLEL_HELLOS: usize = 5;

/// Scripts of a page that are fetched: what a visitor's browser fetches anyway, and most shops have fewer.
const SCRIPTS_MAX: usize = 20;

/// How the crawler names itself when the operator does not say otherwise.
pub const USER_AGENT: &str = concat!(
    "riskgraph/",
    env!("CARGO_PKG_VERSION"),
    " (vendor posture check; +https://github.com/riskgraph/riskgraph)"
);

/// Settings of the crawler. The default looks at the public internet with the system's resolver.
#[derive(Debug, Clone)]
pub struct CrawlerOptions {
    /// The recursive resolver to ask; the system's when `None`.
    pub resolver: Option<SocketAddr>,
    /// More certificate authorities to trust, as PEM: the operator's own.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Where connections to a host and port really go. The operator's own statement, so allowed wherever it points.
    pub connect: Vec<ConnectRule>,
    /// Networks that are not public but may be looked at.
    pub allow_networks: Vec<IpNet>,
    /// Ports beside [`super::WEB_PORTS`] on which the web may be spoken.
    pub allow_ports: Vec<u16>,
    /// Sent with every request; names riskgraph and where to complain.
    pub user_agent: String,
    /// File of DNSSEC trust anchors (DNSKEY records as in a zone file); the root's when `None`.
    pub dnssec_anchors: Option<PathBuf>,
    /// Base URL of an RDAP service (RFC 9082), such as `https://rdap.example/`; nobody is asked when `None`.
    pub rdap: Option<Url>,
    /// File that says which network announces which addresses (`asn.rs`); networks are not told apart by it when `None`.
    pub asn_table: Option<PathBuf>,
    pub limits: Limits,
    /// Scripts of a page that are fetched and read, at most; 0 for none.
    pub scripts_max: usize,
    /// Paths that show repositories, secrets and backups are asked for on these hosts only.
    pub authorised: Vec<String>,
    /// Known libraries, to look scripts up in.
    pub repository: Option<Arc<Repository>>,
}

impl Default for CrawlerOptions {
    fn default() -> Self {
        Self {
            resolver: None,
            extra_ca_pem: None,
            connect: Vec::new(),
            allow_networks: Vec::new(),
            allow_ports: Vec::new(),
            user_agent: USER_AGENT.to_owned(),
            dnssec_anchors: None,
            rdap: None,
            asn_table: None,
            scripts_max: SCRIPTS_MAX,
            authorised: Vec::new(),
            repository: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds of the crawler's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub deadline: Duration,
    pub concurrent_domains: usize,
    pub parallel_probes: usize,
    pub host_rate_per_s: u32,
    pub host_burst: u32,
    pub parallel_hellos: usize,
    /// To open a connection, TLS included.
    pub connect: Duration,
    /// Silence after which a connection is given up.
    pub read: Duration,
    /// One HTTP answer, body included.
    pub fetch: Duration,
    /// One DNS question, one try of two.
    pub dns: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: DEADLINE,
            concurrent_domains: CONCURRENT_DOMAINS,
            parallel_probes: PARALLEL_PROBES,
            host_rate_per_s: HOST_RATE_PER_S,
            host_burst: HOST_BURST,
            parallel_hellos: PARALLEL_HELLOS,
            connect: Duration::from_secs(5),
            read: Duration::from_secs(6),
            fetch: Duration::from_secs(12),
            dns: Duration::from_secs(2),
        }
    }
}

/// `HOST:PORT=ADDRESS:PORT`: connections to the left go to the right. `*` stands for every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRule {
    /// Lower case; `*` for every host.
    pub host: String,
    pub port: u16,
    pub to: SocketAddr,
}

impl ConnectRule {
    /// Whether the rule speaks of this host (lower case) and port.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        self.port == port && (self.host == "*" || self.host == host)
    }
}

/// The text is no connect rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not of the form HOST:PORT=ADDRESS:PORT, such as shop.example:443=127.0.0.1:8443")]
pub struct BadConnectRule {
    pub given: String,
}

impl FromStr for ConnectRule {
    type Err = BadConnectRule;

    fn from_str(text: &str) -> Result<Self, BadConnectRule> {
        let bad = || BadConnectRule { given: text.chars().take(80).collect() };
        let (from, to) = text.split_once('=').ok_or_else(bad)?;
        let (host, port) = from.trim().rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let to = to.trim().parse().map_err(|_| bad())?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.is_empty() { Err(bad()) } else { Ok(Self { host, port, to }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_connect_rules() {
        let check = |text: &str, want: bool| assert_eq!(text.parse::<ConnectRule>().is_ok(), want, "{text}");
        check("shop.example:443=127.0.0.1:8443", true);
        check("*:80=[::1]:8080", true);
        check("shop.example=127.0.0.1:8443", false);
        check("shop.example:443=127.0.0.1", false);
        check(":443=127.0.0.1:1", false);
        let rule: ConnectRule = "Shop.Example.:443=127.0.0.1:8443".parse().expect("a rule");
        assert!(rule.covers("shop.example", 443) && !rule.covers("shop.example", 80) && !rule.covers("a.example", 443));
        assert!(USER_AGENT.starts_with("riskgraph/") && USER_AGENT.contains("+https://"));
    }
}
