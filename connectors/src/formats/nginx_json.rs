//! nginx access logs written with `log_format ... escape=json`, by the usual variable names.

use riskgraph_domain::error::FaultCode;
use riskgraph_domain::event::{Event, EventKind, Http};
use riskgraph_domain::{Text, Timestamp};
use serde_json::{Map, Value};

use super::{Refusal, moment, nginx_status, outcome_of, request};

/// Variables of unknown meaning that are kept as labels, a line.
const LABELS_MAX: usize = 32;
/// Variables that hold secrets of the client: never kept, under no name.
const SECRETS: [&str; 6] =
    ["http_authorization", "http_cookie", "http_proxy_authorization", "cookie", "authorization", "http_x_api_key"];
/// Variables that are read into fields and therefore not repeated as labels.
const READ: [&str; 26] = [
    "remote_addr",
    "time_local",
    "time_iso8601",
    "msec",
    "time",
    "timestamp",
    "@timestamp",
    "request",
    "request_method",
    "method",
    "request_uri",
    "uri",
    "args",
    "query_string",
    "status",
    "body_bytes_sent",
    "bytes_sent",
    "request_length",
    "request_time",
    "http_user_agent",
    "host",
    "http_host",
    "http_x_forwarded_for",
    "remote_user",
    "server_protocol",
    "scheme",
];

/// Whether this JSON line has a name that only nginx's logs have.
pub(super) fn looks_like(line: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] =
        [b"\"remote_addr\"", b"\"request_uri\"", b"\"body_bytes_sent\"", b"\"server_zones\"", b"\"nginx_version\""];
    NAMES.iter().any(|name| memchr::memmem::find(line, name).is_some())
}

/// Decodes an access log line or a status snapshot.
pub(super) fn decode(line: &[u8], events: &mut Vec<Event>) -> Result<(), Refusal> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let reason = format!("the line is not valid JSON ({error}): write the log with log_format escape=json");
        (FaultCode::Syntax, reason)
    })?;
    let Value::Object(fields) = value else {
        return Err((FaultCode::Syntax, "the line is no JSON object: write one object a line".to_owned()));
    };
    if nginx_status::is_snapshot(&fields) {
        return nginx_status::decode(line, &fields, events);
    }
    events.push(access(&fields)?);
    Ok(())
}

fn access(fields: &Map<String, Value>) -> Result<Event, Refusal> {
    let Some(time) = time_of(fields) else {
        let reason = "no readable time: log $time_iso8601, $msec or $time_local under its own name";
        return Err((FaultCode::Missing, reason.to_owned()));
    };
    let known = ["remote_addr", "request", "request_uri", "uri", "status"];
    if !known.iter().any(|name| text(fields, name).is_some()) {
        let reason = "none of remote_addr, request, request_uri and status is there: log these variables under their \
                      own names, or send native events";
        return Err((FaultCode::Missing, reason.to_owned()));
    }
    let mut event = Event::new("", time, EventKind::HttpRequest);
    let mut http = Box::<Http>::default();
    if let Some(peer) = text(fields, "remote_addr") {
        request::read_peer(&mut event, peer.as_bytes());
    }
    event.actor.user = text(fields, "remote_user");
    event.client.user_agent = text(fields, "http_user_agent");
    if let Some(forwarded) = text(fields, "http_x_forwarded_for")
        && !request::read_forwarded(&mut event, forwarded.as_bytes())
    {
        request::label(&mut event, "x_forwarded_for", forwarded);
    }
    if let Some(host) =
        text(fields, "http_host").or_else(|| text(fields, "host")).or_else(|| text(fields, "server_name"))
    {
        request::set_host(&mut http, host.as_bytes());
    }
    read_request(&mut event, &mut http, fields);
    read_answer(&mut event, &mut http, fields)?;
    read_rest(&mut event, fields);
    event.http = Some(http);
    Ok(event)
}

fn read_request(event: &mut Event, http: &mut Http, fields: &Map<String, Value>) {
    let method = text(fields, "request_method").or_else(|| text(fields, "method"));
    let target = text(fields, "request_uri").or_else(|| {
        let path = text(fields, "uri")?;
        let query = text(fields, "args").or_else(|| text(fields, "query_string"));
        Some(query.map_or(path.clone(), |query| Text::from(format!("{path}?{query}"))))
    });
    match (&method, &target) {
        (Some(method), Some(target)) => request::read_target(http, method.as_bytes(), target.as_bytes()),
        _ => {
            let line = fields.get("request").and_then(Value::as_str);
            if line.is_some() || target.is_none() {
                request::read_line(event, http, line.unwrap_or_default().as_bytes());
            } else if let Some(target) = &target {
                request::read_target(http, b"", target.as_bytes());
            }
        }
    }
    if method.is_some() {
        http.method = method;
    }
}

fn read_answer(event: &mut Event, http: &mut Http, fields: &Map<String, Value>) -> Result<(), Refusal> {
    if let Some(status) = text(fields, "status") {
        match status.parse::<u16>() {
            Ok(status @ 100..=599) => {
                http.status = Some(status);
                event.outcome = outcome_of(status);
            }
            Ok(_) => request::label(event, "status", status),
            Err(_) => return Err((FaultCode::Field, "status is no number: log $status".to_owned())),
        }
    }
    http.bytes_out = number(fields, "body_bytes_sent").or_else(|| number(fields, "bytes_sent")).map(|n| n as u64);
    http.bytes_in = number(fields, "request_length").map(|n| n as u64);
    http.duration_ms = number(fields, "request_time").map(|seconds| seconds * 1e3);
    Ok(())
}

/// Everything else becomes a label, so that rules can use what a site logs of its own.
fn read_rest(event: &mut Event, fields: &Map<String, Value>) {
    if let Some(referer) = text(fields, "http_referer") {
        request::label(event, "referer", referer);
    }
    let others = fields.keys().filter(|name| {
        let name = name.as_str();
        !READ.contains(&name) && name != "http_referer" && !SECRETS.contains(&name) && !name.starts_with("cookie_")
    });
    for name in others.take(LABELS_MAX) {
        if let Some(value) = text(fields, name) {
            request::label(event, name, value);
        }
    }
}

fn time_of(fields: &Map<String, Value>) -> Option<Timestamp> {
    let rfc = |name: &str| text(fields, name).and_then(|text| Timestamp::parse_rfc3339(&text));
    rfc("time_iso8601")
        .or_else(|| number(fields, "msec").and_then(epoch))
        .or_else(|| text(fields, "time_local").and_then(|text| moment::parse_clf(text.as_bytes())))
        .or_else(|| {
            ["@timestamp", "timestamp", "time"].iter().find_map(|name| {
                rfc(name)
                    .or_else(|| text(fields, name).and_then(|text| moment::parse_clf(text.as_bytes())))
                    .or_else(|| number(fields, name).and_then(epoch))
            })
        })
}

/// Epoch seconds or milliseconds.
fn epoch(value: f64) -> Option<Timestamp> {
    serde_json::from_value(serde_json::json!(value)).ok()
}

/// The value as text; nothing when it is empty, a dash, or no scalar.
fn text(fields: &Map<String, Value>, name: &str) -> Option<Text> {
    match fields.get(name)? {
        Value::String(text) if text.is_empty() || text == "-" => None,
        Value::String(text) => Some(Text::from(text.as_str())),
        Value::Number(number) => Some(Text::from(number.to_string())),
        Value::Bool(flag) => Some(Text::from(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// The value as a number that is not negative; variables of upstream chains (`0.1, 0.2`) are none.
fn number(fields: &Map<String, Value>, name: &str) -> Option<f64> {
    let value = match fields.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    value.filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
