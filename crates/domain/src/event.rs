//! Something that happened at a time: the native event format (`contract/events.md`).

use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::time::Timestamp;

mod read;
mod schema;
pub use read::{MISSING_FIELD, UNKNOWN_KIND};
pub use schema::json_schema;

/// Unknown fields of an event, kept as they came; a nested one under its dotted name (`client.region`).
pub type Extra = serde_json::Map<String, serde_json::Value>;

macro_rules! event_kinds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum EventKind { $(#[serde(rename = $text)] $name),* }

        impl EventKind {
            /// Every kind, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in the contract, such as `auth.login`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The kind of this exact name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

event_kinds! {
    HttpRequest = "http.request",
    AuthLogin = "auth.login",
    AuthMfa = "auth.mfa",
    AccountChange = "account.change",
    DataAccess = "data.access",
    StaffAction = "staff.action",
    ApiCall = "api.call",
    PaymentAttempt = "payment.attempt",
    PaymentRefund = "payment.refund",
    PaymentChargeback = "payment.chargeback",
    PaymentWarning = "payment.warning",
    OrderCreated = "order.created",
    OrderRefund = "order.refund",
    CartHold = "cart.hold",
    GiftcardPurchase = "giftcard.purchase",
    GiftcardRedeem = "giftcard.redeem",
    NetFlow = "net.flow",
    DnsQuery = "dns.query",
    ScriptSeen = "script.seen",
    CspReport = "csp.report",
    WebhookReceived = "webhook.received",
    MetricSample = "metric.sample",
    LogLine = "log.line",
    VendorIncident = "vendor.incident",
    LeakRecord = "leak.record",
}

/// How it ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    Failure,
    Denied,
    #[default]
    Unknown,
}

impl Outcome {
    /// Whether the attempt was turned down, by a wrong secret or by policy.
    #[must_use]
    pub const fn refused(self) -> bool {
        matches!(self, Self::Failure | Self::Denied)
    }
}

/// Key-value pairs of a sender's own, in the sender's order. Lookups are linear: events have few.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(pub Vec<(Text, Text)>);

impl Labels {
    /// The value of this label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value.as_str())
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Defines a part of an event: all fields optional, unknown ones kept in `extra`.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, schemars::JsonSchema)]
        pub struct $name {
            $($(#[$fdoc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
        read::part_reader!($name { $($field: $type),* });
    };
}

part! {
    /// Who did it. `key` is an API key's public id, never the secret.
    Actor { user: Text, staff: Text, session: Text, key: Text, integration: Text }
}
part! {
    /// Where it came from.
    Client {
        /// IPv4 or IPv6 address of the peer.
        ip: Text,
        /// What `X-Forwarded-For` said; never trusted more than `ip`.
        forwarded: Forwarded,
        user_agent: Text,
        device: Text,
        /// TLS client fingerprint.
        ja4: Text,
        asn: u32,
        /// ISO 3166-1 alpha-2.
        country: Text,
    }
}
part! {
    /// The HTTP request; `route` is the templated path when known.
    Http {
        method: Text, host: Text, path: Text, route: Text,
        /// 100..=599
        status: u16,
        bytes_in: u64, bytes_out: u64,
        duration_ms: f64,
    }
}
part! {
    /// An amount in minor units (cents) of an ISO 4217 currency.
    Money { amount_minor: i64, currency: Text }
}
part! {
    /// A payment card, as far as it may be known.
    Card {
        fingerprint: Text,
        /// First six or eight digits.
        bin: Text,
        last4: Text,
    }
}
part! {
    /// What it was done to.
    Object {
        #[serde(rename = "type")]
        kind: Text,
        id: Text,
        owner: Text,
    }
}
part! {
    /// A changed field, by the hashes of its values.
    Change { field: Text, old_hash: Text, new_hash: Text }
}

/// One address or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Forwarded {
    One(Text),
    Many(Vec<Text>),
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The sender's id, or `b3:` and a hash of the content where it sent none. Unique: the same id twice is a duplicate.
    pub id: Text,
    /// When it happened, by the sender's clock.
    pub time: Timestamp,
    pub kind: EventKind,
    pub source: Option<Text>,
    pub outcome: Outcome,
    pub reason: Option<Text>,
    pub actor: Actor,
    pub client: Client,
    pub http: Option<Box<Http>>,
    pub money: Option<Money>,
    pub card: Option<Box<Card>>,
    pub object: Option<Box<Object>>,
    /// Rows returned.
    pub records: Option<u64>,
    pub change: Option<Box<Change>>,
    pub value: Option<f64>,
    pub name: Option<Text>,
    pub message: Option<Text>,
    pub labels: Labels,
    pub extra: Option<Box<Extra>>,
}

impl Event {
    /// An event with only what every event has; the rest empty.
    #[must_use]
    pub fn new(id: impl Into<Text>, time: Timestamp, kind: EventKind) -> Self {
        Self {
            id: id.into(),
            time,
            kind,
            source: None,
            outcome: Outcome::Unknown,
            reason: None,
            actor: Actor::default(),
            client: Client::default(),
            http: None,
            money: None,
            card: None,
            object: None,
            records: None,
            change: None,
            value: None,
            name: None,
            message: None,
            labels: Labels::default(),
            extra: None,
        }
    }

    /// The login name of the person who acted: customer or staff.
    #[must_use]
    pub fn login(&self) -> Option<&Text> {
        self.actor.user.as_ref().or(self.actor.staff.as_ref())
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name)
    }

    /// The object's type, when it has one.
    #[must_use]
    pub fn object_kind(&self) -> Option<&str> {
        self.object.as_ref().and_then(|object| object.kind.as_deref())
    }

    /// The object's id, when it has one.
    #[must_use]
    pub fn object_id(&self) -> Option<&Text> {
        self.object.as_ref().and_then(|object| object.id.as_ref())
    }
}

#[cfg(test)]
mod tests;
