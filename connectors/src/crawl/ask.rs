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
use hickory_resolver::proto::rr::{Name, RecordType};
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
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn records_of(lookup: &Lookup, kind: RecordType) -> DnsAnswer {
    let records: Vec<String> = lookup
        .answers()
        .iter()
        .filter(|record| record.record_type() == kind)
        .take(RECORDS_MAX)
        .map(|record| record.data.to_string())
        .collect();
    if !records.is_empty() {
        return DnsAnswer::Records(records);
    }
    match lookup.message().metadata.response_code {
        ResponseCode::NXDomain => DnsAnswer::NxDomain,
        _ => DnsAnswer::NoData,
    }
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
        other => format!("RCODE{other}"),
    }
}
