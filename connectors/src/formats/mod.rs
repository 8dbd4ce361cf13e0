//! Foreign log formats, line by line: bytes in, events out.
//!
//! No I/O, no clock, no state between lines. A line that cannot be used says why and what to do. Must *not* know what
//! happens to the events, nor mask or bound fields: that is the intake's work on every event, whatever its format.

use riskgraph_domain::error::FaultCode;
use riskgraph_domain::event::{Event, MISSING_FIELD, Outcome, UNKNOWN_KIND};

mod access;
mod escape;
mod moment;
mod nginx_json;
mod nginx_status;
mod request;

/// Lines looked at when a format is to be recognised; enough to pass over a header or a few broken lines.
pub const SAMPLE_LINES_MAX: usize = 20;
/// Longest line that is decoded, in bytes. Web servers cut request lines near 8 KiB; status snapshots of big proxies
/// reach some hundred KiB.
pub const LINE_MAX_BYTES: usize = 1 << 20;

/// Why a line was refused: the code and a sentence with the remedy.
pub type Refusal = (FaultCode, String);

/// A format of input lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// riskgraph's own events, one JSON object a line.
    Native,
    /// nginx: combined (and variants of it), JSON access log, nginx Plus status snapshots.
    Nginx,
    /// Apache: common, combined, with virtual host.
    Apache,
    /// Each line by what it looks like.
    Auto,
}

impl Format {
    /// The format of this name, as in `POST /v1/events/{format}`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "native" | "ndjson" | "json" => Some(Self::Native),
            "nginx" | "nginx_json" | "nginx_plus" => Some(Self::Nginx),
            "apache" | "combined" | "common" => Some(Self::Apache),
            "auto" => Some(Self::Auto),
            _ => None,
        }
    }

    /// The name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Auto => "auto",
        }
    }

    /// Recognises the format most of the first lines have; `None` when no line looks like any known one.
    ///
    /// nginx and Apache write the same combined format; such lines are reported as [`Format::Apache`].
    #[must_use]
    pub fn detect<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut votes = [0_u32; 3];
        for line in lines.into_iter().filter(|line| !line.trim_ascii().is_empty()).take(SAMPLE_LINES_MAX) {
            match look(line) {
                Some(Self::Native) => votes[0] += 1,
                Some(Self::Nginx) => votes[1] += 1,
                Some(Self::Apache) => votes[2] += 1,
                _ => {}
            }
        }
        let best = votes.iter().copied().max().filter(|&most| most > 0)?;
        [Self::Native, Self::Nginx, Self::Apache].into_iter().zip(votes).find(|(_, n)| *n == best).map(|(f, _)| f)
    }
}

/// Decodes one line (without its line end) and appends the events in it; usually one, several for a status snapshot,
/// none for an empty line.
///
/// Events that came without an id have an empty one, except where one line makes several.
///
/// # Errors
/// The code and the reason with its remedy; `events` is then as it was.
pub fn decode_line(format: Format, line: &[u8], events: &mut Vec<Event>) -> Result<(), Refusal> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(());
    }
    if line.len() > LINE_MAX_BYTES {
        let reason =
            format!("the line has {} bytes, at most {LINE_MAX_BYTES} are read: split or shorten it", line.len());
        return Err((FaultCode::LineTooLong, reason));
    }
    let format = if format == Format::Auto { look(line).unwrap_or(Format::Auto) } else { format };
    match format {
        Format::Native => native(line, events),
        Format::Nginx if line[0] == b'{' => nginx_json::decode(line, events),
        Format::Nginx | Format::Apache => access::decode(line, events),
        Format::Auto => Err((
            FaultCode::Syntax,
            "the line looks like no known format (JSON event, nginx, Apache): name the format, or send it as an \
             event of kind log.line"
                .to_owned(),
        )),
    }
}

/// What one line looks like, by its first bytes.
fn look(line: &[u8]) -> Option<Format> {
    let line = line.trim_ascii();
    match line.first()? {
        b'{' if memchr::memmem::find(line, b"\"kind\"").is_some() => Some(Format::Native),
        b'{' => nginx_json::looks_like(line).then_some(Format::Nginx).or(Some(Format::Native)),
        _ => access::looks_like(line).then_some(Format::Apache),
    }
}

fn native(line: &[u8], events: &mut Vec<Event>) -> Result<(), Refusal> {
    let event = serde_json::from_slice::<Event>(line).map_err(|error| {
        let text = error.to_string();
        let code = match error.classify() {
            serde_json::error::Category::Data if text.starts_with(MISSING_FIELD) => FaultCode::Missing,
            serde_json::error::Category::Data if text.starts_with(UNKNOWN_KIND) => FaultCode::UnknownKind,
            serde_json::error::Category::Data => FaultCode::Field,
            _ => FaultCode::Syntax,
        };
        (code, text)
    })?;
    events.push(event);
    Ok(())
}

/// How an HTTP answer with this status ended.
fn outcome_of(status: u16) -> Outcome {
    match status {
        100..=399 => Outcome::Success,
        401 | 403 => Outcome::Denied,
        400..=599 => Outcome::Failure,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests;
