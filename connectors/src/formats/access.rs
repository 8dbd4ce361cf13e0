//! Common and combined access logs of nginx and Apache, with what sites add at the end.
//!
//! `host ident user [time] "request" status bytes "referer" "user agent" extras...`, Apache's `vhost:port` in front
//! allowed, whole lines in quotes allowed. Sources: Apache `mod_log_config`, nginx `ngx_http_log_module`.

use riskgraph_domain::error::FaultCode;
use riskgraph_domain::event::{Event, EventKind, Http, Outcome};

use super::{Refusal, escape, moment, outcome_of, request};

/// Extra fields kept behind the user agent; more is no access log.
const EXTRAS_MAX: usize = 16;

/// The shape, told in every refusal.
const SHAPE: &str = "expected: host ident user [day/Mon/year:h:m:s zone] \"request\" status bytes, then perhaps \
                     \"referer\" \"user agent\"; log in the common or combined format, or send native events";

/// Whether this line has a time in brackets followed by a quoted request.
pub(super) fn looks_like(line: &[u8]) -> bool {
    memchr::memmem::find(line, b" [").is_some_and(|open| {
        let rest = &line[open + 2..];
        memchr::memchr(b']', rest).is_some_and(|close| moment::parse_clf(&rest[..close]).is_some())
    })
}

pub(super) fn decode(line: &[u8], events: &mut Vec<Event>) -> Result<(), Refusal> {
    let line = unwrap_quotes(line);
    let Some(open) = memchr::memmem::find(line, b" [") else {
        return Err(refuse("the line has no time in brackets"));
    };
    let after_open = &line[open + 2..];
    let Some(close) = memchr::memchr(b']', after_open) else {
        return Err(refuse("the bracket of the time is not closed"));
    };
    let Some(time) = moment::parse_clf(&after_open[..close]) else {
        let reason = format!("the time in brackets is not of the form 17/May/2015:10:05:03 +0000; {SHAPE}");
        return Err((FaultCode::Field, reason));
    };
    let mut event = Event::new("", time, EventKind::HttpRequest);
    let mut http = Box::<Http>::default();
    read_who(&mut event, &mut http, &line[..open]);

    let mut fields = Fields { rest: &after_open[close + 1..], cut: Cut::No };
    match fields.next() {
        Some(Field { value, .. }) => request::read_line(&mut event, &mut http, value),
        None => return Err(refuse("the line ends after the time")),
    }
    match fields.next() {
        Some(Field { value, .. }) => read_status(&mut event, &mut http, value)?,
        None => request::label(&mut event, "truncated", "true"),
    }
    if let Some(Field { value, .. }) = fields.next() {
        http.bytes_out = if value == b"-" { Some(0) } else { number(value) };
    }
    read_tail(&mut event, &mut http, &mut fields);
    if fields.cut == Cut::Yes && event.label("truncated").is_none() {
        request::label(&mut event, "truncated", "true");
    }
    event.http = Some(http);
    events.push(event);
    Ok(())
}

fn refuse(what: &str) -> Refusal {
    (FaultCode::Syntax, format!("{what}; {SHAPE}"))
}

/// Some exports put the whole line in quotes.
fn unwrap_quotes(line: &[u8]) -> &[u8] {
    match line {
        [b'"', inner @ .., b'"'] if inner.first().is_some_and(|&first| first != b'"') => inner,
        [b'"', inner @ ..] => inner,
        _ => line,
    }
}

/// Host, identity and user; a virtual host in front when the host is the second word.
fn read_who(event: &mut Event, http: &mut Http, raw: &[u8]) {
    let (first, rest) = word(raw);
    let (second, after_second) = word(rest);
    let vhost = memchr::memrchr(b':', first)
        .is_some_and(|at| at + 1 < first.len() && first[at + 1..].iter().all(u8::is_ascii_digit))
        && memchr::memchr_iter(b' ', rest).count() >= 2
        && second != b"-";
    let rest = if vhost {
        let host_end = memchr::memrchr(b':', first).unwrap_or(first.len());
        request::set_host(http, &first[..host_end]);
        request::read_peer(event, second);
        after_second
    } else {
        request::read_peer(event, first);
        rest
    };
    let (_ident, user) = word(rest);
    let user = user.trim_ascii();
    if !user.is_empty() && user != b"-" && user != b"\"\"" {
        event.actor.user = Some(escape::decode(user));
    }
}

fn word(raw: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', raw) {
        Some(at) => (&raw[..at], &raw[at + 1..]),
        None => (raw, &raw[raw.len()..]),
    }
}

/// The status; one that HTTP does not have (`000` of nginx, `-` of Apache) becomes a label.
fn read_status(event: &mut Event, http: &mut Http, raw: &[u8]) -> Result<(), Refusal> {
    match number(raw).and_then(|status| u16::try_from(status).ok()) {
        Some(status @ 100..=599) => {
            http.status = Some(status);
            event.outcome = outcome_of(status);
        }
        Some(_) => request::label(event, "status", escape::decode(raw)),
        None if raw == b"-" => event.outcome = Outcome::Unknown,
        None => {
            let reason = format!("the field after the request is no status code; {SHAPE}");
            return Err((FaultCode::Field, reason));
        }
    }
    Ok(())
}

/// Referer, user agent, and what the site added.
fn read_tail(event: &mut Event, http: &mut Http, fields: &mut Fields<'_>) {
    let mut n_quoted = 0;
    let mut n_unnamed = 0;
    for field in fields.by_ref().take(EXTRAS_MAX + 2) {
        if field.quoted == Quoted::Yes && field.name.is_none() && n_quoted < 2 {
            n_quoted += 1;
            if field.value.is_empty() || field.value == b"-" {
                continue;
            }
            if n_quoted == 1 {
                request::label(event, "referer", escape::decode(field.value));
            } else {
                event.client.user_agent = Some(escape::decode(field.value));
            }
            continue;
        }
        if field.value.is_empty() || field.value == b"-" {
            n_unnamed += usize::from(field.name.is_none());
            continue;
        }
        match field.name {
            Some(name) => read_named(event, http, name, field.value),
            None if request::read_forwarded(event, field.value) => {}
            None => {
                n_unnamed += 1;
                request::label(event, &format!("extra{n_unnamed}"), escape::decode(field.value));
            }
        }
    }
}

/// `rt=0.012`, `host="shop.example"` and the like: kept as labels, read where the meaning is usual.
fn read_named(event: &mut Event, http: &mut Http, name: &[u8], value: &[u8]) {
    let text = escape::decode(value);
    match name {
        b"rt" | b"request_time" => {
            http.duration_ms = text.parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0).map(|s| s * 1e3);
        }
        b"host" | b"vhost" | b"server_name" => request::set_host(http, value),
        b"xff" | b"x_forwarded_for" | b"http_x_forwarded_for" if request::read_forwarded(event, value) => return,
        _ => {}
    }
    request::label(event, &escape::decode(name), text);
}

fn number(raw: &[u8]) -> Option<u64> {
    if raw.is_empty() || raw.len() > 19 {
        return None;
    }
    raw.iter().try_fold(0_u64, |sum, &byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Yes,
    No,
}

/// Whether the line ended inside a quoted field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Yes,
    No,
}

struct Field<'a> {
    name: Option<&'a [u8]>,
    value: &'a [u8],
    quoted: Quoted,
}

/// Fields parted by spaces: bare, quoted, or `name=` before either.
struct Fields<'a> {
    rest: &'a [u8],
    cut: Cut,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.is_empty() {
            return None;
        }
        let name = self.take_name();
        let (value, quoted) = match self.rest {
            [b'"', inside @ ..] => (self.take_quoted(inside), Quoted::Yes),
            _ => {
                let (value, rest) = word(self.rest);
                self.rest = rest;
                (value, Quoted::No)
            }
        };
        Some(Field { name, value, quoted })
    }
}

impl<'a> Fields<'a> {
    fn take_name(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|&b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))?;
        if end == 0 || self.rest[end] != b'=' {
            return None;
        }
        let name = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(name)
    }

    /// Up to the closing quote: an unescaped one before a space or the end. A quote inside a word was
    /// written by a server that does not escape. Without a closing quote the line was cut: the rest is the value.
    fn take_quoted(&mut self, inside: &'a [u8]) -> &'a [u8] {
        let mut at = 0;
        while let Some(found) = inside.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += found;
            if inside[at] == b'\\' {
                at += 2;
                continue;
            }
            if matches!(inside.get(at + 1), None | Some(b' ' | b'\t')) {
                self.rest = &inside[at + 1..];
                return &inside[..at];
            }
            at += 1;
        }
        self.cut = Cut::Yes;
        self.rest = &inside[inside.len()..];
        inside
    }
}
