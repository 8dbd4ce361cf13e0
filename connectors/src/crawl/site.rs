//! One crawl of one domain: the tools it shares with others and its own bounds.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use governor::DefaultKeyedRateLimiter;
use hickory_resolver::proto::rr::RecordType;
use riskgraph_domain::observation::{DnsAnswer, ProbeFailure};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::ask::Asker;
use super::asn::AsnTable;
use super::name_server::KnownServers;
use super::options::{ConnectRule, Limits};
use super::shared::SharedAnswers;
use crate::net::Guard;

/// Addresses tried of one host; a host that is down on three is down.
const ADDRESSES_MAX: usize = 3;

/// What all crawls share.
pub(super) struct Tools {
    pub(super) asker: Asker,
    pub(super) guard: Guard,
    pub(super) connect: Vec<ConnectRule>,
    pub(super) limits: Limits,
    pub(super) pace: DefaultKeyedRateLimiter<String>,
    pub(super) servers: KnownServers,
    pub(super) shared: SharedAnswers,
    pub(super) asns: Option<AsnTable>,
}

/// One crawl.
pub(super) struct Site<'a> {
    pub(super) tools: &'a Tools,
    pub(super) deadline: Instant,
    permits: Semaphore,
}

impl<'a> Site<'a> {
    pub(super) fn new(tools: &'a Tools, deadline: Instant) -> Self {
        Self { tools, deadline, permits: Semaphore::new(tools.limits.parallel_probes.max(1)) }
    }

    /// Waits until one more probe may run; with a host, until that host may be troubled again.
    ///
    /// Never call it while holding a permit of the same crawl.
    pub(super) async fn turn(&self, host: Option<&str>) -> Option<SemaphorePermit<'_>> {
        if let Some(host) = host {
            self.tools.pace.until_key_ready(&host.to_owned()).await;
        }
        self.permits.acquire().await.ok()
    }

    /// Asks the resolver, in turn.
    pub(super) async fn ask(&self, name: &str, kind: RecordType) -> DnsAnswer {
        let _permit = self.turn(None).await;
        self.tools.asker.ask(name, kind).await
    }

    /// Where a connection to this host and port goes: checked addresses only.
    ///
    /// The guard judges these very addresses, and callers connect to nothing else; asking again could give others.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ProbeFailure> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if let Some(rule) = self.tools.connect.iter().find(|rule| rule.covers(&host, port)) {
            return Ok(vec![rule.to]);
        }
        self.tools.guard.check_port(port)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let found = match literal {
            Ok(ip) => vec![ip],
            Err(_) => self.resolve(&host).await?,
        };
        self.checked(&found).map(|ips| ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    /// The first addresses the guard lets pass; its refusal when there is none.
    pub(super) fn checked(&self, found: &[IpAddr]) -> Result<Vec<IpAddr>, ProbeFailure> {
        let mut refusal = ProbeFailure::Unresolved;
        let mut passed = Vec::new();
        for ip in found {
            match self.tools.guard.check_address(*ip) {
                Ok(()) if passed.len() < ADDRESSES_MAX => passed.push(*ip),
                Ok(()) => {}
                Err(failure) => refusal = failure,
            }
        }
        if passed.is_empty() { Err(refusal) } else { Ok(passed) }
    }

    /// Opens a connection to the first address that answers.
    pub(super) async fn open(&self, addresses: &[SocketAddr]) -> Result<TcpStream, ProbeFailure> {
        let mut failure = ProbeFailure::Unresolved;
        for address in addresses {
            match tokio::time::timeout(self.tools.limits.connect, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = refused(&error),
                Err(_) => failure = ProbeFailure::Timeout,
            }
        }
        Err(failure)
    }

    /// What is left of this crawl's time, at most `longest`.
    pub(super) fn time_left(&self, longest: Duration) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).min(longest)
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
        let (v4, v6) = tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA));
        let mut found = Vec::new();
        let mut failure = ProbeFailure::Unresolved;
        for answer in [v4, v6] {
            match answer {
                DnsAnswer::Records(records) => found.extend(records.iter().filter_map(|r| r.parse::<IpAddr>().ok())),
                DnsAnswer::Failed(reason) => failure = reason,
                DnsAnswer::NoData | DnsAnswer::NxDomain => {}
            }
        }
        if found.is_empty() { Err(failure) } else { Ok(found) }
    }
}

/// The failure an I/O error stands for.
pub(super) fn refused(error: &std::io::Error) -> ProbeFailure {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::TimedOut => ProbeFailure::Timeout,
        Kind::ConnectionRefused => ProbeFailure::Refused("connection refused".to_owned()),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
            ProbeFailure::Refused("connection reset".to_owned())
        }
        Kind::HostUnreachable | Kind::NetworkUnreachable => ProbeFailure::Refused("unreachable".to_owned()),
        kind => ProbeFailure::Protocol(kind.to_string()),
    }
}
