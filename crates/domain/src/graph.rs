//! The risk graph's nodes and edges.

use serde::{Deserialize, Serialize};

use crate::id::{EntityId, RelationId, hash128};
use crate::signal::Severity;
use crate::text::Text;
use crate::time::Timestamp;

macro_rules! kinds {
    ($(#[$doc:meta])* $enum:ident { $($name:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $enum { $(#[serde(rename = $text)] $name),* }

        impl $enum {
            /// Every kind, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in the contract.
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

kinds! {
    /// What a node is.
    EntityKind {
        Vendor = "VENDOR", Domain = "DOMAIN", Host = "HOST", Address = "ADDRESS", Network = "NETWORK",
        Certificate = "CERTIFICATE", Script = "SCRIPT", Product = "PRODUCT", Vulnerability = "VULNERABILITY",
        Integration = "INTEGRATION", ApiKey = "API_KEY", Endpoint = "ENDPOINT", User = "USER", Staff = "STAFF",
        Session = "SESSION", Device = "DEVICE", Card = "CARD", Order = "ORDER", GiftCard = "GIFT_CARD",
        Indicator = "INDICATOR", Leak = "LEAK", Asset = "ASSET",
    }
}

kinds! {
    /// What an edge says: `from` KIND `to`, such as VENDOR OPERATES INTEGRATION, INTEGRATION USES API_KEY.
    RelationKind {
        Owns = "OWNS", ResolvesTo = "RESOLVES_TO", DependsOn = "DEPENDS_ON", Loads = "LOADS", Presents = "PRESENTS",
        Runs = "RUNS", AffectedBy = "AFFECTED_BY", Operates = "OPERATES", Uses = "USES", CalledFrom = "CALLED_FROM",
        AuthenticatedFrom = "AUTHENTICATED_FROM", UsedDevice = "USED_DEVICE", PaidWith = "PAID_WITH",
        Placed = "PLACED", Redeemed = "REDEEMED", Matches = "MATCHES", MentionedIn = "MENTIONED_IN",
        LookalikeOf = "LOOKALIKE_OF", SameAs = "SAME_AS",
    }
}

/// What names an entity: its kind and natural key (domain name, address, user id, card fingerprint ...).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityKey {
    pub kind: EntityKind,
    pub key: Text,
}

impl EntityKey {
    #[must_use]
    pub fn new(kind: EntityKind, key: impl Into<Text>) -> Self {
        Self { kind, key: key.into() }
    }

    /// The id of the entity with this key.
    #[must_use]
    pub fn id(&self) -> EntityId {
        EntityId(hash128(&[self.kind.as_str(), &self.key]))
    }
}

/// A node of the risk graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    pub id: EntityId,
    pub kind: EntityKind,
    pub key: Text,
    /// For people; the key where nothing better is known.
    pub name: Text,
    /// A JSON object of what is known besides (country, grade, source ...).
    pub attributes: serde_json::Value,
    pub first_seen: Timestamp,
    /// Exact to the minute.
    pub last_seen: Timestamp,
}

/// An edge of the risk graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    pub id: RelationId,
    pub kind: RelationKind,
    pub from: EntityId,
    pub to: EntityId,
    pub first_seen: Timestamp,
    /// Exact to the minute.
    pub last_seen: Timestamp,
    /// 0 (guess) ..= 1 (declared or observed).
    pub confidence: f32,
    /// Who says so: `events`, `declared`, `crawl`, `resolved` ...
    pub source: Text,
}

impl Relation {
    /// The id of the edge of this kind between these ends.
    #[must_use]
    pub fn id_of(kind: RelationKind, from: EntityId, to: EntityId) -> RelationId {
        RelationId(hash128(&[kind.as_str(), &from.to_string(), &to.to_string()]))
    }
}

/// How risky an entity is at an instant, with the exact sum behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// 0 ..= 100, higher is worse; equals the sum of the contributions' points.
    pub score: f64,
    pub level: Severity,
    /// Points from this entity's own signals and findings.
    pub own: f64,
    /// Points from its neighbours.
    pub propagated: f64,
    pub contributions: Vec<RiskContribution>,
    pub model: Text,
}

/// One addend of a risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskContribution {
    pub points: f64,
    pub reason: String,
    pub cause: RiskCause,
    /// The neighbour it came through, when it is not the entity's own.
    pub via: Option<EntityId>,
}

/// What a contribution rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RiskCause {
    Signal(crate::id::SignalId),
    Finding(crate::id::FindingId),
}

/// An entity within reach of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    pub entity: Entity,
    pub distance: u32,
    /// Edges walked, from the start to the entity.
    pub path: Vec<Relation>,
    /// Share of the start's risk that would arrive here, 0 ..= 1: the product of the damping along the path.
    pub exposure: f64,
}

/// How many vendors depend on one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Concentration {
    pub entity: Entity,
    pub vendors: u32,
    pub critical_vendors: u32,
    /// Share of all vendors, 0 ..= 1.
    pub share: f64,
}
