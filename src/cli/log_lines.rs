//! Log lines become native events on the sender's side: only there is it known which line of which file each one is.
//!
//! Access logs are exact to a second, so two equal lines are two requests, while a file sent twice must change nothing. The id
//! of an event is therefore a hash of the file's first line, the line's number and the line: a log that grows keeps its first line,
//! a rotated one gets another.

use riskgraph_analysis::normalise;
use riskgraph_connectors::formats::{Format, decode_line};
use riskgraph_domain::error::{FaultCode, Reject};
use riskgraph_domain::id::hash128;

/// What raw lines became.
pub(super) struct Converted {
    /// NDJSON.
    pub(super) body: Vec<u8>,
    /// Line of the file behind each line of the body.
    pub(super) lines: Vec<u64>,
    pub(super) rejected: Vec<Reject>,
}

/// Turns the lines of one file into events.
pub(super) struct LogLines {
    format: Format,
    file: String,
}

impl LogLines {
    /// For a file that begins like this; `None` when it holds native events, which carry their own ids.
    pub(super) fn of(named: Format, beginning: &[u8]) -> Option<Self> {
        let is_array = beginning.trim_ascii_start().first() == Some(&b'[');
        let format = match named {
            Format::Auto if is_array => Format::Native,
            Format::Auto => Format::detect(beginning.split(|&byte| byte == b'\n'))?,
            format => format,
        };
        let name = beginning.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let file = format!("{:032x}", hash128(&[&String::from_utf8_lossy(name)]));
        (format != Format::Native).then_some(Self { format, file })
    }

    /// Converts lines, the first of which has this number in the file.
    pub(super) fn convert(&self, raw: &[u8], first: u64) -> Converted {
        let mut converted =
            Converted { body: Vec::with_capacity(raw.len() * 2), lines: Vec::new(), rejected: Vec::new() };
        let mut events = Vec::new();
        for (line, number) in raw.split(|&byte| byte == b'\n').zip(first..) {
            events.clear();
            if let Err(fault) = decode_line(self.format, line, &mut events) {
                converted.rejected.push(normalise::reject(number, fault));
                continue;
            }
            for (place, event) in events.iter_mut().enumerate() {
                let content = String::from_utf8_lossy(line);
                let id = hash128(&[&self.file, &number.to_string(), &place.to_string(), &content]);
                event.id = format!("b3:{id:032x}").into();
                let start = converted.body.len();
                if serde_json::to_writer(&mut converted.body, event).is_err() {
                    converted.body.truncate(start);
                    let reason = "the line cannot be written as an event".to_owned();
                    converted.rejected.push(normalise::reject(number, (FaultCode::Syntax, reason)));
                    continue;
                }
                converted.body.push(b'\n');
                converted.lines.push(number);
            }
        }
        converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "203.0.113.9 - - [02/Mar/2026:08:00:01 +0100] \"GET /p/1 HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"";

    #[test]
    fn equal_lines_are_two_events_and_a_file_sent_twice_is_the_same() {
        let text = format!("{LINE}\n{LINE}\nnonsense\n");
        let lines = LogLines::of(Format::Auto, text.as_bytes()).expect("a log");
        let once = lines.convert(text.as_bytes(), 1);
        assert_eq!(once.lines, vec![1, 2]);
        assert_eq!(once.rejected.iter().map(|reject| reject.line).collect::<Vec<_>>(), vec![3]);
        let ids: std::collections::BTreeSet<String> = once
            .body
            .split(|&byte| byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
            .map(|event| event["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(lines.convert(text.as_bytes(), 1).body, once.body);
        // The second line alone, as the first of a later batch, is the same event.
        assert!(once.body.ends_with(&lines.convert(format!("{LINE}\n").as_bytes(), 2).body));
    }

    #[test]
    fn native_events_are_left_alone() {
        assert!(LogLines::of(Format::Auto, b"{\"time\":1,\"kind\":\"log.line\"}\n").is_none());
        assert!(LogLines::of(Format::Auto, b"[{\"time\":1,\"kind\":\"log.line\"}]").is_none());
        assert!(LogLines::of(Format::Native, LINE.as_bytes()).is_none());
    }
}
