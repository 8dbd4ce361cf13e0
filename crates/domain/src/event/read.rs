//! Reading and writing events by hand-written visitors: one pass, no buffering, unknown fields kept.
//!
//! `#[serde(flatten)]` would buffer each event in a generic value first, which costs more than the rest of the decode.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::{Event, EventKind, Extra, Labels, Outcome};
use crate::text::Text;
use crate::time::Timestamp;

/// Labels beyond this are refused: an event is a fact, not a document.
const LABELS_MAX: usize = 256;

/// A part of an event that collects unknown fields into the event's `extra` under `prefix.`
pub(super) trait Part: Sized {
    fn read<'de, A: MapAccess<'de>>(map: A, extra: &mut Extra) -> Result<Self, A::Error>;
}

macro_rules! part_reader {
    ($name:ident { $($field:ident: $type:ty),* }) => {
        impl read::Part for $name {
            fn read<'de, A: serde::de::MapAccess<'de>>(mut map: A, extra: &mut Extra) -> Result<Self, A::Error> {
                let mut part = Self::default();
                while let Some(key) = map.next_key::<crate::text::Text>()? {
                    match read::field_name(key.as_str()) {
                        $(stringify!($field) => part.$field = map.next_value()?,)*
                        _ => {
                            let value: serde_json::Value = map.next_value()?;
                            extra.insert(key.into(), value);
                        }
                    }
                }
                Ok(part)
            }
        }
    };
}
pub(super) use part_reader;

/// The struct field that holds a JSON field: `type` is a reserved word in Rust.
pub(super) fn field_name(json: &str) -> &str {
    if json == "type" { "kind" } else { json }
}

/// Reads one part; `null` reads as the empty part.
struct PartSeed<'a, P> {
    name: &'static str,
    extra: &'a mut Option<Box<Extra>>,
    part: std::marker::PhantomData<P>,
}

impl<'de, P: Part> serde::de::DeserializeSeed<'de> for PartSeed<'_, P> {
    type Value = Option<P>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<P>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, P: Part> Visitor<'de> for PartSeed<'_, P> {
    type Value = Option<P>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object in field '{}'", self.name)
    }
    fn visit_unit<E: Error>(self) -> Result<Option<P>, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<P>, A::Error> {
        let mut unknown = Extra::new();
        let part = P::read(map, &mut unknown)?;
        if !unknown.is_empty() {
            let extra = self.extra.get_or_insert_default();
            extra.extend(unknown.into_iter().map(|(key, value)| (format!("{}.{key}", self.name), value)));
        }
        Ok(Some(part))
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }
            fn visit_unit<E: Error>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels::default();
                while let Some(key) = map.next_key::<Text>()? {
                    if labels.0.len() >= LABELS_MAX {
                        return Err(A::Error::custom("an event has at most 256 labels"));
                    }
                    let value: serde_json::Value = map.next_value()?;
                    match value {
                        serde_json::Value::Null => {}
                        serde_json::Value::String(text) => labels.0.push((key, text.into())),
                        other => labels.0.push((key, other.to_string().into())),
                    }
                }
                Ok(labels)
            }
        }
        deserializer.deserialize_any(LabelsVisitor)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Reads the kind as text first, so that the caller can name the nearest one.
struct EventVisitor;

/// Marks an unknown kind in an error message; the decoder turns it into its own reject.
pub const UNKNOWN_KIND: &str = "unknown event kind ";
/// Marks a missing field in an error message.
pub const MISSING_FIELD: &str = "missing field ";

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut event = Event::new("", Timestamp(0), EventKind::LogLine);
        let (mut time, mut kind) = (None, None);
        macro_rules! part {
            ($name:literal) => {{
                let seed = PartSeed { name: $name, extra: &mut event.extra, part: std::marker::PhantomData };
                map.next_value_seed(seed)?
            }};
        }
        while let Some(key) = map.next_key::<crate::text::Text>()? {
            match key.as_str() {
                "id" => event.id = map.next_value::<Option<Text>>()?.unwrap_or_default(),
                "time" => time = map.next_value::<Option<Timestamp>>()?,
                "kind" => {
                    let text: Text = map.next_value()?;
                    let known = EventKind::parse(&text);
                    kind = Some(known.ok_or_else(|| {
                        A::Error::custom(format_args!("{UNKNOWN_KIND}'{}'", text.chars().take(60).collect::<String>()))
                    })?);
                }
                "source" => event.source = map.next_value()?,
                "outcome" => event.outcome = map.next_value::<Option<Outcome>>()?.unwrap_or_default(),
                "reason" => event.reason = map.next_value()?,
                "actor" => event.actor = part!("actor").unwrap_or_default(),
                "client" => event.client = part!("client").unwrap_or_default(),
                "http" => event.http = part!("http").map(Box::new),
                "money" => event.money = part!("money"),
                "card" => event.card = part!("card").map(Box::new),
                "object" => event.object = part!("object").map(Box::new),
                "records" => event.records = map.next_value()?,
                "change" => event.change = part!("change").map(Box::new),
                "value" => event.value = map.next_value()?,
                "name" => event.name = map.next_value()?,
                "message" => event.message = map.next_value()?,
                "labels" => event.labels = map.next_value()?,
                "" => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    let value: serde_json::Value = map.next_value()?;
                    event.extra.get_or_insert_default().insert(key.into(), value);
                }
            }
        }
        event.time = time.ok_or_else(|| A::Error::custom(format_args!("{MISSING_FIELD}'time'")))?;
        event.kind = kind.ok_or_else(|| A::Error::custom(format_args!("{MISSING_FIELD}'kind'")))?;
        Ok(event)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

/// Unknown fields of a part are written at top level under their dotted names, which read back the same.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        macro_rules! optional {
            ($($name:ident),*) => { $(if let Some(value) = &self.$name { map.serialize_entry(stringify!($name), value)?; })* };
        }
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("time", &self.time)?;
        map.serialize_entry("kind", &self.kind)?;
        optional!(source);
        if self.outcome != Outcome::Unknown {
            map.serialize_entry("outcome", &self.outcome)?;
        }
        optional!(reason);
        if self.actor != super::Actor::default() {
            map.serialize_entry("actor", &self.actor)?;
        }
        if self.client != super::Client::default() {
            map.serialize_entry("client", &self.client)?;
        }
        optional!(http, money, card, object, records, change, value, name, message);
        if !self.labels.is_empty() {
            map.serialize_entry("labels", &self.labels)?;
        }
        if let Some(extra) = &self.extra {
            for (key, value) in extra.iter() {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
