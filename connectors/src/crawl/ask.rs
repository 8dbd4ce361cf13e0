//! Questions to the resolver and what their answers mean.
//!
//! "There is none" and "nobody answered" are different facts: the first may fail a check, the second never does.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use riskgraph_domain::observation::{DnsAnswer, Dnssec, ProbeFailure};

/// Records kept of one answer; larger sets are attacks or mistakes.
const RECORDS_MAX: usize = 100;
/// Questions under way at once over all crawls; hickory refuses above its own limit with `Busy`.
const ACTIVE_REQUESTS_MAX: usize = 1_024;
/// Tries of one question: a lost packet is no fact about a vendor.
const TRIES: usize = 2;
/// Added to the resolver's own timeout before we give up ourselves.
const GRACE: Duration = Duration::from_millis(500);

/// Asks the resolver.
pub(super) struct Asker {
    plain: TokioResolver,
    validating: TokioResolver,
    timeout: Duration,
}

impl Asker {
    /// An asker of this resolver, or of the system's.
    pub(super) fn new(
        resolver: Option<SocketAddr>,
        anchors: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, NetError> {
        let anchors = match anchors {
            Some(file) => TrustAnchors::from_file(file).map_err(|error| NetError::Msg(error.to_string()))?,
            None => TrustAnchors::default(),
        };
        let anchors = Arc::new(anchors);
        let build = |validate: bool| -> Result<TokioResolver, NetError> {
            let mut builder = match resolver {
                Some(address) => {
                    let mut server = NameServerConfig::udp_and_tcp(address.ip());
                    for connection in &mut server.connections {
                        connection.port = address.port();
                    }
                    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
                }
                None => Resolver::builder_tokio()?,
            };
            let options = builder.options_mut();
            options.timeout = timeout;
            options.attempts = 0; // We retry ourselves and know then what failed.
            options.cache_size = 0; // Every crawl sees what is there now.
            options.use_hosts_file = ResolveHosts::Never;
            options.max_active_requests = ACTIVE_REQUESTS_MAX;
            options.preserve_intermediates = true;
            options.edns0 = true;
            options.validate = validate;
            if validate {
                builder = builder.with_trust_anchor(Arc::clone(&anchors));
            }
            builder.build()
        };
        Ok(Self { plain: build(false)?, validating: build(true)?, timeout })
    }

    /// The answer to one question.
    pub(super) async fn ask(&self, name: &str, kind: RecordType) -> DnsAnswer {
        match self.lookup(name, kind).await {
            Ok(lookup) => records_of(&lookup, kind),
            Err(answer) => answer,
        }
    }

    /// Whether the chain of trust from the anchors to this domain's SOA holds, for a domain with DS records.
    pub(super) async fn validate(&self, domain: &str) -> Dnssec {
        let Some(name) = absolute(domain) else {
            return Dnssec::Unknown("not a domain name".to_owned());
        };
        // Validation asks several questions in a row, each with its own timeout.
        match tokio::time::timeout(self.timeout * 3, self.validating.lookup(name, RecordType::SOA)).await {
            Err(_) => Dnssec::Unknown("timeout".to_owned()),
            Ok(Ok(lookup)) => {
                let soa = lookup.answers().iter().filter(|record| record.record_type() == RecordType::SOA);
                match soa.map(|record| record.proof).min() {
                    Some(Proof::Secure) => Dnssec::Secure,
                    Some(Proof::Insecure) => Dnssec::Insecure,
                    Some(Proof::Bogus) => Dnssec::Bogus("the signature of the SOA does not validate".to_owned()),
                    _ => Dnssec::Unknown("the chain of trust could not be followed".to_owned()),
                }
            }
            Ok(Err(NetError::Dns(DnsError::DnssecBogus))) => Dnssec::Bogus("validation failed".to_owned()),
            Ok(Err(NetError::Dns(DnsError::Nsec { proof: Proof::Bogus, .. }))) => {
                Dnssec::Bogus("the denial of existence does not validate".to_owned())
            }
            Ok(Err(error)) => Dnssec::Unknown(brief(&error)),
        }
    }

    /// Whether these records are signed down to a trust anchor; `None` when that could not be told.
    pub(super) async fn is_secure(&self, name: &str, kind: RecordType) -> Option<bool> {
        let looked =
            tokio::time::timeout(self.timeout * 3, self.validating.lookup(absolute(name)?, kind)).await.ok()?;
        match looked {
            Ok(lookup) => {
                let proofs = lookup.answers().iter().filter(|record| record.record_type() == kind);
                match proofs.map(|record| record.proof).min()? {
                    Proof::Secure => Some(true),
                    Proof::Insecure | Proof::Bogus => Some(false),
                    Proof::Indeterminate => None,
                }
            }
            Err(NetError::Dns(DnsError::DnssecBogus)) => Some(false),
            Err(_) => None,
        }
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Lookup, DnsAnswer> {
        let Some(name) = absolute(name) else {
            return Err(DnsAnswer::Failed(ProbeFailure::Protocol("not a domain name".to_owned())));
        };
        let mut last = DnsAnswer::Failed(ProbeFailure::Timeout);
        for _ in 0..TRIES {
            match tokio::time::timeout(self.timeout + GRACE, self.plain.lookup(name.clone(), kind)).await {
                Err(_) => last = DnsAnswer::Failed(ProbeFailure::Timeout),
                Ok(Ok(lookup)) => return Ok(lookup),
                Ok(Err(error)) => {
                    last = answer_of(&error);
                    if !matches!(last, DnsAnswer::Failed(_)) {
                        break;
                    }
                }
            }
        }
        Err(last)
    }
}

/// The fully qualified name, so that no search list is tried.
fn absolute(name: &str) -> Option<Name> {
    // Labels as they stand in records: what no host may be called can be a name nevertheless.
    let mut name = Name::from_labels(name.trim_end_matches('.').split('.').map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn records_of(lookup: &Lookup, kind: RecordType) -> DnsAnswer {
    let records: Vec<String> = lookup
        .answers()
        .iter()
        .filter(|record| record.record_type() == kind)
        .take(RECORDS_MAX)
        .map(|record| presented(&record.data))
        .collect();
    if !records.is_empty() {
        return DnsAnswer::Records(records);
    }
    match lookup.message().metadata.response_code {
        ResponseCode::NXDomain => DnsAnswer::NxDomain,
        _ => DnsAnswer::NoData,
    }
}

/// Record data in presentation form; the strings of a text are one, bytes that are no UTF-8 are marked.
fn presented(data: &RData) -> String {
    match data {
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        // Type 99 is text that hickory does not read.
        RData::Unknown { code: RecordType::Unknown(99), rdata } => strings(&rdata.anything),
        data => data.to_string(),
    }
}

/// Length-prefixed strings in quotes.
fn strings(mut bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    while let Some((&length, rest)) = bytes.split_first() {
        let (text, rest) = rest.split_at(usize::from(length).min(rest.len()));
        shown.push(format!("\"{}\"", String::from_utf8_lossy(text)));
        bytes = rest;
    }
    shown.join(" ")
}

fn answer_of(error: &NetError) -> DnsAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => DnsAnswer::NxDomain,
            ResponseCode::NoError => DnsAnswer::NoData,
            code => DnsAnswer::Failed(ProbeFailure::ResolverFailed(rcode_name(code))),
        },
        NetError::Dns(DnsError::Nsec { response, .. }) => match response.metadata.response_code {
            ResponseCode::NXDomain => DnsAnswer::NxDomain,
            _ => DnsAnswer::NoData,
        },
        NetError::Timeout => DnsAnswer::Failed(ProbeFailure::Timeout),
        error => DnsAnswer::Failed(ProbeFailure::ResolverFailed(brief(error))),
    }
}

fn brief(error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => rcode_name(*code),
        error => error.to_string().chars().take(120).collect(),
    }
}

/// The mnemonic of the IANA registry, which tools and checks compare.
pub(super) fn rcode_name(code: ResponseCode) -> String {
    match u16::from(code) {
        0 => "NOERROR".to_owned(),
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        9 => "NOTAUTH".to_owned(),
        16 => "BADVERS".to_owned(),
        other => format!("RCODE{other}"),
    }
}
