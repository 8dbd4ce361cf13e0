//! From a raw line to an event, or to a reject with its reason.
//!
//! Takes hostile bytes: lengths, nesting and times are bounded, nothing panics, and a bad line never stops the good ones of its
//! batch. Knows the native format only; foreign log formats are decoded by the connectors.

use riskgraph_domain::event::{Event, EventKind, MISSING_FIELD, UNKNOWN_KIND};
use riskgraph_domain::id::hash128;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use riskgraph_domain::{FaultCode, Reject, Timestamp};

mod split;
pub use split::{Lines, lines_of};

/// Longest line, in bytes: a native event is 300 to 500 bytes, so this is generous even for a long message.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of objects and arrays: the contract needs 2, unknown fields get some more.
pub const DEPTH_MAX: usize = 16;
/// Longest id of an event, in bytes.
pub const ID_BYTES_MAX: usize = 256;
/// An event may come from a clock that runs ahead this much; more would push every window into the future.
pub const FUTURE_MAX_MS: i64 = 25 * HOUR_MS;
/// An event older than this is history nobody correlates any more (20 years).
pub const PAST_MAX_MS: i64 = 20 * 365 * DAY_MS;

/// Decodes one line of native JSON. `now` is the wall time at which it was taken in.
///
/// # Errors
/// A code and a reason that names the field and the remedy; it quotes no value that could be a secret.
pub fn decode_line(line: &[u8], now: Timestamp) -> Result<Event, (FaultCode, String)> {
    check_shape(line)?;
    let mut event: Event = serde_json::from_slice(line).map_err(|error| explain(line, &error))?;
    complete(&mut event, line, now)?;
    Ok(event)
}

/// Gives the event its id where the sender sent none, and checks what every event must keep to.
///
/// `raw` is what the id is derived from: the same bytes are the same event.
///
/// # Errors
/// As [`decode_line`].
pub fn complete(event: &mut Event, raw: &[u8], now: Timestamp) -> Result<(), (FaultCode, String)> {
    if event.id.is_empty() {
        event.id = content_id(raw);
    } else if event.id.len() > ID_BYTES_MAX {
        return Err((FaultCode::Field, format!("field 'id' is longer than {ID_BYTES_MAX} bytes; send a shorter one")));
    }
    let age_ms = now - event.time;
    if !(-FUTURE_MAX_MS..=PAST_MAX_MS).contains(&age_ms) {
        return Err((
            FaultCode::TimeOutOfRange,
            format!(
                "field 'time' says {}, which is more than 25 hours ahead or 20 years ago; check the sender's clock and unit",
                event.time
            ),
        ));
    }
    if let Some(ip) = event.client.ip.as_ref().filter(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        let shown: String = ip.chars().take(46).collect();
        return Err((
            FaultCode::Field,
            format!("field 'client.ip' holds '{shown}', which is no IPv4 or IPv6 address; leave it out when unknown"),
        ));
    }
    Ok(())
}

/// The id of an event whose sender gave none: a hash of its bytes.
#[must_use]
pub fn content_id(raw: &[u8]) -> Text {
    let digest = hash128(&[&String::from_utf8_lossy(raw)]);
    Text::from(format!("b3:{digest:032x}"))
}

/// Cheap checks before the parser sees the line.
fn check_shape(line: &[u8]) -> Result<(), (FaultCode, String)> {
    if line.len() > LINE_BYTES_MAX {
        return Err((
            FaultCode::LineTooLong,
            format!("the line has {} bytes, at most {LINE_BYTES_MAX} are read; cut long messages", line.len()),
        ));
    }
    if depth(line) > DEPTH_MAX {
        return Err((
            FaultCode::TooDeep,
            format!("objects and arrays are nested deeper than {DEPTH_MAX}; flatten them into labels"),
        ));
    }
    Ok(())
}

/// Deepest nesting of brackets outside strings.
fn depth(line: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for &byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Says what is wrong with a line that did not read, with the path of the field.
fn explain(line: &[u8], error: &serde_json::Error) -> (FaultCode, String) {
    if std::str::from_utf8(line).is_err() {
        return (FaultCode::NotUtf8, "the line is not UTF-8; send JSON in UTF-8".to_owned());
    }
    if error.is_syntax() || error.is_eof() {
        return (
            FaultCode::Syntax,
            format!("not a JSON object ({error}); send one event a line, or a JSON array of events"),
        );
    }
    let message = error.to_string();
    if let Some(rest) = message.find(UNKNOWN_KIND).map(|at| &message[at + UNKNOWN_KIND.len()..]) {
        let given = rest.trim_start_matches('\'').split('\'').next().unwrap_or_default();
        let near = nearest_kind(given);
        return (
            FaultCode::UnknownKind,
            format!("event kind '{}' is unknown; did you mean '{}'?", crate::mask::mask_text(given), near.as_str()),
        );
    }
    if message.contains(MISSING_FIELD) {
        let field = if message.contains("'kind'") { "kind" } else { "time" };
        return (FaultCode::Missing, format!("field '{field}' is missing; every event has 'time' and 'kind'"));
    }
    let mut reader = serde_json::Deserializer::from_slice(line);
    let path = serde_path_to_error::deserialize::<_, Event>(&mut reader)
        .err()
        .map(|error| error.path().to_string())
        .filter(|path| path != "." && !path.is_empty());
    let detail = crate::mask::mask_text(message.split(" at line ").next().unwrap_or(&message));
    match path {
        Some(path) => (FaultCode::Field, format!("field '{path}': {detail}")),
        None => (FaultCode::Field, format!("{detail}; send one event object a line")),
    }
}

/// The known kind that is spelled most like this.
#[must_use]
pub fn nearest_kind(given: &str) -> EventKind {
    let given = given.to_lowercase();
    let distance = |kind: &EventKind| -> usize {
        // A right part (`login`) outweighs a wrong rest.
        let shared = kind.as_str().split('.').filter(|part| given.contains(*part)).map(str::len).sum::<usize>();
        (strsim::osa_distance(&given, kind.as_str()) + 8).saturating_sub(shared)
    };
    EventKind::ALL.iter().copied().min_by_key(distance).unwrap_or(EventKind::LogLine)
}

/// A reject of this line.
#[must_use]
pub fn reject(line: u64, (code, reason): (FaultCode, String)) -> Reject {
    Reject::new(line, code, reason)
}

#[cfg(test)]
mod tests;
