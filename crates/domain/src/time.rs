//! Instants, in event time and in wall time.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// One second, minute, hour and day in milliseconds.
pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Seconds below this read as epoch seconds, above as epoch milliseconds (the year 5138 in seconds, 1973 in ms).
const SECONDS_MAX: f64 = 1e11;

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// Reads RFC 3339 text, epoch seconds (also fractional) and epoch milliseconds; writes RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Parses RFC 3339; `None` when the text is no such instant.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// RFC 3339 in UTC with milliseconds, such as `2026-03-02T08:00:01.120Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// This instant rounded down to a multiple of `step_ms` (which must be positive).
    #[must_use]
    pub const fn floor(self, step_ms: i64) -> Self {
        Self(self.0.div_euclid(step_ms) * step_ms)
    }

    /// Hour of the week in UTC, 0 (Monday 00:00) ..= 167.
    #[must_use]
    pub const fn hour_of_week(self) -> usize {
        // The epoch was a Thursday: 72 hours after Monday 00:00.
        ((self.0.div_euclid(HOUR_MS) + 72).rem_euclid(168)) as usize
    }
}

impl Add<i64> for Timestamp {
    type Output = Self;
    fn add(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub<i64> for Timestamp {
    type Output = Self;
    fn sub(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

impl Sub for Timestamp {
    type Output = i64;
    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.to_rfc3339())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

struct TimestampVisitor;

impl Visitor<'_> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time, epoch seconds or epoch milliseconds")
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Timestamp, E> {
        Timestamp::parse_rfc3339(value).ok_or_else(|| {
            E::custom(format_args!("'{}' is not an RFC 3339 time", value.chars().take(40).collect::<String>()))
        })
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Timestamp, E> {
        self.visit_f64(value as f64)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Timestamp, E> {
        self.visit_f64(value as f64)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Timestamp, E> {
        let ms = if value.abs() < SECONDS_MAX { value * 1e3 } else { value };
        // chrono writes years -262143 ..= 262142; anything near that is no event time.
        if !ms.is_finite() || ms.abs() > 253_402_300_799_999.0 {
            return Err(E::custom("the time is outside the years 1970 to 9999"));
        }
        Ok(Timestamp(ms.round() as i64))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(TimestampVisitor)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "RFC 3339, or epoch seconds, or epoch milliseconds",
            "type": ["string", "number"]
        })
    }
}

/// Where the wall time comes from. The system's own clock lives in the root package; tests bring a virtual one.
pub trait Clock: Send + Sync {
    /// The wall time now.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_declared_form() {
        let check = |json: &str, ms: i64| {
            assert_eq!(serde_json::from_str::<Timestamp>(json).ok(), Some(Timestamp(ms)), "{json}");
        };
        check("\"2026-03-02T08:00:01.120Z\"", 1_772_438_401_120);
        check("\"2026-03-02T09:00:01+01:00\"", 1_772_438_401_000);
        check("1772438403", 1_772_438_403_000);
        check("1772438403.5", 1_772_438_403_500);
        check("1772438403123", 1_772_438_403_123);
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<Timestamp>("1e300").is_err());
    }

    #[test]
    fn knows_the_hour_of_the_week() {
        // 2026-03-02 is a Monday.
        let monday = Timestamp::parse_rfc3339("2026-03-02T00:00:00Z").map(Timestamp::hour_of_week);
        assert_eq!(monday, Some(0));
        let sunday = Timestamp::parse_rfc3339("2026-03-08T23:59:59Z").map(Timestamp::hour_of_week);
        assert_eq!(sunday, Some(167));
    }
}
