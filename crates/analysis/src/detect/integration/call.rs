//! One call as the baseline sees it.

use std::hash::Hasher as _;
use std::net::IpAddr;

use rustc_hash::FxHasher;

use riskgraph_domain::event::{Event, EventKind, Outcome};
use riskgraph_domain::{Text, Timestamp};

use super::super::paths;
use crate::baseline::quick_key;

/// Field groups looked at in one call.
const FIELDS_MAX: usize = 48;
/// Letters of a user agent that tell one client from another.
const AGENT_LETTERS_MAX: usize = 64;

/// What of an event matters here, borrowed.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) time: Timestamp,
    /// The integration's name, or the key's id where there is none.
    pub(super) subject: &'a str,
    pub(super) integration: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) ip: Option<&'a str>,
    pub(super) asn: Option<u32>,
    pub(super) prefix: Option<Prefix>,
    pub(super) country: Option<&'a str>,
    pub(super) agent: Option<&'a str>,
    pub(super) ja4: Option<&'a str>,
    pub(super) endpoint: u64,
    route: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    fields: &'a str,
    /// Rows returned.
    pub(super) records: u64,
    /// Rows returned, or 1 where the sender does not say: what volume is measured in.
    pub(super) amount: u64,
    pub(super) error: bool,
    pub(super) denied: bool,
    /// First digit of the status; 0 when there is none.
    pub(super) status_class: usize,
    pub(super) page: Option<u64>,
}

/// The address's network: /24 or /48, and the wider /16 or /32 around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) ip: IpAddr,
    pub(super) narrow: u64,
    pub(super) wide: u64,
}

impl Prefix {
    pub(super) fn of(ip: &str) -> Option<Self> {
        let ip: IpAddr = ip.parse().ok()?;
        // Bit 63 keeps IPv6 apart from IPv4, bit 62 wide from narrow.
        let (narrow, wide) = match ip.to_canonical() {
            IpAddr::V4(v4) => (u64::from(v4.to_bits()) >> 8, u64::from(v4.to_bits()) >> 16 | 1 << 62),
            IpAddr::V6(v6) => {
                let high = (v6.to_bits() >> 64) as u64;
                (high >> 16 | 1 << 63, high >> 32 | 3 << 62)
            }
        };
        Some(Self { ip: ip.to_canonical(), narrow, wide })
    }

    /// The narrow network for people.
    pub(super) fn label(&self) -> Text {
        let length = if self.ip.is_ipv4() { 24 } else { 48 };
        ipnet::IpNet::new(self.ip, length).map(|net| net.trunc().to_string()).unwrap_or_default().into()
    }
}

impl<'a> Call<'a> {
    /// Reads a call by an integration or key; none for other events.
    pub(super) fn of(event: &'a Event) -> Option<Self> {
        let integration = event.actor.integration.as_deref().filter(|name| !name.is_empty());
        let key = event.actor.key.as_deref().filter(|id| !id.is_empty());
        // A customer's own token is no partner's key: people change networks.
        if integration.is_none() && (event.kind != EventKind::ApiCall || event.actor.user.is_some()) {
            return None;
        }
        let http = event.http.as_deref();
        let path = http.and_then(|http| http.path.as_deref()).unwrap_or_default();
        let method = http.and_then(|http| http.method.as_deref()).unwrap_or_default();
        let route = http.and_then(|http| http.route.as_deref());
        let status = http.and_then(|http| http.status);
        let endpoint = route.map_or_else(|| paths::template_key(path), quick_key) ^ quick_key(method);
        let text = |value: &'a Option<Text>| value.as_deref().filter(|text| !text.is_empty());
        Some(Self {
            time: event.time,
            subject: integration.or(key)?,
            integration,
            key,
            ip: text(&event.client.ip),
            asn: event.client.asn,
            prefix: event.client.ip.as_deref().and_then(Prefix::of),
            country: text(&event.client.country),
            agent: text(&event.client.user_agent),
            ja4: text(&event.client.ja4),
            endpoint,
            route,
            method,
            path,
            fields: event.label("fields").unwrap_or_default(),
            records: event.records.unwrap_or(0),
            amount: event.records.unwrap_or(1),
            error: status.map_or(event.outcome.refused(), |status| status >= 400),
            // A call refused for its rate (429) tries nothing out.
            denied: status.map_or(event.outcome == Outcome::Denied, |status| matches!(status, 401 | 403)),
            status_class: status.map_or(0, |status| usize::from(status / 100)),
            page: paths::page(path),
        })
    }

    /// Field groups that the call read.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'a str> {
        let fields = if self.denied { "" } else { self.fields };
        fields.split(',').map(str::trim).filter(|field| !field.is_empty()).take(FIELDS_MAX)
    }

    /// The endpoint for people.
    pub(super) fn endpoint_label(&self) -> Text {
        let place = self.route.map_or_else(|| paths::template(self.path), str::to_owned);
        if self.method.is_empty() { place.into() } else { format!("{} {place}", self.method).into() }
    }

    /// The network for people: its number, else its prefix.
    pub(super) fn network_label(&self) -> Text {
        match (self.asn, self.prefix) {
            (Some(asn), _) => format!("AS{asn}").into(),
            (None, Some(prefix)) => prefix.label(),
            (None, None) => "unknown".into(),
        }
    }

    /// A user agent without its version numbers: a patch release is no new client.
    pub(super) fn agent_key(&self) -> Option<u64> {
        let mut hasher = FxHasher::default();
        self.agent?
            .bytes()
            .filter(u8::is_ascii_alphabetic)
            .take(AGENT_LETTERS_MAX)
            .for_each(|byte| hasher.write_u8(byte));
        Some(hasher.finish())
    }
}
