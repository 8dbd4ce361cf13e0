//! From events to entities and relations: what is worth knowing for good.
//!
//! Only what succeeded is written: a stranger who fails to log in a million times must not be able to fill the graph. What
//! detectors point at is written by the stage, whoever it is. It must *not* know signals or alerts.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use riskgraph_domain::event::Event;
use riskgraph_domain::{EntityKind, EventKind, Outcome, RelationKind, Timestamp};

use crate::graph::{NodeIx, RiskGraph, Seen, Upsert};
use crate::resolve::registrable;

/// Bytes of a natural key that are kept; longer ones are cut (script URLs can be kilobytes).
const KEY_BYTES_MAX: usize = 512;
/// Who says what events show.
pub const EVENTS: &str = "events";

/// What writing an event's facts made new.
#[derive(Debug, Default)]
pub struct News {
    /// New entities, in the order in which they were made.
    pub nodes: Vec<NodeIx>,
}

/// Writes the facts of one event.
pub fn record(event: &Event, graph: &mut RiskGraph, news: &mut News) {
    let mut writer = Writer { graph, news, time: event.time };
    match event.kind {
        EventKind::AuthLogin if event.outcome == Outcome::Success => writer.login(event),
        EventKind::ApiCall if !event.outcome.refused() => writer.api_call(event),
        EventKind::PaymentAttempt if event.outcome == Outcome::Success => writer.payment(event),
        EventKind::PaymentRefund | EventKind::PaymentChargeback | EventKind::PaymentWarning => writer.payment(event),
        EventKind::OrderCreated if !event.outcome.refused() => writer.order(event),
        EventKind::GiftcardPurchase | EventKind::GiftcardRedeem if !event.outcome.refused() => writer.gift_card(event),
        EventKind::ScriptSeen => writer.script(event),
        _ => {}
    }
}

/// Writes what an event says that made a signal: also what was refused, as far as it is true of a refused attempt.
pub fn record_judged(event: &Event, graph: &mut RiskGraph, news: &mut News) {
    let mut writer = Writer { graph, news, time: event.time };
    match event.kind {
        EventKind::ApiCall => writer.api_call(event),
        EventKind::AccountChange | EventKind::DataAccess | EventKind::StaffAction | EventKind::AuthMfa
            if !event.outcome.refused() =>
        {
            writer.login(event);
        }
        _ => {}
    }
}

/// The canonical natural key of an entity: one address, one key, however it was written.
#[must_use]
pub fn canonical(kind: EntityKind, key: &str) -> Option<Cow<'_, str>> {
    let key = key.trim();
    if key.is_empty() {
        return None;
    }
    match kind {
        EntityKind::Address => key.parse::<IpAddr>().ok().map(|ip| match ip.to_canonical() {
            // Rust reads dotted quads only in their canonical form.
            IpAddr::V4(_) if ip.is_ipv4() => Cow::Borrowed(key),
            ip => Cow::Owned(ip.to_string()),
        }),
        EntityKind::Domain | EntityKind::Host => Some(Cow::Owned(cut(key).trim_end_matches('.').to_lowercase())),
        EntityKind::Script => {
            // The query of a script's URL is a cache buster, not another script.
            Some(Cow::Borrowed(cut(key.split(['?', '#']).next().unwrap_or(key))))
        }
        _ => Some(Cow::Borrowed(cut(key))),
    }
}

fn cut(key: &str) -> &str {
    if key.len() <= KEY_BYTES_MAX {
        return key;
    }
    let end = (0..=KEY_BYTES_MAX).rev().find(|&end| key.is_char_boundary(end)).unwrap_or(0);
    &key[..end]
}

/// The relation that naturally holds between two kinds of entities of one event, and whether it runs from the first.
#[must_use]
pub const fn natural(a: EntityKind, b: EntityKind) -> Option<(RelationKind, Runs)> {
    use EntityKind as E;
    use RelationKind as R;
    let forward = match (a, b) {
        (E::User | E::Staff, E::Address) => Some(R::AuthenticatedFrom),
        (E::User | E::Staff, E::Device) => Some(R::UsedDevice),
        (E::User, E::Card) => Some(R::PaidWith),
        (E::User | E::Staff, E::Order | E::GiftCard) => Some(R::Placed),
        (E::Integration, E::ApiKey) => Some(R::Uses),
        (E::ApiKey, E::Address) => Some(R::CalledFrom),
        (E::Domain, E::Script) => Some(R::Loads),
        (E::Network, E::Address) => Some(R::Owns),
        (E::Vendor, E::Integration) => Some(R::Operates),
        (E::Vendor, E::Domain | E::Staff | E::Script | E::ApiKey) => Some(R::Owns),
        (E::Vendor | E::ApiKey | E::User | E::Staff, E::Leak | E::Indicator) => Some(R::MentionedIn),
        _ => None,
    };
    match forward {
        Some(kind) => Some((kind, Runs::Forward)),
        None => None,
    }
}

/// Which way a relation runs between two entities in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    Forward,
    Backward,
}

/// [`natural`], tried both ways.
#[must_use]
pub const fn natural_either(a: EntityKind, b: EntityKind) -> Option<(RelationKind, Runs)> {
    match natural(a, b) {
        Some(found) => Some(found),
        None => match natural(b, a) {
            Some((kind, _)) => Some((kind, Runs::Backward)),
            None => None,
        },
    }
}

struct Writer<'a> {
    graph: &'a mut RiskGraph,
    news: &'a mut News,
    time: Timestamp,
}

impl Writer<'_> {
    fn see(&mut self, kind: EntityKind, key: &str) -> Option<NodeIx> {
        let key = canonical(kind, key)?;
        let (ix, upsert) = self.graph.see(kind, &key, self.time)?;
        if upsert == Upsert::New {
            self.news.nodes.push(ix);
        }
        Some(ix)
    }

    fn relate(&mut self, kind: RelationKind, from: Option<NodeIx>, to: Option<NodeIx>) {
        if let (Some(from), Some(to)) = (from, to) {
            let seen = Seen { kind, from, to, time: self.time, confidence: 1.0, source: EVENTS };
            self.graph.arena.relate(seen);
        }
    }

    fn address(&mut self, event: &Event) -> Option<NodeIx> {
        let ix = self.see(EntityKind::Address, event.client.ip.as_deref()?)?;
        if let Some(country) = &event.client.country {
            self.graph.arena.set_country(ix, country);
        }
        if let Some(asn) = event.client.asn {
            let mut name = compact_str::CompactString::const_new("AS");
            let _ = write!(name, "{asn}");
            let network = self.see(EntityKind::Network, &name);
            self.relate(RelationKind::Owns, network, Some(ix));
        }
        Some(ix)
    }

    fn person(&mut self, event: &Event) -> Option<NodeIx> {
        match (&event.actor.user, &event.actor.staff) {
            (Some(user), _) => self.see(EntityKind::User, user),
            (None, Some(staff)) => self.see(EntityKind::Staff, staff),
            (None, None) => None,
        }
    }

    fn login(&mut self, event: &Event) {
        let person = self.person(event);
        if person.is_none() {
            return;
        }
        let address = self.address(event);
        self.relate(RelationKind::AuthenticatedFrom, person, address);
        self.device(event, person);
    }

    fn device(&mut self, event: &Event, person: Option<NodeIx>) {
        if let (Some(device), Some(_)) = (&event.client.device, person) {
            let device = self.see(EntityKind::Device, device);
            self.relate(RelationKind::UsedDevice, person, device);
        }
    }

    fn api_call(&mut self, event: &Event) {
        // Without a valid key there is no partner: whoever tried is a stranger.
        if event.http.as_ref().and_then(|http| http.status) == Some(401) {
            return;
        }
        let integration = event.actor.integration.as_ref().and_then(|name| self.see(EntityKind::Integration, name));
        let Some(key) = event.actor.key.as_ref().and_then(|key| self.see(EntityKind::ApiKey, key)) else { return };
        self.relate(RelationKind::Uses, integration, Some(key));
        let address = self.address(event);
        self.relate(RelationKind::CalledFrom, Some(key), address);
    }

    fn card(&mut self, event: &Event, person: Option<NodeIx>) {
        let (Some(card), Some(_)) = (&event.card, person) else { return };
        let card = match (&card.fingerprint, &card.bin, &card.last4) {
            (Some(fingerprint), _, _) => self.see(EntityKind::Card, fingerprint),
            (None, Some(bin), Some(last4)) => self.see(EntityKind::Card, &format!("{bin}-{last4}")),
            _ => None,
        };
        self.relate(RelationKind::PaidWith, person, card);
    }

    fn payment(&mut self, event: &Event) {
        let person = self.person(event);
        self.card(event, person);
    }

    fn order(&mut self, event: &Event) {
        let person = self.person(event);
        if let (Some(id), Some(_)) = (event.object_id(), person) {
            let order = self.see(EntityKind::Order, id);
            self.relate(RelationKind::Placed, person, order);
        }
    }

    fn gift_card(&mut self, event: &Event) {
        let person = self.person(event);
        let (Some(id), Some(_)) = (event.object_id(), person) else { return };
        let card = self.see(EntityKind::GiftCard, id);
        if event.kind == EventKind::GiftcardPurchase {
            self.relate(RelationKind::Placed, person, card);
            self.card(event, person);
        } else {
            self.relate(RelationKind::Redeemed, person, card);
        }
    }

    fn script(&mut self, event: &Event) {
        let Some(url) = event.object_id() else { return };
        let Some(script) = self.see(EntityKind::Script, url) else { return };
        if let Some(host) = host_of(url) {
            let domain = self.see(EntityKind::Domain, &registrable(host));
            self.relate(RelationKind::Owns, domain, Some(script));
        }
        let page_host = event.label("page").and_then(host_of).or_else(|| event.http.as_ref()?.host.as_deref());
        if let Some(page) = page_host {
            let page = self.see(EntityKind::Domain, page);
            self.relate(RelationKind::Loads, page, Some(script));
        }
    }
}

/// The host of an absolute URL, without port.
#[must_use]
pub fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    (!host.is_empty() && host.contains('.')).then_some(host)
}

#[cfg(test)]
mod tests;
