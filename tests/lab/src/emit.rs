//! Writes events: gives them ids and labels and leaves out what this shop's sender does not know.

use riskgraph_domain::event::{Actor, Change, Client, Http, Labels, Money, Object};
use riskgraph_domain::{Event, EventKind, Outcome, Text, Timestamp};

use crate::dice::Dice;
use crate::label::{Label, Labelled};

/// How much the shop's sender knows of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Network, country, device and TLS fingerprint.
    #[default]
    Full,
    /// No TLS fingerprint.
    NoFingerprint,
    /// No AS number and no country.
    NoNetwork,
    /// The address and the user agent only.
    Bare,
}

/// A growing list of labelled events.
#[derive(Debug)]
pub(crate) struct Emitter {
    pub out: Vec<Labelled>,
    pub label: Label,
    prefix: String,
    n: u64,
    detail: Detail,
}

impl Emitter {
    /// An emitter whose ids begin with a hash of `path`: an id tells nothing of what the event is part of.
    pub(crate) fn new(seed: u64, path: &[&str], detail: Detail, label: Label) -> Self {
        let prefix = Dice::of(seed, path).hex(9);
        Self { out: Vec::new(), label, prefix, n: 0, detail }
    }

    /// Adds an event; `fill` sets what it says.
    pub(crate) fn add(&mut self, at: Timestamp, kind: EventKind, fill: impl FnOnce(&mut Event)) {
        self.n += 1;
        let mut event = Event::new(format!("{}{:x}", self.prefix, self.n), at, kind);
        fill(&mut event);
        let client = &mut event.client;
        if matches!(self.detail, Detail::NoFingerprint | Detail::Bare) {
            client.ja4 = None;
        }
        if matches!(self.detail, Detail::NoNetwork | Detail::Bare) {
            (client.asn, client.country) = (None, None);
        }
        if self.detail == Detail::Bare {
            client.device = None;
        }
        self.out.push(Labelled { event, label: self.label });
    }

    /// The events so far, in time order.
    pub(crate) fn finish(mut self) -> Vec<Labelled> {
        sort(&mut self.out);
        self.out
    }
}

/// Puts events in time order; those of one instant keep the order they were made in.
pub(crate) fn sort(events: &mut [Labelled]) {
    events.sort_by_key(|labelled| labelled.event.time);
}

/// One HTTP request and its answer.
pub(crate) fn http(
    method: &'static str,
    host: &Text,
    path: impl Into<Text>,
    route: &'static str,
    status: u16,
) -> Box<Http> {
    Box::new(Http {
        method: Some(Text::from(method)),
        host: Some(host.clone()),
        path: Some(path.into()),
        route: Some(Text::from(route)),
        status: Some(status),
        bytes_in: None,
        bytes_out: None,
        duration_ms: None,
    })
}

/// An object with an owner.
pub(crate) fn object(kind: &'static str, id: impl Into<Text>, owner: Option<Text>) -> Option<Box<Object>> {
    Some(Box::new(Object { kind: Some(Text::from(kind)), id: Some(id.into()), owner }))
}

pub(crate) fn money(amount_minor: i64, currency: &Text) -> Option<Money> {
    Some(Money { amount_minor: Some(amount_minor), currency: Some(currency.clone()) })
}

pub(crate) fn change(field: &'static str, dice: &mut Dice) -> Option<Box<Change>> {
    Some(Box::new(Change {
        field: Some(Text::from(field)),
        old_hash: Some(Text::from(dice.hex(16))),
        new_hash: Some(Text::from(dice.hex(16))),
    }))
}

pub(crate) fn labels<const N: usize>(pairs: [(&'static str, Text); N]) -> Labels {
    Labels(pairs.into_iter().map(|(name, value)| (Text::from(name), value)).collect())
}

pub(crate) fn by_user(name: &Text, session: Option<&Text>) -> Actor {
    Actor { user: Some(name.clone()), session: session.cloned(), ..Actor::default() }
}

pub(crate) fn by_staff(name: &Text, session: Option<&Text>) -> Actor {
    Actor { staff: Some(name.clone()), session: session.cloned(), ..Actor::default() }
}

/// One login attempt, and whether it was let in.
pub(crate) struct Login<'a> {
    pub actor: Actor,
    pub client: &'a Client,
    pub outcome: Outcome,
    pub reason: Option<&'static str>,
    pub labels: Labels,
}

impl Emitter {
    pub(crate) fn login(&mut self, at: Timestamp, login: Login<'_>) {
        self.add(at, EventKind::AuthLogin, |event| {
            event.source = Some(Text::from("auth"));
            event.actor = login.actor;
            event.client = login.client.clone();
            event.outcome = login.outcome;
            event.reason = login.reason.map(Text::from);
            event.labels = login.labels;
        });
    }
}
