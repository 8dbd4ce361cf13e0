//! The JSON Schema of native events, for senders.

use schemars::{JsonSchema, Schema, schema_for};

use super::{Actor, Card, Change, Client, EventKind, Http, Money, Object, Outcome};
use crate::text::Text;
use crate::time::Timestamp;

/// One event; unknown fields are kept, an unknown kind is refused.
#[derive(JsonSchema)]
#[schemars(title = "riskgraph event")]
#[expect(dead_code, reason = "only the shape of this struct is used")]
struct NativeEvent {
    /// Unique; the same id twice is a duplicate. Without it the event's content is its identity.
    id: Option<Text>,
    time: Timestamp,
    kind: EventKind,
    /// Which system says so.
    source: Option<Text>,
    outcome: Option<Outcome>,
    reason: Option<Text>,
    actor: Option<Actor>,
    client: Option<Client>,
    http: Option<Http>,
    money: Option<Money>,
    card: Option<Card>,
    object: Option<Object>,
    /// Rows returned.
    records: Option<u64>,
    change: Option<Change>,
    /// A measured value or a quantity.
    value: Option<f64>,
    /// Name of a metric or of what was done.
    name: Option<Text>,
    message: Option<Text>,
    /// Key-value pairs of the sender's own.
    labels: Option<std::collections::BTreeMap<String, Text>>,
}

/// The schema that `schema/event.schema.json` holds.
#[must_use]
pub fn json_schema() -> Schema {
    schema_for!(NativeEvent)
}
